// From a model's name to what was compiled of it, and from there to an engine.

#include "pipeline/neuron/runtime/compiled_models.h"

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "models/core/sha256.h"
#include "models/spec/zoo.h"
#include "pipeline/devices/devices.h"
#include "pipeline/neuron/runtime/neuron_device.h"
#include "pipeline/settings/engine_plan.h"
#include "pipeline/settings/engine_settings.h"
#include "postprocess/decode/decoders.h"
#include "postprocess/decode/paf/paf.h"
#include "tests/support/decoder_of.h"
#include "tests/unit/pipeline/neuron/runtime/tiny.h"

namespace posecam {
namespace {

using test::SimDevice;
using test::Variable;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

Result<ModelSpec> planned_model(const EngineSettings& settings, Size video) {
  auto plan = plan_engine(settings, video);
  if (!plan) return plan.error();
  return std::move(plan->model);
}

Result<std::shared_ptr<Engine>> started(const EngineSettings& settings) {
  auto plan = plan_engine(settings, kUnknownVideo);
  if (!plan) return plan.error();
  return make_engine(std::move(*plan));
}

constexpr const char* kDevice = "/dev/neuron0";
constexpr const char* kProduct = "/sys/devices/virtual/dmi/id/product_name";

/// Whether `holds` in a process of its own on a machine with such a file alone in its folder, which only root can make;
/// nothing if it cannot be made.
std::optional<bool> on_a_machine_with(const std::filesystem::path& file, const std::string& content,
                                      const std::function<bool()>& holds) {
  constexpr int kNotRoot = 2;
  const pid_t child = ::fork();
  if (child == 0) {
    if (::unshare(CLONE_NEWNS) != 0 || ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
      ::_exit(kNotRoot);
    }
    std::filesystem::path there = file.parent_path();
    while (!std::filesystem::exists(there)) there = there.parent_path();
    if (::mount("none", there.c_str(), "tmpfs", 0, nullptr) != 0) ::_exit(kNotRoot);
    std::filesystem::create_directories(file.parent_path());
    test::write_file(file, content);
    ::_exit(holds() ? 0 : 1);
  }
  int status = 0;
  const bool ended = ::waitpid(child, &status, 0) == child && WIFEXITED(status);
  if (ended && WEXITSTATUS(status) == kNotRoot) return {};
  return ended && WEXITSTATUS(status) == 0;
}

std::optional<bool> with_a_neuron_device(const std::function<bool()>& holds) {
  return on_a_machine_with(kDevice, "", holds);
}

/// A store of the test's own, with openpose-lite compiled as `posecam compile` does it.
class CompiledModels : public ::testing::Test {
 protected:
  void compile(const std::string& target, std::vector<std::uint32_t> batches) {
    auto spec = find_model_json();
    const auto folder = device_.folder() / "posecam/models/openpose-lite";
    std::filesystem::create_directories(folder);
    auto files = nlohmann::json::array();
    ModelSpec compiled = *ModelSpec::parse(spec.dump(), "x.json", decoders());
    std::vector<Shape> shapes;
    const auto& paf = test::decoder_of<PafDecoder>(compiled);
    for (const std::string& name : compiled.outputs) {
      const bool both = paf.heatmaps.output == paf.pafs.output;
      shapes.push_back({1, both ? 57 : name == paf.heatmaps.output ? 19 : 38, 8, 16});
    }
    test::compile_for_sim(compiled, test::source_dir() / "models/zoo/openpose-lite/openpose-lite.onnx", shapes, folder,
                          {.batches = std::move(batches)});
    for (const WeightFile& file : compiled.weights_for("neuron")->files) {
      files.push_back({{"name", file.name},
                       {"batch", file.batch},
                       {"bytes", file.bytes},
                       {"sha256", *sha256_of(folder / file.name)}});
    }
    spec["weights"] = {{"neuron", {{"target", target}, {"precision", "bf16"}, {"files", files}}}};
    spec["inputs"][0].erase("multiple_of");
    test::write_file(folder / fmt::format("neuron-{}.json", target), spec.dump());
  }

  /// The zoo's descriptor at 128x64.
  static nlohmann::json find_model_json() {
    auto spec = nlohmann::json::parse(test::read_file(test::source_dir() / "models/zoo/openpose-lite.json"));
    spec["inputs"][0]["size"] = {{"width", 128}, {"height", 64}};
    return spec;
  }
  static EngineSettings settings(std::uint32_t batch = 0) {
    EngineSettings s;
    s.model = "openpose-lite";
    s.device = "neuron-sim";
    s.batch_size = batch;
    return s;
  }

