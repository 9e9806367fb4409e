#include "pipeline/devices/devices.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>

#include "pipeline/settings/engine_options.h"
#include "postprocess/decode/decoders.h"
#include "tests/support/fake_backend.h"
#include "tests/support/shared.h"
#include "tests/support/temp_dir.h"

namespace posecam {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;

#ifdef POSECAM_HAVE_OPENVINO
constexpr const char* kBest = "openvino";
#else
constexpr const char* kBest = "opencv";
#endif

/// A network with its weights beside its descriptor: a file for each library. The user's store is empty.
class CpuDevices : public testing::Test {
 protected:
  CpuDevices() {
    ::setenv("XDG_DATA_HOME", (folder_.path() / "home").c_str(), 1);
    auto spec = ModelSpec::load(test::source_dir() / "tests/data/tiny_pose.json", decoders());
    EXPECT_TRUE(spec);
    model_ = std::move(*spec);
    model_.path = folder_.path() / "tiny.json";
    for (BackendWeights& weights : model_.weights) {
      weights.files.front().name = weights.backend + ".onnx";
      std::filesystem::copy_file(test::source_dir() / "tests/data/tiny_pose.onnx", file_of(weights.backend));
    }
  }
  ~CpuDevices() override { ::unsetenv("XDG_DATA_HOME"); }

  std::filesystem::path file_of(const std::string& backend) const { return folder_.path() / (backend + ".onnx"); }
  /// The name of the device that auto means, or why there is none.
  std::string automatic() const {
    const auto device = choose_device(kAutoDevice, model_);
    return device ? (*device)->name() : device.error().message;
  }

  test::TempDir folder_;
  ModelSpec model_;
};

std::shared_ptr<const Device> opencv() { return *find_device("opencv"); }

std::vector<std::string> names() {
  std::vector<std::string> names;
  for (const auto& device : devices()) names.push_back(device->name());
  return names;
}

TEST(Devices, AreListedInTheOrderOfPreference) {
  EXPECT_THAT(names(), ElementsAre("neuron", "neuron-sim", "openvino", "opencv"));
  EXPECT_EQ(device_choices(), "auto, neuron, neuron-sim, openvino or opencv");
}

TEST(Devices, AreWhatHelpNames) {
  const auto* const option = std::ranges::find(kEngineOptions, std::string_view("device"), &EngineOption::name);
  EXPECT_EQ(option->value, fmt::format("auto|{}", fmt::join(names(), "|")));
}

TEST(Devices, DescribeThemselvesByTheirNames) {
  for (const auto& device : devices()) EXPECT_EQ(device->describe().name, device->name());
  const DeviceInfo info = opencv()->describe();
  EXPECT_TRUE(info.available);
  EXPECT_GT(info.cores, 0U);
}

TEST(Devices, OfOtherNamesAreRefusedWithTheChoices) {
  for (const char* name : {"cuda", "auto", ""}) {
    const auto device = find_device(name);
    ASSERT_FALSE(device) << name;
    EXPECT_EQ(device.error().code, Errc::kUsage);
    EXPECT_EQ(device.error().message, std::string("device=") + name + ": must be " + device_choices());
  }
}

TEST(Devices, AreKnownByTheirTraitsNotByTheirNames) {
  EXPECT_TRUE(device_traits("neuron").neuron_cores);
  EXPECT_FALSE(device_traits("neuron").simulated);
  EXPECT_TRUE(device_traits("neuron-sim").neuron_cores);
  EXPECT_TRUE(device_traits("neuron-sim").simulated);
  for (const char* name : {"openvino", "opencv", "cuda"}) {
    EXPECT_FALSE(device_traits(name).neuron_cores) << name;
    EXPECT_FALSE(device_traits(name).simulated) << name;
  }
}

TEST(Devices, OfAProgramAreDevicesToo) {
  const auto first = std::make_shared<test::FakeDevice>(test::FakeOptions{}, "own");
  const auto second = std::make_shared<test::FakeDevice>(test::FakeOptions{}, "own");
  add_device(first);
  EXPECT_EQ(*find_device("own"), first);
  EXPECT_THAT(device_choices(), EndsWith("opencv or own"));
  add_device(second);
  EXPECT_EQ(*find_device("own"), second);
  EXPECT_THAT(names(), ElementsAre("neuron", "neuron-sim", "openvino", "opencv", "own"));
  const auto pretender = std::make_shared<test::FakeDevice>(test::FakeOptions{}, "opencv");
  add_device(pretender);
  EXPECT_NE(opencv(), pretender);
}

#ifdef POSECAM_HAVE_OPENVINO
TEST_F(CpuDevices, AreNotReplacedWhenWhatTheyReadIsDamaged) {
  std::filesystem::resize_file(file_of("openvino"), 100);
  EXPECT_EQ(automatic(), "openvino");
  const auto opened = (*find_device("openvino"))->open(model_, {});
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Errc::kModel);
  EXPECT_THAT(opened.error().message, AllOf(HasSubstr("openvino.onnx: has 100 bytes"), HasSubstr("copy it there")));
  std::filesystem::remove(file_of("openvino"));
  EXPECT_EQ(automatic(), "opencv");
}
#endif

