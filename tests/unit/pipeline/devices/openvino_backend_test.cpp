#include "pipeline/devices/openvino_backend.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "pipeline/devices/opencv_backend.h"
#include "tests/support/shared.h"
#include "tests/support/temp_dir.h"
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

}  // namespace
}  // namespace posecam
