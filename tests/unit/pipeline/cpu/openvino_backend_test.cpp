#include "pipeline/cpu/openvino_backend.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <sys/stat.h>
#include <vector>

#include <gmock/gmock.h>

#include "pipeline/cpu/opencv_backend.h"
#include "tests/support/shared.h"
#include "tests/support/temp_dir.h"
#include "tests/unit/pipeline/devices/onnx_networks.h"
#include "tests/unit/pipeline/devices/tiny_network.h"

namespace posecam {
namespace {

using test::fill_row;
using test::run_and_check;
using test::tiny_model;
using test::tiny_weights;

TEST(OpenVinoBackend, TakesBytesWhereTheSpecSaysSo) {
  ModelSpec spec = tiny_model(1);
  spec.input.dtype = DType::kU8;
  auto backend = make_openvino_backend(spec, tiny_weights(), {.cores = {0}});
  ASSERT_TRUE(backend) << backend.error().message;
  auto slot = (*backend)->make_slot(spec, 0);
  ASSERT_TRUE(slot);
  auto pixels = (*slot)->input().as<std::uint8_t>();
  std::ranges::fill(pixels, std::uint8_t{200});
  ASSERT_TRUE((*slot)->run(1));
  EXPECT_NEAR((*slot)->output(1).as<float>()[0], 1200, 0.01F);
}

/// tests/data/tiny_pose: averages of 8x8 pixels, "cells", become maps; ending at these outputs.
ModelSpec pose_ending_at(std::vector<std::string> outputs) {
  ModelSpec spec = tiny_model(3);
  spec.input.name = "data";
  spec.outputs = std::move(outputs);
  return spec;
}

TEST(OpenVinoBackend, CutsNetworksAtInnerTensors) {
  for (const char* file : {"tests/data/tiny_pose.onnx", "tests/data/tiny_pose.xml"}) {
    ModelSpec spec = pose_ending_at({"pafs", "cells"});
    spec.weights = {{"openvino", "f32", {{.name = "tiny_pose.xml"}, {.name = "tiny_pose.bin"}}}};
    auto backend = make_openvino_backend(spec, test::source_dir() / file, {.cores = {0}});
    ASSERT_TRUE(backend) << backend.error().message;
    auto slot = (*backend)->make_slot(spec, 0);
    ASSERT_TRUE(slot) << slot.error().message;
    std::ranges::fill((*slot)->input().as<float>(), 50.0F);
    ASSERT_TRUE((*slot)->run(3));
    EXPECT_EQ((*slot)->output(1).shape, (Shape{3, 3, 2, 3}));
    for (const float cell : (*slot)->output(1).as<float>()) EXPECT_NEAR(cell, 50, 0.1F);
  }
}

TEST(OpenVinoBackend, BeginsNetworksAtInnerTensors) {
  ModelSpec spec = pose_ending_at({"heatmaps"});
  const auto file = test::source_dir() / "tests/data/tiny_pose.onnx";
  auto whole = make_openvino_backend(spec, file, {.cores = {0}, .precision = Precision::kF32});
  ASSERT_TRUE(whole) << whole.error().message;
  spec.input.name = "cells";
  spec.input.size = {3, 2};
  spec.input.dtype = DType::kU8;
  auto cut = make_openvino_backend(spec, file, {.cores = {0}, .precision = Precision::kF32});
  ASSERT_TRUE(cut) << cut.error().message;
  auto all = (*whole)->make_slot(pose_ending_at({"heatmaps"}), 0);
  auto part = (*cut)->make_slot(spec, 0);
  ASSERT_TRUE(all && part);
  std::ranges::fill((*all)->input().as<float>(), 50.0F);
  std::ranges::fill((*part)->input().as<std::uint8_t>(), std::uint8_t{50});
  ASSERT_TRUE((*all)->run(3) && (*part)->run(3));
  ASSERT_EQ((*all)->output(0).shape, (*part)->output(0).shape);
  const auto expected = (*all)->output(0).as<float>();
  const auto found = (*part)->output(0).as<float>();
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(found[i], expected[i], 1e-4F) << i;

  spec.input.name = "rows";
  EXPECT_THAT(make_openvino_backend(spec, file, {.cores = {0}}).error().message,
              testing::HasSubstr("the network has no input 'rows', only: data"));
}

TEST(OpenVinoBackend, RefusesAnInputThatBranchesPassBy) {
  ModelSpec spec = tiny_model(1);
  spec.input.name = "mean";
  spec.input.size = {3, 2};
  spec.outputs = {"sum"};
  const auto backend = make_openvino_backend(spec, tiny_weights(), {.cores = {0}});
  ASSERT_FALSE(backend);
  EXPECT_EQ(backend.error().code, Errc::kModel);
  EXPECT_THAT(backend.error().message,
              testing::HasSubstr("the outputs need 'image' as well as input 'mean'; name an earlier tensor"));
}

TEST(OpenVinoBackend, NamesTheOutputsWhereNoTensorHasTheName) {
  const auto file = test::source_dir() / "tests/data/tiny_pose.onnx";
  for (const char* none : {"rows", "data", "heat_weights"}) {  // the picture and weights are nothing to decode
    const auto backend = make_openvino_backend(pose_ending_at({"pafs", none}), file, {.cores = {0}});
    ASSERT_FALSE(backend);
    EXPECT_THAT(backend.error().message,
                testing::HasSubstr(std::string("the network has no output '") + none + "', only: heatmaps, pafs"));
  }
}

TEST(OpenVinoBackend, KeepsCompiledNetworksAndOutlivesABrokenCache) {
  const test::TempDir dir;
  const std::filesystem::path& folder = dir.path();
  const ModelSpec spec = tiny_model(1);
  const auto runs = [&](const std::filesystem::path& cache) {
    auto backend = make_openvino_backend(spec, tiny_weights(), {.cores = {0}, .cache_dir = cache});
    ASSERT_TRUE(backend) << backend.error().message;
    auto slot = (*backend)->make_slot(spec, 0);
    ASSERT_TRUE(slot) << slot.error().message;
    run_and_check(**slot, 3);
  };
  runs(folder / "deep");
  std::size_t kept = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder / "deep")) {
    ++kept;
    std::filesystem::resize_file(entry.path(), entry.file_size() / 2);
  }
  EXPECT_GT(kept, 0U);
  runs(folder / "deep");
  for (const auto& entry : std::filesystem::directory_iterator(folder / "deep")) {
    std::ofstream(entry.path(), std::ios::binary | std::ios::trunc) << std::string(5000, 'x');
  }
  runs(folder / "deep");
  std::ofstream(folder / "file") << "not a folder";
  runs(folder / "file");
  runs("/proc/posecam");
}