TEST_F(CpuDevices, CanRunWhatTheyHaveWeightsFor) {
  EXPECT_TRUE(opencv()->can(model_));
  std::filesystem::resize_file(file_of("opencv"), 10);
  EXPECT_TRUE(opencv()->can(model_));  // so that its damage is told of
  EXPECT_THAT(opencv()->command_for(model_), HasSubstr("posecam models pull " + model_.path.string()));
  std::filesystem::remove(file_of("opencv"));
  EXPECT_FALSE(opencv()->can(model_));
  model_.weights.clear();
  EXPECT_FALSE(opencv()->can(model_));
}

TEST_F(CpuDevices, OpenWhatTheyHaveWeightsFor) {
  const auto options = opencv()->options_for("0");
  ASSERT_TRUE(options);
  const auto backend = opencv()->open(model_, *options);
  ASSERT_TRUE(backend) << backend.error().message;
  EXPECT_EQ((*backend)->name(), "opencv");
  EXPECT_THAT((*backend)->cores(), ElementsAre(0U));
}

TEST_F(CpuDevices, TakeAnyResolutionAndBatch) {
  const auto as_it_is = opencv()->resolve(model_, {});
  ASSERT_TRUE(as_it_is);
  EXPECT_EQ(as_it_is->input.size, model_.input.size);
  EXPECT_EQ(as_it_is->input.batch, 1);
  const auto wished = opencv()->resolve(model_, {.resolution = NetResolution{-1, 64}, .video = {200, 100}, .batch = 7});
  ASSERT_TRUE(wished);
  EXPECT_EQ(wished->input.size, (Size{128, 64}));
  EXPECT_EQ(wished->input.batch, 7);
  EXPECT_EQ(opencv()->resolve(model_, {.resolution = NetResolution{63, 64}}).error().code, Errc::kUsage);
}

TEST_F(CpuDevices, CountTheCoresOfThisComputer) {
  const auto all = opencv()->options_for("all");
  ASSERT_TRUE(all);
  EXPECT_EQ(all->cores.size(), opencv()->describe().cores);
  EXPECT_EQ(opencv()->options_for("100000").error().code, Errc::kUsage);
}

TEST_F(CpuDevices, KeepCompiledNetworksInTheCacheOfTheUser) {
  ::setenv("XDG_CACHE_HOME", "/somewhere", 1);
  EXPECT_EQ(opencv()->options_for("0")->cache_dir, "/somewhere/posecam/openvino");
  ::setenv("XDG_CACHE_HOME", "relative", 1);
  ::setenv("HOME", "/home/of", 1);
  EXPECT_EQ(opencv()->options_for("0")->cache_dir, "/home/of/.cache/posecam/openvino");
}

TEST_F(CpuDevices, AutoIsTheFirstOneThatCan) {
  EXPECT_EQ(automatic(), kBest);
  std::filesystem::remove(file_of("openvino"));
  EXPECT_EQ(automatic(), "opencv");
  std::erase_if(model_.weights, [](const BackendWeights& weights) { return weights.backend == "openvino"; });
  EXPECT_EQ(automatic(), "opencv");
}

TEST_F(CpuDevices, AutoIsTheFirstOneThatCouldWhereNoneCan) {
  std::filesystem::remove(file_of("openvino"));
  std::filesystem::remove(file_of("opencv"));
  EXPECT_EQ(best_device(model_), nullptr);
  const auto device = choose_device(kAutoDevice, model_);
  ASSERT_TRUE(device);
  EXPECT_EQ((*device)->name(), kBest);
  const auto backend = (*device)->open(model_, {.cores = {0}});
  ASSERT_FALSE(backend);
  EXPECT_EQ(backend.error().code, Errc::kModel);
  EXPECT_THAT(backend.error().message, HasSubstr(std::string(kBest) + ".onnx is published nowhere: copy it there"));
  model_.weights.clear();
  const auto none = choose_device(kAutoDevice, model_);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, Errc::kModel);
  EXPECT_THAT(none.error().message, AllOf(HasSubstr("'tiny-pose'"), HasSubstr("that is built in"), EndsWith("opencv")));
}

/// A slower device in its place would hide what is wrong.
TEST_F(CpuDevices, AutoStaysWithADeviceThatFails) {
  const auto size = std::filesystem::file_size(file_of(kBest));
  std::ofstream(file_of(kBest)) << std::string(size, 'x');
  const auto device = choose_device(kAutoDevice, model_);
  ASSERT_TRUE(device);
  EXPECT_EQ((*device)->name(), kBest);
  const auto backend = (*device)->open(model_, {.cores = {0}});
  ASSERT_FALSE(backend);
  EXPECT_THAT(backend.error().message, HasSubstr("sha256"));
}

TEST_F(CpuDevices, AutoIsNeverASimulatorOrWhatAProgramAdded) {
  add_device(std::make_shared<test::FakeDevice>(test::FakeOptions{}, "own"));
  EXPECT_FALSE((*find_device("neuron-sim"))->is_automatic());
  model_.weights.clear();
  EXPECT_EQ(best_device(model_), nullptr);
}

}  // namespace
}  // namespace posecam