  SimDevice device_;
  Variable store_{"XDG_DATA_HOME", device_.folder().string()};
  Variable cache_{"XDG_CACHE_HOME", (device_.folder() / "cache").string()};
};

TEST_F(CompiledModels, AreMissingWithTheCommandThatMakesThem) {
  EngineSettings s = settings();
  s.device = "neuron";
  const auto spec = planned_model(s, kUnknownVideo);
  ASSERT_FALSE(spec);
  EXPECT_EQ(spec.error().code, Errc::kModel);
  EXPECT_THAT(spec.error().message, HasSubstr("posecam compile openpose-lite --target inf2"));
}

TEST_F(CompiledModels, AreFoundByTheNameOfTheModelAndRun) {
  compile("sim", {1, 4});
  EXPECT_THAT(compiled_targets("openpose-lite", "neuron-sim"), ElementsAre("sim"));
  const auto engine = started(settings());
  ASSERT_TRUE(engine) << engine.error().message;
  EXPECT_EQ((*engine)->backend_name(), "neuron-sim");
  EXPECT_EQ((*engine)->model().input.batch, 4);
  EXPECT_EQ((*engine)->stats().cores, 2U);
}

TEST_F(CompiledModels, AreTheDefaultModelWhereTheBetterOneIsNotCompiled) {
  EXPECT_EQ(default_model("neuron-sim").name, "openpose-lite");
  EXPECT_THAT(default_model("neuron-sim").note, HasSubstr("posecam models pull openpose"));
}

TEST_F(CompiledModels, AreTheDefaultOfAutoWhereThereIsADevice) {
  const auto folder = device_.folder() / "posecam/models/openpose";
  std::filesystem::create_directories(folder);
  test::write_file(folder / "neuron-inf2.json", "{}");
  EXPECT_EQ(default_model("auto").name, "openpose-lite");
  const auto chosen = with_a_neuron_device([] { return default_model("auto").name == "openpose"; });
  if (!chosen) GTEST_SKIP() << "not root: no /dev of our own";
  EXPECT_TRUE(*chosen);
}

TEST_F(CompiledModels, AreWhatAutoRunsWhereThereIsADevice) {
  EngineSettings s = settings();
  s.device = "auto";
  const auto device_of = [](const EngineSettings& settings) {
    const auto plan = plan_engine(settings, kUnknownVideo);
    return plan ? plan->device->name() : plan.error().message;
  };
  EXPECT_NE(device_of(s), "neuron");
  const auto before = with_a_neuron_device([&] { return device_of(s) != "neuron"; });
  if (!before) GTEST_SKIP() << "not root: no /dev of our own";
  EXPECT_TRUE(*before) << "chosen without a compiled model";
  compile("inf2", {1});
  EXPECT_NE(device_of(s), "neuron") << "chosen without a device";
  EXPECT_EQ(with_a_neuron_device([&] { return device_of(s) == "neuron"; }), true);
  s.net_resolution = "456x256";  // it stays neuron: on the CPU it would be slow in silence
  EXPECT_EQ(with_a_neuron_device([&] { return device_of(s).find("is compiled for 128x64") != std::string::npos; }),
            true);
}

TEST_F(CompiledModels, AreWhatADeviceCanRun) {
  const auto original = ModelSpec::parse(find_model_json().dump(), "x.json", decoders());
  ASSERT_TRUE(original);
  const auto real = make_neuron_device();
  const auto simulator = make_neuron_simulator();
  EXPECT_FALSE(real->can(*original));
  EXPECT_FALSE(simulator->can(*original));
  compile("sim", {1});
  EXPECT_FALSE(real->can(*original));
  EXPECT_TRUE(simulator->can(*original));
  compile("trn2", {1});
  EXPECT_TRUE(real->can(*original));
  const auto compiled = simulator->resolve(*original, {});
  ASSERT_TRUE(compiled);
  EXPECT_TRUE(simulator->can(*compiled));
  EXPECT_FALSE(real->can(*compiled));
}

TEST_F(CompiledModels, AreOnDevicesThatAreNeverAutomaticWhenSimulated) {
  const auto simulator = make_neuron_simulator();
  EXPECT_TRUE(simulator->traits().neuron_cores);
  EXPECT_TRUE(simulator->traits().simulated);
  EXPECT_FALSE(make_neuron_device()->traits().simulated);
  const auto automatic =
      with_a_neuron_device([&] { return make_neuron_device()->is_automatic() && !simulator->is_automatic(); });
  if (!automatic) GTEST_SKIP() << "not root: no /dev of our own";
  EXPECT_TRUE(*automatic);
}

TEST_F(CompiledModels, AreRunOnAnyDeviceThatAContainerIsGiven) {
  const auto device = make_neuron_device();
  const auto twelfth = on_a_machine_with("/dev/neuron12", "", [&] { return device->is_automatic(); });
  if (!twelfth) GTEST_SKIP() << "not root: no /dev of our own";
  EXPECT_TRUE(*twelfth);
  for (const char* other : {"/dev/neuron", "/dev/neuron_dma", "/dev/neuron1a", "/dev/xneuron0"}) {
    EXPECT_EQ(on_a_machine_with(other, "", [&] { return !device->is_automatic(); }), true) << other;
  }
}

TEST_F(CompiledModels, ThatAutoMissesAreNamedWhereThereIsADevice) {
  const auto original = find_model("openpose-lite");
  ASSERT_TRUE(original);
  const auto cpu = find_device("opencv");
  EXPECT_EQ(passed_over(**cpu, *original), "") << "no such hardware";
  const auto says = [&](const std::string& words) {
    return passed_over(**cpu, *original).find(words) != std::string::npos;
  };
  const auto missing = with_a_neuron_device([&] {
    return says("neuron: model 'openpose-lite' is not compiled") &&
           says("posecam compile openpose-lite --target inf2") && says("aws-neuronx-runtime-lib");
  });
  if (!missing) GTEST_SKIP() << "not root: no /dev of our own";
  EXPECT_TRUE(*missing);
  compile("inf2", {1});
  EXPECT_EQ(with_a_neuron_device([&] { return passed_over(**cpu, *original).empty(); }), true) << "named on purpose";
  const auto driverless = on_a_machine_with(kProduct, "inf2.xlarge", [&] {
    return says("neuron: this machine (inf2.xlarge) shows no /dev/neuron*") && says("aws-neuronx-dkms");
  });
  EXPECT_EQ(driverless, true);
}

TEST_F(CompiledModels, OfTheSimulatorRunOnlyWhereItIsNamed) {
  compile("sim", {1});
  const auto original = find_model("openpose-lite");
  ASSERT_TRUE(original);
  EXPECT_TRUE((*find_device("neuron-sim"))->can(*original));
  const auto best = best_device(*original);
  EXPECT_TRUE(!best || best->name() != "neuron-sim");
}

TEST_F(CompiledModels, RunInWholeBatchesIfAskedTo) {
  compile("sim", {2});
  EngineSettings s = settings();
  EXPECT_EQ(plan_engine(s, kUnknownVideo)->engine.max_batch_delay.count(), 5);
  s.dynamic_batch_size = false;
  const auto plan = plan_engine(s, kUnknownVideo);
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->engine.max_batch_delay, kUntilFull);
  EXPECT_FALSE(plan->backend.dynamic_batch_size);
}

TEST_F(CompiledModels, TakeTheLargestBatchThatTheSizeAllows) {
  compile("sim", {2, 4, 16});
  EXPECT_EQ(planned_model(settings(), kUnknownVideo)->input.batch, 16);
  EXPECT_EQ(planned_model(settings(7), kUnknownVideo)->input.batch, 4);
  EXPECT_EQ(planned_model(settings(100), kUnknownVideo)->input.batch, 16);
  const auto none = planned_model(settings(1), kUnknownVideo);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, Errc::kUsage);
  EXPECT_THAT(none.error().message, AllOf(HasSubstr("compiled for 2, 4, 16"), HasSubstr("--batch 1,2,4,16")));
  EngineSettings fixed = settings(7);
  fixed.dynamic_batch_size = false;
  EXPECT_EQ(planned_model(fixed, kUnknownVideo).error().code, Errc::kUsage);
  fixed.batch_size = 2;
  EXPECT_EQ(planned_model(fixed, kUnknownVideo)->input.batch, 2);
}

