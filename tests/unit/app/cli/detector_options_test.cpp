#include "app/cli/detector_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/cli/summary.h"
#include "tests/support/temp_dir.h"

namespace posecam {
namespace {

using testing::HasSubstr;

EngineSettings pose_model() {
  EngineSettings model;
  model.model = "openpose-lite";
  return model;
}

std::string refusal(const DetectorOptions& options, EngineSettings model = pose_model()) {
  const auto detector = detector_of(options, model, 1);
  if (detector) return {};
  EXPECT_EQ(detector.error().code, Errc::kUsage);
  return detector.error().message;
}

TEST(DetectorOptions, AreNothingWithoutADetector) {
  EngineSettings model = pose_model();
  model.classes = "car";
  const auto none = detector_of({}, model, 3);
  ASSERT_TRUE(none);
  EXPECT_FALSE(*none);
  EXPECT_EQ(model.classes, "car");
  EXPECT_THAT(refusal({.interval = 2}), HasSubstr("belong to a --detector"));
  EXPECT_THAT(refusal({.threshold = 0.5F}), HasSubstr("belong to a --detector"));
  EXPECT_THAT(refusal({.cores = "0"}), HasSubstr("belong to a --detector"));
}

TEST(DetectorOptions, ShareTheDeviceAndLeaveWhatIsOfTheModel) {
  EngineSettings model = pose_model();
  model.device = "openvino";
  model.cores = "0-1";
  model.net_resolution = "96x96";
  model.threshold = 0.9F;
  model.max_people = 2;
  model.batch_size = 8;
  const auto detector = detector_of({.model = "yolox-nano", .threshold = 0.25F}, model, 3);
  ASSERT_TRUE(detector && *detector);
  const EngineSettings& engine = (*detector)->engine;
  EXPECT_EQ(engine.model, "yolox-nano");
  EXPECT_EQ(engine.device, "openvino");
  EXPECT_EQ(engine.cores, "0-1");
  EXPECT_EQ(engine.threshold, 0.25F);
  EXPECT_EQ(engine.classes, "person");
  EXPECT_EQ(engine.net_resolution, "");
  EXPECT_EQ(engine.max_people, -1);
  EXPECT_EQ(engine.batch_size, 0U);
  EXPECT_EQ((*detector)->inference_interval, 3U) << "what the model does not analyse need not be searched";
  EXPECT_EQ(model.max_people, 2);
}

TEST(DetectorOptions, HaveCoresAndAnIntervalOfTheirOwn) {
  EngineSettings model = pose_model();
  const auto detector = detector_of({.model = "yolox-nano", .cores = "1", .interval = 5}, model, 3);
  ASSERT_TRUE(detector && *detector);
  EXPECT_EQ((*detector)->engine.cores, "1");
  EXPECT_EQ((*detector)->inference_interval, 5U);
}

TEST(DetectorOptions, TakeClassesAndLabelsFromTheModel) {
  EngineSettings model = pose_model();
  model.classes = "car, person";
  const auto detector = detector_of({.model = "yolox-nano"}, model, 1);
  ASSERT_TRUE(detector && *detector);
  EXPECT_EQ((*detector)->engine.classes, "car, person");
  EXPECT_EQ(model.classes, "") << "it has no labels";

  const test::TempDir dir;
  const auto file = dir.path() / "labels.txt";
  test::write_file(file, "nothing\nperson\n");
  model.labels_file = file;
  const auto named = detector_of({.model = "person-detection-0013"}, model, 1);
  ASSERT_TRUE(named && *named);
  EXPECT_EQ((*named)->engine.labels_file, file);
  EXPECT_EQ(model.labels_file, "");
}

TEST(DetectorOptions, RefuseWhatCannotWork) {
  EngineSettings cars = pose_model();
  cars.classes = "car";
  EXPECT_THAT(refusal({.model = "yolox-nano"}, cars), HasSubstr("add person"));
  EXPECT_THAT(refusal({.model = "openpose"}), HasSubstr("finds keypoints itself: name it as --model"));
  EXPECT_THAT(refusal({.model = "squeezenet"}), HasSubstr("finds nothing that it calls person"));
  EngineSettings detector = pose_model();
  detector.model = "yolox-nano";
  EXPECT_THAT(refusal({.model = "yolox-nano"}, detector), HasSubstr("finds no keypoints"));
}

TEST(Summary, SpeaksOfTheDetectorAndOfWhomItFoundInVain) {
  StreamStats stats;
  stats.frames = 10;
  stats.device = "openvino";
  stats.cores = 2;
  stats.batch_fill = 3;
  stats.left_out = 4;
  EXPECT_THAT(format_summary("clip.mp4", stats, {}), HasSubstr("2 cores, 3.0 frames a batch"));
  stats.detector = DetectorStats{"openvino", 1, 1.5, {"infer", 12.25, 20}};
  const std::string text = format_summary("clip.mp4", stats, {});
  EXPECT_THAT(text, HasSubstr("2 cores, 3.0 people a batch"));
  EXPECT_THAT(text, HasSubstr("detector on openvino, 1 core, 1.5 frames a batch, 12.25 ms (p99 20.00)"));
  EXPECT_THAT(text, HasSubstr("; 4 people found but not looked at"));
}

}  // namespace
}  // namespace posecam
