#pragma once
// Whether numbers are numbers.

#include <algorithm>
#include <bit>
#include <cstdint>
#include <span>

namespace posecam {

/// True if none is infinite or NaN: by their exponents (IEEE 754), which compilers look at several at a time.
inline bool all_finite(std::span<const float> values) {
  constexpr std::int32_t kExponent = 0x7F80'0000;
  std::int32_t most = 0;
  for (const float value : values) most = std::max(most, std::bit_cast<std::int32_t>(value) & kExponent);
  return most != kExponent;
}

}  // namespace posecam