TEST_F(CompiledModels, HaveOneResolution) {
  compile("sim", {1});
  EngineSettings s = settings();
  s.net_resolution = "128x64";
  EXPECT_TRUE(planned_model(s, kUnknownVideo));
  s.net_resolution = "-1x64";
  EXPECT_TRUE(planned_model(s, {1280, 640}));
  s.net_resolution = "456x256";
  const auto other = planned_model(s, kUnknownVideo);
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, Errc::kUsage);
  EXPECT_EQ(other.error().message,
            "net-resolution=456x256: model 'openpose-lite' is compiled for 128x64; for another size run: "
            "posecam compile openpose-lite --target sim --net-resolution 456x256");
}

TEST_F(CompiledModels, ForTheSimulatorAreNotForRealDevices) {
  compile("sim", {1});
  EngineSettings s = settings();
  s.device = "neuron";
  const auto spec = planned_model(s, kUnknownVideo);
  ASSERT_FALSE(spec);
  EXPECT_THAT(spec.error().message, HasSubstr("--target inf2"));
  compile("trn1", {1});
  EXPECT_EQ(planned_model(s, kUnknownVideo)->weights_for("neuron")->target, "trn1");
  compile("inf2", {1});
  EXPECT_THAT(planned_model(s, kUnknownVideo).error().message, HasSubstr("compiled for inf2, trn1"));
}

