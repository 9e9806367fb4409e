#include "pipeline/settings/engine_plan.h"

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/spec/zoo.h"
#include "pipeline/devices/devices.h"
#include "postprocess/decode/decoders.h"
#include "tests/support/fake_backend.h"
#include "tests/support/shared.h"
#include "tests/support/temp_dir.h"

namespace posecam {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

/// A user whose store is empty.
class DefaultModelTest : public testing::Test {
 protected:
  DefaultModelTest() { ::setenv("XDG_DATA_HOME", home_.path().c_str(), 1); }
  ~DefaultModelTest() override { ::unsetenv("XDG_DATA_HOME"); }

  /// Files of the sizes that the descriptor states: what they hold is looked at when they are loaded.
  void pretend_pulled(std::string_view backend) const {
    const auto spec = find_model("openpose");
    ASSERT_TRUE(spec);
    const fs::path folder = home_.path() / "posecam/models/openpose";
    fs::create_directories(folder);
    for (const WeightFile& file : spec->weights_for(backend)->files) {
      std::ofstream(folder / file.name).put('x');
      fs::resize_file(folder / file.name, file.bytes);
    }
  }

  test::TempDir home_;
};

TEST_F(DefaultModelTest, IsTheBuiltInOneWhenNothingWasPulled) {
  const DefaultModel model = default_model("auto");
  EXPECT_EQ(model.name, "openpose-lite");
  EXPECT_THAT(model.note, HasSubstr("posecam models pull openpose"));
}

TEST_F(DefaultModelTest, IsOpenposeWhereItsWeightsAre) {
  pretend_pulled("opencv");
  EXPECT_EQ(default_model("auto").name, "openpose");
  EXPECT_EQ(default_model("auto").note, "");
  EXPECT_EQ(default_model("opencv").name, "openpose");
  EXPECT_EQ(default_model("openvino").name, "openpose-lite");
}

TEST_F(DefaultModelTest, SaysOfADeviceWithoutPublishedWeightsThatAMirrorIsNeeded) {
  EXPECT_THAT(default_model("opencv").note, HasSubstr("posecam models pull openpose --mirror DIR|URL"));
}

TEST_F(DefaultModelTest, IsOpenposeThoughItIsDamaged) {
#ifndef POSECAM_HAVE_OPENVINO
  GTEST_SKIP() << "built without OpenVINO";
#endif
  pretend_pulled("openvino");
  const fs::path folder = home_.path() / "posecam/models/openpose";
  fs::resize_file(folder / "human-pose-estimation-0001.bin", 1000);
  for (const char* device : {"auto", "openvino"}) {
    EXPECT_EQ(default_model(device).name, "openpose");
    const auto plan = plan_engine({.device = device}, kUnknownVideo);
    ASSERT_TRUE(plan) << plan.error().message;
    EXPECT_EQ(plan->device->name(), "openvino");
    const auto opened = open_backend(*plan);
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, Errc::kModel);
    EXPECT_THAT(opened.error().message, HasSubstr("run: posecam models pull openpose"));
  }
}

/// Settings of the smallest network there is.
EngineSettings tiny() {
  EngineSettings settings;
  settings.model = (test::source_dir() / "tests/data/tiny_pose.json").string();
  settings.device = "opencv";
  return settings;
}

Error refusal(const EngineSettings& settings) {
  const auto plan = plan_engine(settings, kUnknownVideo);
  if (!plan) return plan.error();
  ADD_FAILURE() << "planned";
  return {};
}

TEST_F(DefaultModelTest, IsPlannedAndToldOfWhereNoneIsNamed) {
  const auto plan = plan_engine({}, kUnknownVideo);
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_EQ(plan->model_name, "openpose-lite");
  EXPECT_EQ(plan->model.name, "openpose-lite");
  EXPECT_EQ(plan->note, default_model("auto").note);
  const auto named = plan_engine({.model = "openpose-lite"}, kUnknownVideo);
  ASSERT_TRUE(named);
  EXPECT_EQ(named->note, "");
}

