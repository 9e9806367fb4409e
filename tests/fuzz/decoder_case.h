#pragma once
// A decoder with its tensors, read from the bytes of the fuzzer.

#include <bit>
#include <string>
#include <vector>

#include "models/core/tensor.h"
#include "models/spec/model_spec.h"
#include "postprocess/decode/multipose/multipose.h"
#include "postprocess/decode/postprocessor.h"
#include "tests/fuzz/fuzz_input.h"

namespace posecam::fuzz {

/// A model, the options of its user, and the tensors of one frame, each in an allocation of its exact size.
struct Case {
  ModelSpec spec;
  DecodeOptions options;
  std::vector<std::vector<float>> values;
  std::vector<Shape> shapes;
  bool fits = true;   ///< the shapes are those of the spec
  int most = 0;       ///< people, objects or classes that the decoder may give
  float outside = 0;  ///< how far outside the image a keypoint may be, in its extents
  float nms = 0.45F;  ///< the decoder's own threshold

  std::vector<TensorView> views() const {
    std::vector<TensorView> views;
    for (std::size_t i = 0; i < values.size(); ++i) {
      views.push_back({reinterpret_cast<const std::byte*>(values[i].data()), DType::kF32, shapes[i]});
    }
    return views;
  }
};

/// Fills with zeros, one bit pattern, or noise of some loudness.
inline void fill(std::vector<float>& values, Input& input) {
  const int kind = input.below(0, 4);
  if (kind == 0) return;
  if (kind == 1) {
    std::ranges::fill(values, input.bits());
    return;
  }
  Noise noise(input.word());
  const float loud = kind == 2 ? 1.0F : input.bits();
  for (float& v : values) {
    const std::uint32_t bits = noise.next();
    v = kind == 4 ? std::bit_cast<float>(bits) : loud * static_cast<float>(bits) / 4294967296.0F;
  }
}

/// Single values and runs of them, anywhere.
inline void patch(std::vector<float>& values, Input& input, int most) {
  for (int i = 0; i < most && !input.empty() && !values.empty(); ++i) {
    const std::size_t at = input.word() % values.size();
    const std::size_t count = std::min<std::size_t>(1 + input.byte() % 32, values.size() - at);
    const float value = input.flag() ? input.bits() : input.fraction();
    std::fill_n(values.begin() + static_cast<std::ptrdiff_t>(at), count, value);
  }
}

// Networks that look for people; people_cases.cpp.
Case coordinates_case(Input& input);
Case heatmaps_case(Input& input);
Case simcc_case(Input& input);
Case people_rows_case(Input& input);
Case people_maps_case(HeadPeople people, Input& input);

}  // namespace posecam::fuzz
