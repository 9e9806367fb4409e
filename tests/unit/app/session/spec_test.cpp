#include "app/session/spec.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/temp_dir.h"

namespace posecam {
namespace {

using ::testing::HasSubstr;

SessionSpec clip(const std::string& name) {
  return {.input = {.kind = InputKind::kVideoFile, .given = "/clips/" + name + ".mp4", .name = name}};
}

Error refused(const std::vector<SessionSpec>& specs) {
  const auto checked = check_specs(specs);
  EXPECT_FALSE(checked);
  return checked ? Error{} : checked.error();
}

TEST(SessionSpecs, RefuseToOverwriteAnInputOrEachOther) {
  std::vector<SessionSpec> specs{clip("a"), clip("b")};
  specs[0].video = {.file = "/clips/../clips/b.mp4", .name = "--write-video"};
  EXPECT_EQ(refused(specs).code, Errc::kUsage);
  EXPECT_EQ(refused(specs).message,
            "--write-video /clips/../clips/b.mp4 would overwrite the input /clips/b.mp4; give another name");
  specs[0].video = {};
  specs[0].sinks = {{ResultFormat::kNdjson, "x.json", "lines"}};
  EXPECT_TRUE(check_specs(specs));
  specs[1].sinks = {{ResultFormat::kCoco, "./x.json", ""}};
  EXPECT_EQ(refused(specs).message, "./x.json would overwrite lines x.json; give another name");
}

TEST(SessionSpecs, RefuseOutputsThatWouldOverwriteSomethingWhileTheyAreWritten) {
  std::array specs{clip("a.json.part")};
  specs[0].input.given = "/clips/a.json.part";
  specs[0].sinks = {{ResultFormat::kNdjson, "/clips/a.json", "lines"}};
  EXPECT_EQ(check_specs(specs).error().message,
            "lines /clips/a.json (written as /clips/a.json.part) would overwrite the input /clips/a.json.part; give "
            "another name");
  specs[0] = clip("a");
  specs[0].sinks = {{ResultFormat::kNdjson, "x.part", "lines"}, {ResultFormat::kCoco, "x", "coco"}};
  EXPECT_EQ(check_specs(specs).error().message,
            "coco x (written as x.part) would overwrite lines x.part; give another name");
  std::ranges::reverse(specs[0].sinks);
  EXPECT_EQ(check_specs(specs).error().message,
            "lines x.part would overwrite coco x while it is written; give another name");
}

TEST(SessionSpecs, KnowAFileByWhatItIs) {
  const test::TempDir folder;
  const std::string clip_file = (folder.path() / "clip.mp4").string();
  test::write_file(clip_file, "x");
  std::filesystem::create_hard_link(clip_file, folder.path() / "linked.json.part");
  std::filesystem::create_symlink(clip_file, folder.path() / "pointed.json");
  for (const char* output : {"linked.json", "pointed.json"}) {
    std::array specs{clip("a")};
    specs[0].input.given = clip_file;
    specs[0].sinks = {{ResultFormat::kNdjson, (folder.path() / output).string(), "lines"}};
    EXPECT_THAT(check_specs(specs).error().message, HasSubstr("would overwrite the input " + clip_file)) << output;
  }
}

TEST(SessionSpecs, MayShareWhatIsNoFile) {
  std::vector<SessionSpec> specs{clip("a"), clip("b")};
  for (SessionSpec& spec : specs) {
    spec.sinks = {{ResultFormat::kNdjson, "-", ""},
                  {ResultFormat::kOpenpose, "folder", ""},
                  {ResultFormat::kCoco, "/dev/null", ""},
                  {ResultFormat::kMotion, "/dev/null", ""}};
  }
  EXPECT_TRUE(check_specs(specs));
  specs[1].sinks[2].location = "-";
  EXPECT_THAT(refused(specs).message, HasSubstr("only one output can be -"));
}

SessionSpec pictures(std::vector<std::filesystem::path> files, const std::string& location) {
  SessionSpec spec{.input = {.kind = InputKind::kImages, .given = "photos", .name = "photos"}};
  spec.input.images = std::move(files);
  spec.sinks = {{ResultFormat::kCoco, location, "--write-coco-json"}};
  return spec;
}

TEST(SessionSpecs, RefusePicturesThatWouldShareAnIdInCocosResults) {
  EXPECT_TRUE(check_specs(std::array{pictures({"/a/COCO_1.jpg", "/a/COCO_2.jpg"}, "x.json")}));
  const Error shared = refused({pictures({"/a/1.jpg", "/a/1.png"}, "x.json")});
  EXPECT_EQ(shared.code, Errc::kUsage);
  EXPECT_THAT(shared.message, HasSubstr("--write-coco-json x.json: 1 and 1 would both be image 1"));
  EXPECT_TRUE(check_specs(std::array{pictures({"/a/1.jpg"}, "x-a.json"), pictures({"/b/1.jpg"}, "x-b.json")}));
  EXPECT_THAT(refused({pictures({"/a/1.jpg"}, "-"), pictures({"/b/1.jpg"}, "-")}).message,
              HasSubstr("/a/1.jpg and /b/1.jpg would both be image 1"));
}

TEST(SessionSpecs, KnowTheContainersOfVideos) {
  std::array specs{clip("a")};
  specs[0].video.file = "out.gif";
  EXPECT_THAT(check_specs(specs).error().message, HasSubstr(".mp4, .mov, .mkv, .webm or .avi"));
  for (const char* file : {"out.MP4", "out.m4v", "out.mov", "out.mkv", "out.avi"}) {
    specs[0].video.file = file;
    EXPECT_TRUE(check_specs(specs)) << file;
  }
}

}  // namespace
}  // namespace posecam
