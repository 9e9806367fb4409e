// posecam compile as a user meets it, and what it made on simulated NeuronCores, with a network of a kilobyte.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/neuron_sim.h"
#include "tests/support/shared.h"
#include "tests/system/posecam_process.h"

namespace posecam::test {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::StartsWith;

const std::string kTinyModel = source_dir() / "tests/data/tiny_pose.json";
constexpr int kFrames = 9;

/// Flat documents with the same keys and texts, and numbers that differ by a hundredth at most.
void expect_near(const nlohmann::json& a, const nlohmann::json& b) {
  EXPECT_EQ(a.size(), b.size());
  for (const auto& [key, value] : b.items()) {
    ASSERT_TRUE(a.contains(key)) << key;
    if (value.is_number()) {
      EXPECT_NEAR(a[key].get<double>(), value.get<double>(), 0.01) << key;
    } else {
      EXPECT_EQ(a[key], value) << key;
    }
  }
}

class Compile : public ::testing::Test {
 protected:
  std::string at(const std::string& name) const { return device_.folder() / name; }
  Outcome posecam(const std::vector<std::string>& args) const { return Posecam(at("data")).run(args); }
  Outcome compile(std::vector<std::string> args) const {
    args.insert(args.begin(), {"compile", kTinyModel});
    return posecam(args);
  }
  void expect_refused(const std::vector<std::string>& args, int code, const std::string& message) const {
    const Outcome outcome = compile(args);
    EXPECT_EQ(outcome.code, code) << outcome.err;
    EXPECT_EQ(std::ranges::count(outcome.err, '\n'), 1) << outcome.err;
    EXPECT_THAT(outcome.err, StartsWith("posecam: "));
    EXPECT_THAT(outcome.err, HasSubstr(message));
    EXPECT_FALSE(fs::exists(at("net"))) << message;
  }
  /// The lines of a test picture's frames, flat, without what differs from run to run.
  std::vector<nlohmann::json> analyse(const std::string& model, const std::string& device) const {
    const Outcome ran =
        posecam({"run", "testsrc", "--max-frames", std::to_string(kFrames), "--model", model, "--device", device,
                 "--precision", "f32", "--threshold", "0.01", "--json-lines", "-", "-q"});
    EXPECT_EQ(ran.code, 0) << ran.err;
    std::vector<nlohmann::json> frames;
    std::istringstream text(ran.out);
    for (std::string line; std::getline(text, line);) {
      frames.push_back(nlohmann::json::parse(line));
      EXPECT_EQ(frames.back()["status"], "analysed");
      for (const char* varies : {"wallclock", "latency_ms"}) frames.back().erase(varies);
      frames.back() = frames.back().flatten();
    }
    return frames;
  }