TEST(OpenVinoBackend, AgreesWithOpenCvOnARealNetwork) {
  const std::filesystem::path file = "models/human-pose-estimation-0001/human-pose-estimation-0001-fp32.onnx";
  POSECAM_NEEDS_SHARED(file);
  ModelSpec spec;
  spec.name = "openpose";
  spec.input.name = "data";
  spec.input.size = {232, 128};
  spec.outputs = {"Mconv7_stage2_L2", "Mconv7_stage2_L1"};
  std::vector<std::vector<float>> answers;
  for (const auto make : {make_opencv_backend, make_openvino_backend}) {
    auto backend = make(spec, test::shared_dir() / file, {.cores = {0}, .precision = Precision::kF32});
    ASSERT_TRUE(backend) << backend.error().message;
    auto slot = (*backend)->make_slot(spec, 0);
    ASSERT_TRUE(slot) << slot.error().message;
    fill_row((*slot)->input(), 1);
    ASSERT_TRUE((*slot)->run(1));
    EXPECT_EQ((*slot)->output(0).shape, (Shape{1, 19, 16, 29}));
    EXPECT_EQ((*slot)->output(1).shape, (Shape{1, 38, 16, 29}));
    const auto maps = (*slot)->output(0).as<float>();
    answers.emplace_back(maps.begin(), maps.end());
  }
  float most = 0;
  for (std::size_t i = 0; i < answers[0].size(); ++i) most = std::max(most, std::abs(answers[0][i] - answers[1][i]));
  EXPECT_LT(most, 1e-3F);
}

/// What making the backend says, or what the first inference answers. `constant`: the bytes of w.bin.
std::string outcome(const std::string& network, const std::vector<WeightFile>& listed = {}, float constant = 0,
                    const std::filesystem::path& cache = {}) {
  const test::TempDir dir;
  test::write_file(dir.path() / "net.onnx", network);
  test::write_file(dir.path() / "w.bin", {reinterpret_cast<const char*>(&constant), sizeof constant});
  ModelSpec spec = tiny_model(1);
  spec.outputs = {"mean"};
  if (!listed.empty()) spec.weights = {{"openvino", "f32", listed}};
  auto backend = make_openvino_backend(spec, dir.path() / "net.onnx", {.cores = {0}, .cache_dir = cache});
  if (!backend) return backend.error().message;
  auto slot = (*backend)->make_slot(spec, 0);
  if (!slot) return slot.error().message;
  std::ranges::fill((*slot)->input().as<float>(), 1.0F);
  if (auto ran = (*slot)->run(1); !ran) return ran.error().message;
  return std::to_string(static_cast<int>((*slot)->output(0).as<float>()[0]));
}