TEST_F(DefaultModelTest, IsWhatTheDevicesOfAProgramCanRun) {
  add_device(std::make_shared<test::FakeDevice>(test::FakeOptions{}, "able"));
  EXPECT_EQ(default_model("able").name, "openpose");
}

TEST(EnginePlan, HasTheModelAsTheDeviceRunsIt) {
  EngineSettings settings = tiny();
  settings.net_resolution = "-1x64";
  settings.batch_size = 3;
  const auto plan = plan_engine(settings, {300, 100});
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_EQ(plan->model_name, settings.model);
  EXPECT_EQ(plan->model.name, "tiny-pose");
  EXPECT_EQ(plan->model.input.size, (Size{192, 64}));
  EXPECT_EQ(plan->model.input.batch, 3);
  EXPECT_EQ(plan->device->name(), "opencv");
  EXPECT_FALSE(plan->automatic);
}

TEST(EnginePlan, HasTheDeviceThatAutoMeans) {
  EngineSettings settings = tiny();
  settings.device = "auto";
  const auto plan = plan_engine(settings, kUnknownVideo);
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->device, best_device(plan->model));
  EXPECT_TRUE(plan->automatic);
}

TEST(EnginePlan, HasEverySettingOfDeviceAndDecoder) {
  EngineSettings settings = tiny();
  settings.cores = "0";
  settings.precision = "bf16";
  settings.scheduling_policy = "latency";
  settings.dynamic_batch_size = false;
  settings.decode = "reference";
  settings.taps = 9;
  settings.max_people = 2;
  settings.threshold = 0.25F;
  settings.paf_threshold = 0.5F;
  settings.nms_threshold = 0.75F;
  settings.max_batch_delay_ms = 17;
  settings.core_retry_s = 3;
  settings.max_in_flight = 12;
  const auto plan = plan_engine(settings, kUnknownVideo);
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_THAT(plan->backend.cores, testing::ElementsAre(0U));
  EXPECT_EQ(plan->backend.precision, Precision::kBf16);
  EXPECT_EQ(plan->backend.scheduling, Scheduling::kLatency);
  EXPECT_FALSE(plan->backend.dynamic_batch_size);
  EXPECT_EQ(plan->engine.decode.mode, DecodeOptions::Mode::kReference);
  EXPECT_EQ(plan->engine.decode.smoothing_taps, 9);
  EXPECT_EQ(plan->engine.decode.max_people, 2);
  EXPECT_EQ(plan->engine.decode.threshold, 0.25F);
  EXPECT_EQ(plan->engine.decode.paf_threshold, 0.5F);
  EXPECT_EQ(plan->engine.decode.nms_threshold, 0.75F);
  EXPECT_EQ(plan->engine.max_batch_delay.count(), 17);  // whole batches alone are of NeuronCores
  EXPECT_EQ(plan->engine.core_retry, std::chrono::seconds(3));
  EXPECT_EQ(plan->max_in_flight, 12U);
}

TEST(EnginePlan, LeavesToTheModelWhatIsNotSet) {
  const auto plan = plan_engine(tiny(), kUnknownVideo);
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->backend.precision, Precision::kAuto);
  EXPECT_EQ(plan->backend.scheduling, Scheduling::kThroughput);
  EXPECT_EQ(plan->engine.decode.mode, DecodeOptions::Mode::kFast);
  EXPECT_FALSE(plan->engine.decode.threshold);
  EXPECT_FALSE(plan->engine.decode.paf_threshold);
  EXPECT_FALSE(plan->engine.decode.nms_threshold);
  EXPECT_FALSE(plan->engine.decode.max_people);
}