  SimDevice device_{R"({"cores": 3})"};
};

TEST_F(Compile, MakesWhatNeuronSimRunsLikeTheCpu) {
  const Outcome made = compile({"--target", "sim", "--batch", "4,1,4", "--out", at("net")});
  ASSERT_EQ(made.code, 0) << made.err;
  const std::string descriptor = at("net/neuron-sim.json");
  EXPECT_THAT(made.out, StartsWith(descriptor + "\n"));
  EXPECT_THAT(made.out, HasSubstr("--device neuron-sim"));
  for (const char* file : {"net/tiny-pose-sim-b1.neff", "net/tiny-pose-sim-b4.neff"}) EXPECT_TRUE(fs::exists(at(file)));
  const auto frames = analyse(descriptor, "neuron-sim");
  EXPECT_EQ(frames.size(), static_cast<std::size_t>(kFrames));
  const auto truth = analyse(kTinyModel, "opencv");
  ASSERT_EQ(frames.size(), truth.size());
  for (std::size_t i = 0; i < truth.size(); ++i) expect_near(frames[i], truth[i]);
}

TEST_F(Compile, LeavesTheModelInTheStoreWhereItsNameFindsIt) {
  const Outcome made =
      Posecam(at("data")).run({"compile", "openpose-lite", "--target", "sim", "--net-resolution", "128x72"});
  ASSERT_EQ(made.code, 0) << made.err;
  EXPECT_TRUE(fs::exists(at("data/posecam/models/openpose-lite/neuron-sim.json"))) << made.out;
  EXPECT_EQ(analyse("openpose-lite", "neuron-sim").size(), static_cast<std::size_t>(kFrames));
  const Outcome other = posecam({"run", "testsrc", "--model", "openpose-lite", "--device", "neuron-sim",
                                 "--net-resolution", "456x256", "--max-frames", "1"});
  EXPECT_EQ(other.code, 2);
  EXPECT_THAT(other.err, HasSubstr("posecam compile openpose-lite --target sim --net-resolution 456x256"));
}

TEST_F(Compile, RunsTheVeryFilesBesideADescriptorThatIsNamed) {
  ASSERT_EQ(compile({"--target", "sim"}).code, 0);  // into the store, names and sizes as there
  const Outcome made = compile({"--target", "sim", "--cast", "bf16", "--out", at("net")});
  ASSERT_EQ(made.code, 0) << made.err;
  EXPECT_EQ(analyse(at("net/neuron-sim.json"), "neuron-sim").size(), static_cast<std::size_t>(kFrames));
}

/// The compilers of real devices are driven by a Python tool, which is here replaced by one that says what it was
/// given.
TEST_F(Compile, HandsOverToThePythonToolForRealDevices) {
  const Variable python("POSECAM_PYTHON", "echo");
  const Outcome said =
      compile({"--target", "trn2", "--batch", "1,4", "--cores-per-model", "1", "--out", at("net"), "--dry-run"});
  EXPECT_EQ(said.code, 0) << said.err;
  EXPECT_THAT(said.out, HasSubstr("-m compile --descriptor " + kTinyModel));
  EXPECT_THAT(said.out, HasSubstr("--target trn2 --batch 1,4 --out " + at("net") + " --cores-per-model 1 --dry-run"));
  EXPECT_TRUE(fs::exists(fs::path(POSECAM_BUILD_DIR) / "share/posecam/python/compile/__main__.py"));
  const Variable none("POSECAM_PYTHON", at("no-python"));
  const Outcome missing = compile({"--target", "trn2", "--out", at("net")});
  EXPECT_EQ(missing.code, 4);
  EXPECT_THAT(missing.err, HasSubstr("POSECAM_PYTHON"));
}

TEST_F(Compile, SaysHowToCompileAModelThatIsNot) {
  const Outcome ran =
      posecam({"run", "testsrc", "--model", "openpose-lite", "--device", "neuron", "--max-frames", "1"});
  EXPECT_EQ(ran.code, 3) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("posecam compile openpose-lite --target inf2"));
}

TEST_F(Compile, HappensByItselfForTheSimulatorWithALine) {
  const Variable cache("XDG_CACHE_HOME", at("cache"));
  const std::string line = "posecam: model tiny-pose: not compiled for device neuron-sim yet: compiling it ";
  for (const bool first : {true, false}) {
    const Outcome ran =
        posecam({"run", "testsrc", "--model", kTinyModel, "--device", "neuron-sim", "--max-frames", "1"});
    EXPECT_EQ(ran.code, 0) << ran.err;
    EXPECT_EQ(ran.err.find(line) != std::string::npos, first) << ran.err;
  }
}

TEST_F(Compile, OnlyPlansWithDryRun) {
  const Outcome plan = compile({"--target", "sim", "--batch", "1,8", "--dry-run", "--out", at("net")});
  EXPECT_EQ(plan.code, 0) << plan.err;
  EXPECT_THAT(plan.out, HasSubstr("1, 8"));
  EXPECT_FALSE(fs::exists(at("net")));
}

TEST_F(Compile, RefusesBadUsageInOneLine) {
  const std::string net = at("net");
  expect_refused({"--out", net}, 2, "--target");
  expect_refused({"--target", "gpu", "--out", net}, 2, "gpu");
  expect_refused({"--target", "sim", "--batch", "0", "--out", net}, 2, "--batch");
  expect_refused({"--target", "sim", "--batch", "two", "--out", net}, 2, "--batch");
  expect_refused({"--target", "sim", "--time", "sometimes", "--out", net}, 2, "sometimes");
  expect_refused({"--target", "sim", "--no-fuse", "Conv_1", "--out", net}, 2, "--no-fuse");
  expect_refused({"--target", "sim", "--net-resolution", "5by5", "--out", net}, 2, "5by5");
  expect_refused({"--target", "inf2", "--time", "openpose", "--out", net}, 2, "--time");
}

TEST_F(Compile, LeavesNothingBehindInAFolderThatCannotBe) {
  std::ofstream(at("file")) << "in the way";
  const Outcome made = compile({"--target", "sim", "--out", at("file/net")});
  EXPECT_EQ(made.code, 5) << made.err;
  EXPECT_THAT(made.err, HasSubstr("file/net"));
}

}  // namespace
}  // namespace posecam::test