TEST(OpenVinoBackend, ReadsTensorsInFilesThatTheDescriptorLists) {
  EXPECT_EQ(outcome(test::onnx_with_data_in("w.bin"), {{.name = "net.onnx"}, {.name = "w.bin"}}), "1");
}

TEST(OpenVinoBackend, SaysWhatHelpsWhereANetworkIsMadeForOneFrame) {
  ModelSpec spec = tiny_model(4, {8, 8});
  spec.input.name = "image_tensor";
  for (const std::string output : {"detection_scores", "num_detections"}) {
    spec.outputs = {output};
    const auto backend =
        make_openvino_backend(spec, test::source_dir() / "tests/data/four_outputs.onnx", {.cores = {0}});
    ASSERT_FALSE(backend);
    EXPECT_EQ(backend.error().code, Errc::kModel);
    EXPECT_THAT(backend.error().message, testing::EndsWith("it may be a network of one frame: use a batch of 1"));
  }
}

TEST(OpenVinoBackend, CachesNoNetworkUnderTheNameOfOneWithOtherTensors) {
  const test::TempDir cache;
  const std::vector<WeightFile> listed{{.name = "net.onnx"}, {.name = "w.bin"}};
  for (const float constant : {1.0F, 4.0F, 1.0F}) {
    const std::string answer = outcome(test::onnx_with_data_in("w.bin"), listed, constant, cache.path() / "networks");
    EXPECT_EQ(answer, std::to_string(1 + static_cast<int>(constant)));
  }
}

TEST(OpenVinoBackend, RefusesConstantsThatTheDescriptorDoesNotList) {
  const test::TempDir dir;
  test::write_file(dir.path() / "net.xml", "<net/>");
  ASSERT_EQ(::mkfifo((dir.path() / "net.bin").c_str(), 0600), 0);
  const auto backend = make_openvino_backend(tiny_model(1), dir.path() / "net.xml", {.cores = {0}});
  ASSERT_FALSE(backend);
  EXPECT_THAT(backend.error().message, testing::HasSubstr("'net.bin' as well, which its descriptor does not list"));
}

TEST(OpenVinoBackend, RunsOnlyLoopsThatEnd) {
  EXPECT_EQ(outcome(test::onnx_loop(3)), "8");
  for (const std::uint64_t rounds : {std::uint64_t{100'001}, std::uint64_t{0x7FFFFFFFFFFFFFFF}}) {
    EXPECT_THAT(outcome(test::onnx_loop(rounds)), testing::HasSubstr("a loop of no fixed number of rounds"));
  }
}

TEST(OpenVinoBackend, SaysWhatHelpsWhereTheNumberOfBoxesIsNotFixed) {
  const std::string file = test::onnx_file(ProtoMessage().message(1, test::onnx_node("NonZero", {"image"}, "mean")));
  EXPECT_THAT(outcome(file), testing::HasSubstr("expected fixed sizes with batch 1 first: export the network without "
                                                "its NMS, or with a fixed number of boxes"));
}

TEST(OpenVinoBackend, KeepsDamagedNetworksFromOpenCv) {
  const test::TempDir dir;
  const std::string good = test::read_file(test::source_dir() / "tests/data/tiny_pose.onnx");
  ModelSpec spec = tiny_model(1);
  spec.outputs = {"features"};
  for (std::uint32_t seed = 0; seed < 40; ++seed) {  // several of these end a process that hands them to OpenCV
    std::mt19937 random(seed);
    std::string bad = good;
    for (std::uint32_t left = 1 + random() % 8; left > 0; --left) {
      char& byte = bad[random() % bad.size()];
      byte = static_cast<char>(byte ^ (1 << random() % 8));
    }
    test::write_file(dir.path() / "bad.onnx", bad);
    (void)make_opencv_backend(spec, dir.path() / "bad.onnx", {.cores = {0}});
  }
}

}  // namespace
}  // namespace posecam