TEST(EnginePlan, RefusesWordsWithThoseThereAre) {
  struct Case {
    std::string EngineSettings::*setting;
    const char* word;
    const char* message;
  };
  for (const Case& c :
       {Case{&EngineSettings::precision, "f16", "precision=f16: must be auto, f32 or bf16"},
        Case{&EngineSettings::scheduling_policy, "fair", "scheduling-policy=fair: must be throughput or latency"},
        Case{&EngineSettings::decode, "slow", "decode=slow: must be fast or reference"},
        Case{&EngineSettings::device, "cuda", "device=cuda: must be auto, neuron, neuron-sim, openvino"},
        Case{&EngineSettings::cores, "x", "cores=x"},
        Case{&EngineSettings::net_resolution, "big", "net-resolution=big: must be WIDTHxHEIGHT"},
        Case{&EngineSettings::net_resolution, "63x32", "63x32"}}) {
    EngineSettings settings = tiny();
    settings.*c.setting = c.word;
    const Error error = refusal(settings);
    EXPECT_EQ(error.code, Errc::kUsage) << c.word;
    EXPECT_THAT(error.message, HasSubstr(c.message));
  }
}

TEST(EnginePlan, RefusesModelsThatDoNotExist) {
  EngineSettings settings;
  settings.model = "openpose-lit";
  const Error error = refusal(settings);
  EXPECT_EQ(error.code, Errc::kModel);
  EXPECT_THAT(error.message, HasSubstr("did you mean 'openpose-lite'?"));
}

TEST(EnginePlan, RefusesLabelsThatAreNotThoseOfTheModel) {
  const test::TempDir folder;
  add_device(std::make_shared<test::FakeDevice>(test::FakeOptions{}));
  EngineSettings settings;
  settings.device = "fake";
  settings.model = (test::source_dir() / "tests/data/one_object.json").string();
  settings.labels_file = (folder.path() / "labels.txt").string();
  EXPECT_EQ(refusal(settings).code, Errc::kUsage);
  test::write_file(settings.labels_file, "cat\ndog\n");
  EXPECT_THAT(refusal(settings).message, HasSubstr("2 labels, but model"));
  test::write_file(settings.labels_file, "cat\n");
  const auto plan = plan_engine(settings, kUnknownVideo);
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_THAT(plan->model.labels, testing::ElementsAre("cat"));
}

TEST(EnginePlan, TellsDecodersWhichClassesAreWanted) {
  add_device(std::make_shared<test::FakeDevice>(test::FakeOptions{}));
  EngineSettings settings;
  settings.device = "fake";
  settings.model = (test::source_dir() / "tests/data/one_object.json").string();
  settings.classes = "thing";
  const auto plan = plan_engine(settings, kUnknownVideo);
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_THAT(plan->engine.decode.labels, testing::ElementsAre(1));
  settings.classes = "think";
  EXPECT_EQ(refusal(settings).code, Errc::kUsage);
  EXPECT_EQ(refusal(settings).message, "classes=think: the model has no label 'think'; the nearest are thing");
  settings.classes.assign(120'000, 'x');
  EXPECT_LT(refusal(settings).message.size(), 300U);
  settings = tiny();
  settings.classes = "person";
  EXPECT_EQ(refusal(settings).code, Errc::kUsage);
  EXPECT_THAT(refusal(settings).message, HasSubstr("classes=person: model tiny-pose finds people only"));
}

/// Frames are whole batches on every core.
TEST(EnginePlan, MakesAnEngineForAsManyFramesAsAskedFor) {
  add_device(std::make_shared<test::FakeDevice>(test::FakeOptions{.cores = 2, .on_run = {}}));
  EngineSettings settings;
  settings.device = "fake";
  settings.model = (test::source_dir() / "tests/data/one_object.json").string();
  settings.batch_size = 3;
  for (const auto& [asked, made] : {std::pair{0U, 12U}, {1U, 6U}, {6U, 6U}, {17U, 12U}, {18U, 18U}}) {
    settings.max_in_flight = asked;
    auto plan = plan_engine(settings, kUnknownVideo);
    ASSERT_TRUE(plan) << plan.error().message;
    const auto engine = make_engine(std::move(*plan));
    ASSERT_TRUE(engine) << engine.error().message;
    EXPECT_EQ((*engine)->max_in_flight(), made) << asked;
  }
}

}  // namespace
}  // namespace posecam
