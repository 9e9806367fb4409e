// "Compiling" for the simulator: what its network cannot do is said in a line, and nothing is replaced before all is
// there.

#include "pipeline/neuron/compile/compile_sim.h"

#include <filesystem>
#include <iterator>
#include <string>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "models/core/sha256.h"
#include "postprocess/decode/decoders.h"
#include "tests/support/shared.h"
#include "tests/support/temp_dir.h"

namespace posecam {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class CompileSim : public ::testing::Test {
 protected:
  /// tiny_pose.json as `change` leaves it, with these bytes for its network.
  template <class Change>
  ModelSpec model(const std::string& network, Change change) {
    const fs::path onnx = folder_.path() / "tiny_pose.onnx";
    test::write_file(onnx, network);
    auto json = nlohmann::json::parse(test::read_file(test::source_dir() / "tests/data/tiny_pose.json"));
    for (auto& weights : json["weights"]) {
      weights["files"][0]["bytes"] = network.size();
      weights["files"][0]["sha256"] = *sha256_of(onnx);
    }
    change(json);
    test::write_file(folder_.path() / "tiny_pose.json", json.dump());
    auto spec = ModelSpec::load(folder_.path() / "tiny_pose.json", decoders());
    EXPECT_TRUE(spec) << spec.error().message;
    return *spec;
  }
  ModelSpec model(const std::string& network = tiny_network()) {
    return model(network, [](nlohmann::json&) {});
  }
  static std::string tiny_network() { return test::read_file(test::source_dir() / "tests/data/tiny_pose.onnx"); }
  Result<fs::path> compile(const ModelSpec& spec, const SimCompileOptions& options = {}) {
    return compile_for_sim(spec, options, out());
  }
  fs::path out() const { return folder_.path() / "out"; }

 private:
  test::TempDir folder_;
};

TEST_F(CompileSim, NamesOperatorsThatItDoesNotKnowInOneLine) {
  std::string network = tiny_network();
  const std::string known = "AveragePool";
  network.replace(network.find(known), known.size(), "AveragePoor");
  ::testing::internal::CaptureStderr();
  const auto made = compile(model(network));
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, Errc::kModel);
  EXPECT_THAT(made.error().message, AllOf(HasSubstr("AveragePoor"), Not(HasSubstr("\n"))));
  EXPECT_FALSE(fs::exists(out()));
}

TEST_F(CompileSim, EndsNetworksAtInnerTensors) {
#ifdef POSECAM_HAVE_OPENVINO
  const auto ending_at = [&](const char* output) {
    return compile(model(tiny_network(), [&](nlohmann::json& json) {
      json["outputs"][0] = output;
      json["decoder"]["heatmaps"]["output"] = output;
    }));
  };
  const auto made = ending_at("cells");
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_THAT(test::read_file(*made), HasSubstr("\"cells\""));
  const auto none = ending_at("rows");
  ASSERT_FALSE(none);
  EXPECT_THAT(none.error().message, HasSubstr("the network has no output 'rows'"));
#else
  GTEST_SKIP() << "OpenCV gives a network's own outputs only";
#endif
}

TEST_F(CompileSim, AsksTheLibraryThatTheSimulatorCalculatesWith) {
#ifdef POSECAM_HAVE_OPENVINO
  const auto bytes = [](nlohmann::json& json) { json["inputs"][0]["dtype"] = "u8"; };  // OpenCV has none
  const auto made = compile(model(tiny_network(), bytes));
  EXPECT_TRUE(made) << made.error().message;
  const auto for_opencv = compile(model(tiny_network(), [&](nlohmann::json& json) {
    bytes(json);
    json["weights"].erase("openvino");
  }));
  EXPECT_TRUE(for_opencv) << for_opencv.error().message;
#else
  GTEST_SKIP() << "only OpenCV is built in";
#endif
}

TEST_F(CompileSim, LeavesWhatWorkedWhereItFailsMidway) {
  const ModelSpec spec = model();
  const auto made = compile(spec, {.batches = {1, 4}});
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_TRUE(ModelSpec::load(*made, decoders()));
  fs::remove(out() / "tiny-pose-sim-b4.neff");
  fs::create_directory(out() / "tiny-pose-sim-b4.neff");
  const std::string before = test::read_file(out() / "tiny-pose-sim-b1.neff");
  const auto again = compile(spec, {.batches = {1, 4}, .dtype = DType::kBf16});
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Errc::kOutput);
  EXPECT_TRUE(test::read_file(out() / "tiny-pose-sim-b1.neff") == before);
  EXPECT_EQ(std::distance(fs::directory_iterator(out()), {}), 3) << "no parts are left";
}

}  // namespace
}  // namespace posecam
