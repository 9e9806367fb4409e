#include "app/session/outputs.h"

#include <filesystem>
#include <fstream>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pipeline/output/result_file.h"

namespace posecam {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

Input clip(const std::string& name) { return {.given = "/clips/" + name + ".mp4", .name = name}; }

TEST(Outputs, CarryTheStemOfTheirInputIfThereAreSeveral) {
  RunOptions options;
  options.write_video = "dir/out.v1.mp4";
  options.json_lines = "-";
  options.write_json = "json";
  const auto one = plan_outputs(options, {clip("a")});
  ASSERT_TRUE(one);
  EXPECT_EQ(one->front().video, "dir/out.v1.mp4");
  const auto two = plan_outputs(options, {clip("a"), clip("b")});
  ASSERT_TRUE(two);
  EXPECT_EQ(two->back().video, "dir/out.v1-b.mp4");
  EXPECT_EQ(two->back().json_lines, "-");
  EXPECT_EQ(two->back().json_folder, "json");
}

TEST(Outputs, RefuseToOverwriteAnInputOrEachOther) {
  RunOptions options;
  options.write_video = "/clips/../clips/a.mp4";
  EXPECT_EQ(plan_outputs(options, {clip("a")}).error().code, Errc::kUsage);
  options.write_video.clear();
  options.json_lines = options.write_coco_json = "x.json";
  EXPECT_THAT(plan_outputs(options, {clip("a")}).error().message, HasSubstr("would overwrite"));
}

TEST(Outputs, KnowTheContainersOfVideos) {
  RunOptions options;
  options.write_video = "out.gif";
  EXPECT_THAT(plan_outputs(options, {clip("a")}).error().message, HasSubstr(".mp4, .mov, .mkv or .avi"));
  options.write_video = "out.MP4";
  EXPECT_TRUE(plan_outputs(options, {clip("a")}));
}

TEST(Outputs, AreCheckedWithoutTouchingWhatIsThere) {
  const fs::path folder = fs::temp_directory_path() / ("posecam-outputs-" + std::to_string(getpid()));
  fs::create_directories(folder);
  std::ofstream(folder / "old.json") << "old";
  Outputs outputs;
  outputs.coco = (folder / "old.json").string();
  outputs.json_folder = (folder / "frames").string();
  EXPECT_TRUE(check_writable(outputs));
  EXPECT_EQ(fs::file_size(folder / "old.json"), 3U);
  EXPECT_FALSE(fs::exists(part_name(outputs.coco)));
  EXPECT_TRUE(fs::is_directory(outputs.json_folder));

  outputs.motion = (folder / "missing" / "m.json").string();
  const auto missing = check_writable(outputs);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, Errc::kMedia);
  EXPECT_THAT(missing.error().message, HasSubstr("mkdir -p"));
  fs::remove_all(folder);
}

}  // namespace
}  // namespace posecam
