#include "app/commands/run_specs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace posecam {
namespace {

using ::testing::ElementsAre;

Input clip(const std::string& name) { return {.given = "/clips/" + name + ".mp4", .name = name}; }

TEST(RunSpecs, NameOutputsAfterTheirInputIfThereAreSeveral) {
  RunOptions options;
  options.write_video = "dir/out.v1.mp4";
  options.json_lines = "-";
  options.write_json = "json";
  options.write_motion_json = "m.json";
  const auto one = make_specs(options, {clip("a")});
  ASSERT_TRUE(one);
  EXPECT_THAT(files_of(one->front()), ElementsAre("dir/out.v1.mp4", "json", "m.json"));
  EXPECT_EQ(one->front().shared_model, "");
  const auto two = make_specs(options, {clip("a"), clip("b")});
  ASSERT_TRUE(two);
  EXPECT_THAT(files_of(two->back()), ElementsAre("dir/out.v1-b.mp4", "json", "m-b.json"));
  EXPECT_EQ(two->back().sinks.front().location, "-");
  EXPECT_NE(two->back().shared_model, "");
  EXPECT_EQ(two->front().shared_model, two->back().shared_model);
}

TEST(RunSpecs, HaveWhatTheRunWasAskedFor) {
  RunOptions options;
  options.batch_size = 3;
  options.inference_interval = 4;
  options.max_frames = 5;
  options.display = true;
  options.write_coco_json = "c.json";
  const auto specs = make_specs(options, {clip("a")});
  ASSERT_TRUE(specs);
  const SessionSpec& spec = specs->front();
  EXPECT_EQ(spec.engine, static_cast<const EngineSettings&>(options));
  EXPECT_EQ(spec.inference_interval, 4U);
  EXPECT_EQ(spec.max_frames, 5U);
  EXPECT_TRUE(spec.video.window);
  EXPECT_EQ(spec.input.given, "/clips/a.mp4");
  ASSERT_EQ(spec.sinks.size(), 1U);
  EXPECT_EQ(spec.sinks[0].format, ResultFormat::kCoco);
  EXPECT_EQ(spec.sinks[0].name, "--write-coco-json");
}

TEST(RunSpecs, TakeALimitThatIsNotNeverForOne) {
  RunOptions options;
  for (const auto& [seconds, ms] : {std::pair{0.0, 0}, {0.0001, 1}, {1.5, 1500}}) {
    options.stall_limit = seconds;
    EXPECT_EQ(make_specs(options, {clip("a")})->front().stall_limit.count(), ms);
  }
}

}  // namespace
}  // namespace posecam
