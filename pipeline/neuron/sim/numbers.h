#pragma once
// Between f32, in which networks are computed here, and what a compiled network's tensors hold.

#include <cstddef>
#include <span>

#include "models/core/tensor.h"

namespace posecam::sim {

/// `in` holds as many elements of `dtype` as `out` has.
void to_floats(std::span<const std::byte> in, DType dtype, std::span<float> out);
/// Rounds to nearest, ties to even; u8 saturates and takes NaN for 0.
void from_floats(std::span<const float> in, DType dtype, std::span<std::byte> out);
/// Rounds to what bf16 can hold.
void round_to_bf16(std::span<float> values);

}  // namespace posecam::sim
