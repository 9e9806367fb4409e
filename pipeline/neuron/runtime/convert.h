#pragma once
// Between f32, which the program calculates in, and the shorter floats that networks on a device take and give.

#include <cstddef>

#include "models/core/tensor.h"

namespace posecam {

/// Whether convert() can: f32 to or from bf16 or f16, or any type to itself.
bool can_convert(DType from, DType to);

/// `count` values. Rounds to nearest, ties to even; what is not a number stays that. The memories do not overlap. No
/// allocation.
void convert(const std::byte* from, DType from_type, std::byte* to, DType to_type, std::size_t count);

}  // namespace posecam
