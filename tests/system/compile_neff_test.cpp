// posecam compile --neff, with a look-alike of what torch_neuronx.trace leaves: tensors called input0, output0,
// output1..., four outputs of which the last two are meant. From the file to skeletons.

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

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class CompileNeff : public Compile {
 protected:
  /// traced_pose.onnx with its outputs from `first` to `last`.
  std::string traced(const std::string& name, std::uint32_t batch, std::size_t first = 0, std::size_t last = 3) const {
    const std::string network = read_file(source_dir() / "tests/data/traced_pose.onnx");
    SimProgram program;
    program.batch = batch;
    program.inputs = {{"input0", DType::kF32, {batch, 3, 32, 64}}};
    for (std::size_t i = first; i <= last; ++i) {
      program.outputs.push_back({"output" + std::to_string(i), DType::kF32, {batch, i % 2 == 0 ? 19 : 38, 4, 8}});
    }
    const auto neff = write_sim_neff(program, {std::as_bytes(std::span(network))}, "graph");
    EXPECT_TRUE(neff);
    write_file(at(name), {reinterpret_cast<const char*>(neff->data()), neff->size()});
    return at(name);
  }
  Outcome take(std::vector<std::string> args) const {
    args.insert(args.end(), {"--out", at("net")});
    return compile(std::move(args));
  }
};

TEST_F(CompileNeff, TakesTheOutputsThatTheUserNamesFromANeffWithMore) {
  const Outcome made = take({"--neff", "1=" + traced("graph.neff", 1) + ",4=" + traced("graph4.neff", 4), "--map",
                             "output2=heatmaps,output3=pafs"});
  ASSERT_EQ(made.code, 0) << made.err;
  EXPECT_THAT(made.out,
              AllOf(HasSubstr("input  input0 1x3x32x64 f32\n"), HasSubstr("output output0 1x19x4x8 f32  unused"),
                    HasSubstr("output output3 1x38x4x8 f32  = pafs"), HasSubstr(at("net/neuron-sim.json"))));
  const auto json = nlohmann::json::parse(read_file(at("net/neuron-sim.json")));
  EXPECT_EQ(json["outputs"], nlohmann::json({"output2", "output3"}));
  EXPECT_EQ(json["weights"]["neuron"]["files"][1]["batch"], 4);
  expect_same_frames(analyse(at("net/neuron-sim.json"), "neuron-sim"), analyse(kTinyModel, "opencv"));
}

TEST_F(CompileNeff, TellsOutputsApartByShapeWhereThatIsPossible) {
  const Outcome made = take({"--neff", "1=" + traced("graph.neff", 1, 2)});
  ASSERT_EQ(made.code, 0) << made.err;
  expect_same_frames(analyse(at("net/neuron-sim.json"), "neuron-sim"), analyse(kTinyModel, "opencv"));
}

TEST_F(CompileNeff, AsksWhereSeveralOutputsFit) {
  const Outcome asked = take({"--neff", "1=" + traced("graph.neff", 1)});
  EXPECT_EQ(asked.code, 2) << asked.err;
  EXPECT_THAT(asked.err, AllOf(HasSubstr("output0 1x19x4x8 f32, output1 1x38x4x8 f32"),
                               HasSubstr("--map output0=heatmaps,output1=pafs")));
  EXPECT_FALSE(std::filesystem::exists(at("net")));
}

TEST_F(CompileNeff, RefusesWhatDoesNotFitInOneLine) {
  const std::string graph = "1=" + traced("graph.neff", 1);
  const std::string net = at("net");
  write_file(at("text"), "no NEFF");
  expect_refused({"--neff", "1=" + at("none.neff"), "--out", net}, 3, "none.neff: cannot read");
  expect_refused({"--neff", "1=" + at("text"), "--out", net}, 3, "text: ");
  expect_refused({"--neff", "4=" + at("graph.neff"), "--out", net}, 2,
                 "is compiled for batch 1, not 4: give it as 1=FILE");
  expect_refused({"--neff", "graph.neff", "--out", net}, 2, "expected BATCH=FILE");
  expect_refused({"--neff", graph + "," + graph, "--out", net}, 2, "another file for batch 1");
  expect_refused({"--neff", graph, "--map", "output2=hands", "--out", net}, 2, "reads heatmaps, pafs");
  expect_refused({"--neff", graph, "--map", "output9=pafs", "--out", net}, 2, "has no output output9");
  expect_refused({"--neff", graph, "--net-resolution", "128x64", "--out", net}, 2, "takes 1x3x64x128");
  expect_refused({"--neff", graph, "--target", "inf2", "--out", net}, 3, "was compiled for the simulator");
  expect_refused({"--neff", "1=" + traced("two.neff", 1, 0, 0), "--out", net}, 3, "fewer outputs than the model");
  expect_refused({"--map", "output0=pafs", "--target", "sim", "--out", net}, 2, "--map");
  expect_refused({"--neff", graph, "--batch", "4", "--out", net}, 2, "--neff");
}

TEST_F(CompileNeff, GoesByWhatIsSaidWhereNoRuntimeIsThere) {
  std::string graph = read_file(traced("graph.neff", 1));
  graph[2000] ^= 1;  // no archive that the simulator knows: a NEFF of hardware, as far as anybody can tell
  write_file(at("graph.neff"), graph);
  const std::string neff = "1=" + at("graph.neff");
  expect_refused({"--neff", neff, "--out", at("net")}, 2, "add --target inf1, inf2, trn1 or trn2");
  expect_refused({"--neff", neff, "--target", "inf2", "--out", at("net")}, 2, "no runtime here");
  const Variable no_runtime("POSECAM_NRT_LIBRARY", at("none.so"));
  const Outcome made = take({"--neff", neff, "--target", "inf2", "--map", "output0=heatmaps,output1=pafs"});
  ASSERT_EQ(made.code, 0) << made.err;
  EXPECT_THAT(made.out, StartsWith("tensors not compared: "));
  const auto json = nlohmann::json::parse(read_file(at("net/neuron-inf2.json")));
  EXPECT_EQ(json["inputs"][0]["name"], "input0");
  EXPECT_EQ(json["decoder"]["pafs"]["output"], "output1");
}

TEST_F(CompileNeff, IsWhatSomebodyIsSentToWhoGivesANeffAsModel) {
  const Outcome ran = posecam({"run", "testsrc", "--model", traced("graph.neff", 1), "--device", "neuron-sim"});
  EXPECT_EQ(ran.code, 3) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("posecam compile MODEL --neff BATCH=" + at("graph.neff")));
}

TEST_F(CompileNeff, LeavesADescriptorThatGoesWithoutSums) {
  ASSERT_EQ(take({"--neff", "1=" + traced("graph.neff", 1, 2)}).code, 0);
  auto json = nlohmann::json::parse(read_file(at("net/neuron-sim.json")));
  auto& file = json["weights"]["neuron"]["files"][0];
  file["sha256"] = std::string(64, '0');
  write_file(at("net/wrong.json"), json.dump());
  const Outcome wrong = posecam({"run", "testsrc", "--model", at("net/wrong.json"), "--device", "neuron-sim"});
  EXPECT_EQ(wrong.code, 3);
  EXPECT_THAT(wrong.err, HasSubstr("--target sim, or --neff BATCH=FILE"));
  file.erase("sha256");
  file.erase("bytes");
  write_file(at("net/none.json"), json.dump());
  expect_same_frames(analyse(at("net/none.json"), "neuron-sim"), analyse(kTinyModel, "opencv"));
}

}  // namespace
}  // namespace posecam::test
