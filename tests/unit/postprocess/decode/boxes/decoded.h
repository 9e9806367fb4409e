#pragma once
// One frame through a decoder, from values that a test writes down.

#include <algorithm>
#include <limits>
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
inline Letterbox whole(Size size) {
  return {size, size, {0, 0}, {static_cast<float>(size.width), static_cast<float>(size.height)}};
}

inline std::vector<Detection> decoded(const Decoder& decoder, const ModelSpec& spec, const std::vector<Values>& outputs,
                                      const Letterbox& letterbox, const DecodeOptions& options = {}) {
  auto post = decoder.make(spec, options);
  EXPECT_TRUE(post) << post.error().message;
  if (!post) return {};
  std::vector<TensorView> views;
  for (const Values& output : outputs) {
    EXPECT_EQ(output.shape.elements(), output.values.size());
    views.push_back({reinterpret_cast<const std::byte*>(output.values.data()), DType::kF32, output.shape});
  }
  FrameResult result;
  const auto ran = (*post)->run(views, letterbox, result);
  EXPECT_TRUE(ran) << ran.error().message;
  return result.detections;
}

inline std::vector<Detection> decoded(const Decoder& decoder, const ModelSpec& spec,
                                      const std::vector<Values>& outputs) {
  return decoded(decoder, spec, outputs, whole(spec.input.size));
}

inline void expect_box(const Box& box, float x, float y, float width, float height) {
  EXPECT_NEAR(box.x, x, 1e-5F);
  EXPECT_NEAR(box.y, y, 1e-5F);
  EXPECT_NEAR(box.width, width, 1e-5F);
  EXPECT_NEAR(box.height, height, 1e-5F);
}

/// One box, and an image in the middle of the input with an eighth of padding on each side: it is where the padding
/// says.
inline void expect_follows_letterbox(const Decoder& decoder, const ModelSpec& spec,
                                     const std::vector<Values>& outputs) {
  const auto plain = decoded(decoder, spec, outputs);
  const Size size = spec.input.size;
  const Point input{static_cast<float>(size.width), static_cast<float>(size.height)};
  const Letterbox centred{{300, 300}, size, {input.x / 8, input.y / 8}, {input.x * 3 / 4, input.y * 3 / 4}};
  const auto found = decoded(decoder, spec, outputs, centred);
  ASSERT_EQ(plain.size(), 1U);
  ASSERT_EQ(found.size(), 1U);
  const auto in_image = [](float share) { return std::clamp((share - 0.125F) / 0.75F, 0.F, 1.F); };
  const Box& box = plain[0].box;
  const float x = in_image(box.x);
  const float y = in_image(box.y);
  expect_box(found[0].box, x, y, in_image(box.x + box.width) - x, in_image(box.y + box.height) - y);
}

/// Values that are no numbers, or no places, in every output of that shape and size.
inline void expect_survives_any_content(const Decoder& decoder, const ModelSpec& spec, std::vector<Values> outputs) {
  constexpr float kInf = std::numeric_limits<float>::infinity();
  const auto good = outputs;
  for (const float v : {0.F, 1.F, -1.F, 1e30F, -1e30F, kInf, -kInf, std::numeric_limits<float>::quiet_NaN()}) {
    for (std::size_t bad = 0; bad <= outputs.size(); ++bad) {  // one of them, or at last all
      outputs = good;
      for (std::size_t i = 0; i < outputs.size(); ++i) {
        if (bad == i || bad == outputs.size()) std::ranges::fill(outputs[i].values, v);
      }
      for (const Detection& d : decoded(decoder, spec, outputs)) {
        EXPECT_TRUE(d.box.width > 0 && d.box.height > 0 && d.score > 0 && d.score <= 1) << v;
        EXPECT_TRUE(d.box.x >= 0 && d.box.y >= 0 && d.box.x + d.box.width <= 1.0001F) << v;
      }
    }
  }
}

inline void expect_refuses_options_out_of_range(const Decoder& decoder, const ModelSpec& spec) {
  for (const float bad : {-0.1F, 1.1F, std::numeric_limits<float>::quiet_NaN()}) {
    DecodeOptions options;
    options.threshold = bad;
    const auto by_score = decoder.make(spec, options);
    ASSERT_FALSE(by_score);
    EXPECT_EQ(by_score.error().code, Errc::kUsage);
    options = {};
    options.nms_threshold = bad;
    const auto by_overlap = decoder.make(spec, options);
    ASSERT_FALSE(by_overlap);
    EXPECT_EQ(by_overlap.error().code, Errc::kUsage);
  }
}

}  // namespace posecam::test
