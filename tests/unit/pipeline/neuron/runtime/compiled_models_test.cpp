// From a model's name to what was compiled of it, and from there to an engine.

#include "pipeline/neuron/runtime/compiled_models.h"

#include <filesystem>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "models/core/sha256.h"
#include "pipeline/settings/engine_settings.h"
#include "tests/unit/pipeline/neuron/runtime/tiny.h"

namespace posecam {
namespace {

using test::SimDevice;
using test::Variable;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// A store of the test's own, with openpose-lite compiled as `posecam compile` does it.
class CompiledModels : public ::testing::Test {
 protected:
  void compile(const std::string& target, std::vector<std::uint32_t> batches) {
    auto spec = find_model_json();
    const auto folder = device_.folder() / "posecam/models/openpose-lite";
    std::filesystem::create_directories(folder);
    auto files = nlohmann::json::array();
    ModelSpec compiled = *ModelSpec::parse(spec.dump(), "x.json");
    std::vector<Shape> shapes;
    const auto& paf = std::get<PafDecoder>(compiled.decoder);
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
};

TEST_F(CompiledModels, AreMissingWithTheCommandThatMakesThem) {
  const auto spec = resolve_model(settings(), kUnknownVideo);
  ASSERT_FALSE(spec);
  EXPECT_EQ(spec.error().code, Errc::kModel);
  EXPECT_THAT(spec.error().message, HasSubstr("posecam compile openpose-lite --target sim"));
}

TEST_F(CompiledModels, AreFoundByTheNameOfTheModelAndRun) {
  compile("sim", {1, 4});
  EXPECT_THAT(compiled_targets("openpose-lite", "neuron-sim"), ElementsAre("sim"));
  const auto engine = make_engine(settings(), kUnknownVideo);
  ASSERT_TRUE(engine) << engine.error().message;
  EXPECT_EQ((*engine)->backend_name(), "neuron-sim");
  EXPECT_EQ((*engine)->model().input.batch, 4);
  EXPECT_EQ((*engine)->stats().cores, 2U);
}

TEST_F(CompiledModels, AreTheDefaultModelWhereTheBetterOneIsNotCompiled) {
  EXPECT_EQ(default_model("neuron-sim").name, "openpose-lite");
  EXPECT_THAT(default_model("neuron-sim").note, HasSubstr("posecam compile openpose --target sim"));
}

TEST_F(CompiledModels, AreTheDefaultOfAutoWhereThereIsADevice) {
  const auto folder = device_.folder() / "posecam/models/openpose";
  std::filesystem::create_directories(folder);
  test::write_file(folder / "neuron-inf2.json", "{}");
  EXPECT_EQ(default_model("auto").name, "openpose-lite");
  const pid_t child = ::fork();
  if (child == 0) {
    // A machine with a device, for this process alone, which only root can make.
    if (::unshare(CLONE_NEWNS) != 0 || ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) ::_exit(2);
    if (::mount("none", "/dev", "tmpfs", 0, nullptr) != 0) ::_exit(2);
    test::write_file("/dev/neuron0", "");
    ::_exit(default_model("auto").name == "openpose" ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  if (WEXITSTATUS(status) == 2) GTEST_SKIP() << "not root: no /dev of our own";
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST_F(CompiledModels, TakeTheLargestBatchThatTheSizeAllows) {
  compile("sim", {2, 4, 16});
  EXPECT_EQ(resolve_model(settings(), kUnknownVideo)->input.batch, 16);
  EXPECT_EQ(resolve_model(settings(7), kUnknownVideo)->input.batch, 4);
  EXPECT_EQ(resolve_model(settings(100), kUnknownVideo)->input.batch, 16);
  const auto none = resolve_model(settings(1), kUnknownVideo);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, Errc::kUsage);
  EXPECT_THAT(none.error().message, AllOf(HasSubstr("compiled for 2, 4, 16"), HasSubstr("--batch 1")));
  EngineSettings fixed = settings(7);
  fixed.dynamic_batch_size = false;
  EXPECT_EQ(resolve_model(fixed, kUnknownVideo).error().code, Errc::kUsage);
  fixed.batch_size = 2;
  EXPECT_EQ(resolve_model(fixed, kUnknownVideo)->input.batch, 2);
}

TEST_F(CompiledModels, HaveOneResolution) {
  compile("sim", {1});
  EngineSettings s = settings();
  s.net_resolution = "128x64";
  EXPECT_TRUE(resolve_model(s, kUnknownVideo));
  s.net_resolution = "-1x64";
  EXPECT_TRUE(resolve_model(s, {1280, 640}));
  s.net_resolution = "456x256";
  const auto other = resolve_model(s, kUnknownVideo);
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, Errc::kUsage);
  EXPECT_THAT(other.error().message, HasSubstr("posecam compile openpose-lite --target sim --net-resolution 456x256"));
}

TEST_F(CompiledModels, ForTheSimulatorAreNotForRealDevices) {
  compile("sim", {1});
  EngineSettings s = settings();
  s.device = "neuron";
  const auto spec = resolve_model(s, kUnknownVideo);
  ASSERT_FALSE(spec);
  EXPECT_THAT(spec.error().message, HasSubstr("--target inf2"));
  compile("trn1", {1});
  EXPECT_EQ(resolve_model(s, kUnknownVideo)->weights_for("neuron")->target, "trn1");
  compile("inf2", {1});
  EXPECT_THAT(resolve_model(s, kUnknownVideo).error().message, HasSubstr("compiled for inf2, trn1"));
}

TEST_F(CompiledModels, GivenByPathMustBeForTheDevice) {
  compile("inf2", {1});
  EngineSettings s = settings();
  s.model = (device_.folder() / "posecam/models/openpose-lite/neuron-inf2.json").string();
  const auto spec = resolve_model(s, kUnknownVideo);
  ASSERT_FALSE(spec);
  EXPECT_EQ(spec.error().code, Errc::kModel);
  EXPECT_THAT(spec.error().message, AllOf(HasSubstr("compiled for inf2"), HasSubstr("device neuron-sim"),
                                          HasSubstr("posecam compile openpose-lite --target sim")));
  s.device = "neuron";
  EXPECT_TRUE(resolve_model(s, kUnknownVideo));
  compile("sim", {1});
  s.model = (device_.folder() / "posecam/models/openpose-lite/neuron-sim.json").string();
  EXPECT_FALSE(resolve_model(s, kUnknownVideo));
  const Variable library("POSECAM_NRT_LIBRARY", "libnrt.so.1");
  EXPECT_TRUE(resolve_model(s, kUnknownVideo));
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
  const auto engine = make_engine(settings(), kUnknownVideo);
  ASSERT_FALSE(engine);
  EXPECT_EQ(engine.error().code, Errc::kModel);
  EXPECT_THAT(engine.error().message, HasSubstr("posecam compile openpose-lite --target sim"));
}

TEST_F(CompiledModels, LeaveCoresThatDoNotExistToTheDevice) {
  compile("sim", {1});
  EngineSettings s = settings();
  s.cores = "1";
  EXPECT_TRUE(make_engine(s, kUnknownVideo));
  s.cores = "2";
  const auto engine = make_engine(s, kUnknownVideo);
  ASSERT_FALSE(engine);
  EXPECT_EQ(engine.error().code, Errc::kUsage);
}

}  // namespace
}  // namespace posecam
