#pragma once
// One frame through a decoder, from values that a test writes down.

#include <vector>

#include <gtest/gtest.h>

#include "models/spec/frame_result.h"
#include "postprocess/decode/decoder.h"

namespace posecam::test {

struct Values {
  Shape shape;
  std::vector<float> values;
};

/// The image is the network's input, pixel for pixel.
inline std::vector<Detection> decoded(const Decoder& decoder, const ModelSpec& spec, const std::vector<Values>& outputs,
                                      const DecodeOptions& options = {}) {
  auto post = decoder.make(spec, options);
  EXPECT_TRUE(post) << post.error().message;
  if (!post) return {};
  std::vector<TensorView> views;
  for (const Values& output : outputs) {
    EXPECT_EQ(output.shape.elements(), output.values.size());
    views.push_back({reinterpret_cast<const std::byte*>(output.values.data()), DType::kF32, output.shape});
  }
  const Size size = spec.input.size;
  const Letterbox whole{size, size, {0, 0}, {static_cast<float>(size.width), static_cast<float>(size.height)}};
  FrameResult result;
  const auto ran = (*post)->run(views, whole, result);
  EXPECT_TRUE(ran) << ran.error().message;
  return result.detections;
}

inline void expect_box(const Box& box, float x, float y, float width, float height) {
  EXPECT_NEAR(box.x, x, 1e-5F);
  EXPECT_NEAR(box.y, y, 1e-5F);
  EXPECT_NEAR(box.width, width, 1e-5F);
  EXPECT_NEAR(box.height, height, 1e-5F);
}

}  // namespace posecam::test