TEST_F(CompiledModels, GivenByPathMustBeForTheDevice) {
  compile("inf2", {1});
  EngineSettings s = settings();
  s.model = (device_.folder() / "posecam/models/openpose-lite/neuron-inf2.json").string();
  const auto spec = planned_model(s, kUnknownVideo);
  ASSERT_FALSE(spec);
  EXPECT_EQ(spec.error().code, Errc::kModel);
  EXPECT_THAT(spec.error().message, AllOf(HasSubstr("compiled for inf2"), HasSubstr("device neuron-sim"),
                                          HasSubstr("posecam compile openpose-lite --target sim")));
  s.device = "neuron";
  EXPECT_TRUE(planned_model(s, kUnknownVideo));
  compile("sim", {1});
  s.model = (device_.folder() / "posecam/models/openpose-lite/neuron-sim.json").string();
  EXPECT_FALSE(planned_model(s, kUnknownVideo));
  const Variable library("POSECAM_NRT_LIBRARY", "libnrt.so.1");
  EXPECT_TRUE(planned_model(s, kUnknownVideo));
}

TEST(CompiledTargets, RunOnMachinesOfTheirFamily) {
  const Variable library("POSECAM_NRT_LIBRARY", std::nullopt);
  EXPECT_TRUE(runs_target("neuron", "trn1", "trn1n.32xlarge"));
  EXPECT_TRUE(runs_target("neuron", "trn2", "trn2u.48xlarge"));
  EXPECT_TRUE(runs_target("neuron", "trn1", "inf2.xlarge"));  // the same cores
  EXPECT_FALSE(runs_target("neuron", "trn2", "inf2.xlarge"));
  EXPECT_FALSE(runs_target("neuron", "inf1", "inf2.xlarge"));
  EXPECT_TRUE(runs_target("neuron", "inf1", "Standard PC"));
  EXPECT_FALSE(runs_target("neuron", "sim", "inf2.xlarge"));
  EXPECT_TRUE(runs_target("neuron-sim", "sim", "inf2.xlarge"));
  EXPECT_FALSE(runs_target("neuron-sim", "inf2", "inf2.xlarge"));
}

TEST_F(CompiledModels, ThatWereDamagedAreCompiledAgain) {
  compile("sim", {1});
  test::write_file(device_.folder() / "posecam/models/openpose-lite/openpose-lite-b1.neff", "short");
  const auto engine = started(settings());
  ASSERT_FALSE(engine);
  EXPECT_EQ(engine.error().code, Errc::kModel);
  EXPECT_THAT(engine.error().message, HasSubstr("posecam compile openpose-lite --target sim"));
}

TEST_F(CompiledModels, LeaveCoresThatDoNotExistToTheDevice) {
  compile("sim", {1});
  EngineSettings s = settings();
  s.cores = "1";
  EXPECT_TRUE(started(s));
  s.cores = "2";
  const auto engine = started(s);
  ASSERT_FALSE(engine);
  EXPECT_EQ(engine.error().code, Errc::kUsage);
}

}  // namespace
}  // namespace posecam
