#pragma once
// The network of tests/data/make_networks.py, small enough to know its answers.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

#include <gmock/gmock.h>

#include "models/core/tensor.h"
#include "models/spec/model_spec.h"
#include "pipeline/backend/backend.h"
#include "tests/support/shared.h"

namespace posecam::test {

inline ModelSpec tiny_model(int batch, Size size = {24, 16}) {
  ModelSpec spec;
  spec.name = "tiny";
  spec.input.name = "image";
  spec.input.size = size;
  spec.input.batch = batch;
  spec.outputs = {"mean", "sum"};
  return spec;
}

inline std::filesystem::path tiny_weights() { return test::source_dir() / "tests/data/tiny.onnx"; }

/// Whole numbers in 0..255 that differ from row to row and pixel to pixel.
inline void fill_row(MutableTensorView row, int seed) {
  auto values = row.as<float>();
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<float>((i * 37 + static_cast<std::size_t>(seed) * 101 + i * i % 17) % 256);
  }
}

inline std::vector<Shape> answer_shapes(const ModelSpec& spec) {
  const Size size = spec.input.size;
  return {{spec.input.batch, 2, size.height / 8, size.width / 8}, {spec.input.batch, 1, size.height, size.width}};
}

/// What the network says about one row, by its definition.
inline void calculate(TensorView input, std::span<float> mean, std::span<float> sum) {
  const auto in = input.as<float>();
  const auto h = static_cast<std::size_t>(input.shape[2]);
  const auto w = static_cast<std::size_t>(input.shape[3]);
  for (std::size_t i = 0; i < h * w; ++i) sum[i] = in[i] + 2 * in[h * w + i] + 3 * in[2 * h * w + i];
  const std::size_t cells = h / 8 * (w / 8);
  for (std::size_t cell = 0; cell < cells; ++cell) {
    for (const std::size_t channel : {0U, 1U}) {
      float total = 0;
      for (std::size_t i = 0; i < 64; ++i) {
        const std::size_t y = cell / (w / 8) * 8 + i / 8;
        const std::size_t x = cell % (w / 8) * 8 + i % 8;
        total += in[2 * channel * h * w + y * w + x];
      }
      mean[channel * cells + cell] = total / 64;
    }
  }
}

inline void expect_answers(TensorView input, TensorView mean, TensorView sum) {
  ASSERT_EQ(sum.shape, (Shape{1, 1, input.shape[2], input.shape[3]}));
  ASSERT_EQ(mean.shape, (Shape{1, 2, input.shape[2] / 8, input.shape[3] / 8}));
  std::vector<float> true_mean(mean.shape.elements());
  std::vector<float> true_sum(sum.shape.elements());
  calculate(input, true_mean, true_sum);
  EXPECT_THAT(mean.as<float>(), ::testing::Pointwise(::testing::FloatNear(0.01F), true_mean));
  EXPECT_THAT(sum.as<float>(), ::testing::Pointwise(::testing::FloatNear(0.01F), true_sum));
}

inline void run_and_check(Slot& slot, int seed) {
  const auto rows = static_cast<std::size_t>(slot.input().shape[0]);
  for (std::size_t r = 0; r < rows; ++r) fill_row(slot.input().row(r), seed + static_cast<int>(r));
  const auto ran = slot.run(static_cast<std::uint32_t>(rows));
  ASSERT_TRUE(ran) << ran.error().message;
  for (std::size_t r = 0; r < rows; ++r) {
    expect_answers(TensorView(slot.input()).row(r), slot.output(0).row(r), slot.output(1).row(r));
  }
}

}  // namespace posecam::test
