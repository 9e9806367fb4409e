// posecam compile as a user meets it, and what it made on simulated NeuronCores, with a network of a kilobyte.

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/temp_dir.h"
#include "tests/system/compile_fixture.h"

namespace posecam::test {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

TEST_F(Compile, MakesWhatNeuronSimRunsLikeTheCpu) {
  const Outcome made = compile({"--target", "sim", "--batch", "4,1,4", "--out", at("net")});
  ASSERT_EQ(made.code, 0) << made.err;
  const std::string descriptor = at("net/neuron-sim.json");
  EXPECT_THAT(made.out, StartsWith(descriptor + "\n"));
  EXPECT_THAT(made.out, HasSubstr("--device neuron-sim"));
  for (const char* file : {"net/tiny-pose-sim-b1.neff", "net/tiny-pose-sim-b4.neff"}) EXPECT_TRUE(fs::exists(at(file)));
  expect_same_frames(analyse(descriptor, "neuron-sim"), analyse(kTinyModel, "opencv"));
}

TEST_F(Compile, StartsFromIrWhoseDescriptorSaysNoSums) {
#ifndef POSECAM_HAVE_OPENVINO
  GTEST_SKIP() << "built without OpenVINO";
#endif
  auto json = nlohmann::json::parse(read_file(kTinyModel));
  json["weights"] = {{"compile", {{"precision", "f16"}, {"files", {{{"name", "net.xml"}}, {{"name", "net.bin"}}}}}}};
  write_file(at("ir/ir.json"), json.dump());
  for (const std::string end : {".xml", ".bin"}) {
    write_file(at("ir/net" + end), read_file(source_dir() / ("tests/data/tiny_pose" + end)));
  }
  const Outcome made = posecam({"compile", at("ir/ir.json"), "--target", "sim", "--batch", "1,4", "--out", at("net")});
  ASSERT_EQ(made.code, 0) << made.err;
  expect_same_frames(analyse(at("net/neuron-sim.json"), "neuron-sim"), analyse(kTinyModel, "opencv"));
}

TEST_F(Compile, BringsThePublicWeightsToFourCoresWhereTheyFindTheSamePeople) {
  POSECAM_NEEDS_SHARED("models/human-pose-estimation-0001/human-pose-estimation-0001.xml");
  POSECAM_NEEDS_SHARED("media/pexels_yoga_360.mp4");
#ifndef POSECAM_HAVE_OPENVINO
  GTEST_SKIP() << "built without OpenVINO";
#endif
  for (const std::string end : {".xml", ".bin"}) {  // what has an address, and is in the mirror
    const std::string name = "human-pose-estimation-0001" + end;
    write_file(at("data/posecam/models/openpose/" + name),
               read_file(shared_dir() / "models/human-pose-estimation-0001" / name));
  }
  const SimDevice four(R"({"cores": 4})");
  const Outcome made = posecam({"compile", "openpose", "--target", "sim", "--batch", "1,4"});
  ASSERT_EQ(made.code, 0) << made.err;
  const auto find = [&](const std::string& device) {
    return frames_of({"run", (shared_dir() / "media/pexels_yoga_360.mp4").string(), "--max-frames", "6", "--model",
                      "openpose", "--device", device, "--precision", "f32", "--json-lines", "-", "-q"});
  };
  const auto found = find("neuron-sim");
  const auto truth = find("openvino");
  ASSERT_EQ(found.size(), 6U);
  ASSERT_EQ(truth.size(), found.size());
  for (std::size_t i = 0; i < truth.size(); ++i) {
    expect_near(found[i], truth[i]);
    EXPECT_TRUE(truth[i].contains("/people/0/score")) << truth[i];
  }
}

TEST_F(Compile, NeverAdvisesToPullWhatHasNoAddress) {
  const Outcome opencv = posecam({"run", "testsrc", "--model", "openpose", "--device", "opencv", "--max-frames", "1"});
  EXPECT_EQ(opencv.code, 3) << opencv.err;
  EXPECT_THAT(opencv.err, HasSubstr("human-pose-estimation-0001-fp32.onnx is published nowhere"));
  EXPECT_THAT(opencv.err, Not(HasSubstr("run: posecam models pull")));
  std::vector<std::string> targets{"inf2"};
#ifdef POSECAM_HAVE_OPENVINO
  targets.emplace_back("sim");  // which else takes ONNX only
#endif
  for (const std::string& target : targets) {
    const Outcome compiled = posecam({"compile", "openpose", "--target", target});
    EXPECT_EQ(compiled.code, 3) << compiled.err;
    EXPECT_THAT(compiled.err, HasSubstr("its weights for compile are not in "));
    EXPECT_THAT(compiled.err, HasSubstr("run: posecam models pull openpose"));
  }
}

TEST_F(Compile, SaysHowAModelOfOnesOwnIsRun) {
  const Outcome made = Posecam(at("data")).run({"compile", kTinyModel, "--target", "sim"});
  ASSERT_EQ(made.code, 0) << made.err;
  EXPECT_THAT(made.out, HasSubstr("--model " + std::string(kTinyModel) + " --device neuron-sim"));
  EXPECT_EQ(analyse(kTinyModel, "neuron-sim").size(), static_cast<std::size_t>(kFrames));
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
  EXPECT_THAT(said.out, HasSubstr("python/compile/start.py --descriptor " + kTinyModel));
  EXPECT_THAT(said.out, HasSubstr("--target trn2 --batch 1,4 --out " + at("net") + " --cores-per-model 1 --dry-run"));
  EXPECT_TRUE(fs::exists(fs::path(POSECAM_BUILD_DIR) / "share/posecam/python/compile/__main__.py"));
  const Outcome fast =
      compile({"--target", "inf2", "--batch", "1,4", "--enable-fast-context-switch", "--out", at("net")});
  EXPECT_THAT(fast.out, HasSubstr("--enable-fast-context-switch")) << fast.err;
  const Variable none("POSECAM_PYTHON", at("no-python"));
  const Outcome missing = compile({"--target", "trn2", "--out", at("net")});
  EXPECT_EQ(missing.code, 4);
  EXPECT_THAT(missing.err, HasSubstr("POSECAM_PYTHON"));
}

TEST_F(Compile, LeavesTheEnvironmentOfThePythonToolAlone) {
  write_file(at("python"), "#!/bin/sh\nenv\n");
  fs::permissions(at("python"), fs::perms::owner_all);
  const Variable python("POSECAM_PYTHON", at("python"));
  for (const char* name : {"PYTHONPATH", "PYTHONSAFEPATH", "JAX_PLATFORMS"}) {
    const Variable unset(name, std::nullopt);
    EXPECT_THAT(compile({"--target", "inf2", "--out", at("net")}).out, Not(HasSubstr(name)));
    const Variable own(name, "of-the-user");
    EXPECT_THAT(compile({"--target", "inf2", "--out", at("net")}).out, HasSubstr(std::string(name) + "=of-the-user\n"));
  }
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
  expect_refused({"--target", "inf2", "--enable-fast-context-switch", "--out", net}, 2, "several batches");
  expect_refused({"--target", "sim", "--batch", "1,4", "--enable-fast-context-switch", "--out", net}, 2, "inf2");
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
