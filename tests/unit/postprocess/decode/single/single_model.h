#pragma once
// A model of one person for tests: a skeleton of 17 parts, an input of 64x32.

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/alloc_counter.h"
#include "tests/support/decoder_of.h"

namespace posecam::test {

inline constexpr std::size_t kParts = 17;
inline constexpr Size kInput{64, 32};

/// The image is the network's input, pixel for pixel.
inline const Letterbox kWhole{kInput, kInput, {0, 0}, {64, 32}};

inline ModelSpec single_model(std::vector<std::string> outputs) {
  ModelSpec spec;
  spec.name = "one";
  spec.input.size = kInput;
  spec.outputs = std::move(outputs);
  spec.skeleton = find_skeleton("coco-17");
  return spec;
}

inline TensorView view(const std::vector<float>& values, const Shape& shape) {
  return {reinterpret_cast<const std::byte*>(values.data()), DType::kF32, shape};
}

/// What a decoder makes of these tensors; a failure fails the test.
template <class Kind>
std::vector<Pose> poses_of(ModelSpec spec, const Kind& decoder, const std::vector<TensorView>& outputs,
                           const Letterbox& letterbox = kWhole, const DecodeOptions& options = {}) {
  auto post = decoder.make(spec, options);
  EXPECT_TRUE(post) << post.error().message;
  if (!post) return {};
  FrameResult result;
  const auto ran = (*post)->run(outputs, letterbox, result);
  EXPECT_TRUE(ran) << ran.error().message;
  return result.poses;
}

/// The reason why these tensors are refused.
template <class Kind>
std::string refusal(ModelSpec spec, const Kind& decoder, const std::vector<TensorView>& outputs) {
  auto post = decoder.make(spec, {});
  EXPECT_TRUE(post) << post.error().message;
  FrameResult result;
  result.poses.resize(1);
  const auto ran = (*post)->run(outputs, kWhole, result);
  if (ran) return "ran";
  EXPECT_TRUE(result.poses.empty());
  EXPECT_EQ(ran.error().code, Errc::kModel);
  return ran.error().message;
}

/// What all decoders of one person refuse.
template <class Kind>
void expect_refusals_of_options(const ModelSpec& spec, const Kind& decoder) {
  for (const float bad : {-0.1F, 1.1F, std::nanf("")}) {
    DecodeOptions options;
    options.threshold = bad;
    EXPECT_EQ(decoder.make(spec, options).error().code, Errc::kUsage);
  }
  DecodeOptions options;
  options.max_people = 0;
  EXPECT_EQ(decoder.make(spec, options).error().code, Errc::kUsage);
  options.max_people = 1;
  EXPECT_TRUE(decoder.make(spec, options));
  ModelSpec other = spec;
  other.skeleton = nullptr;
  EXPECT_EQ(decoder.make(other, {}).error().code, Errc::kModel);
  other = spec;
  other.outputs = {"none"};
  EXPECT_EQ(decoder.make(other, {}).error().code, Errc::kModel);
}

/// That a decoder takes no memory for the second frame of the same tensors, and finds somebody.
template <class Kind>
void expect_no_allocation_once_warm(const ModelSpec& spec, const Kind& decoder,
                                    const std::vector<TensorView>& outputs) {
  auto post = decoder.make(spec, {});
  ASSERT_TRUE(post) << post.error().message;
  FrameResult result;
  ASSERT_TRUE((*post)->run(outputs, kWhole, result));
  const std::size_t before = allocation_count();
  for (int frame = 0; frame < 3; ++frame) ASSERT_TRUE((*post)->run(outputs, kWhole, result));
  EXPECT_EQ(allocation_count() - before, 0U);
  EXPECT_EQ(result.poses.size(), 1U);
}

}  // namespace posecam::test
