#include "pipeline/neuron/runtime/convert.h"

#include <cassert>
#include <cstdint>
#include <cstring>

#include <opencv2/core.hpp>

#include "models/core/simd.h"

namespace posecam {
namespace {

POSECAM_SIMD void to_bf16(const std::uint32_t* __restrict from, std::uint16_t* __restrict to, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint32_t bits = from[i];
    const std::uint32_t rounded = (bits + 0x7FFFU + ((bits >> 16U) & 1U)) >> 16U;
    // Rounding must not turn the bits of a NaN into those of infinity or of a number.
    const std::uint32_t nan = (bits >> 16U) | 0x40U;
    to[i] = static_cast<std::uint16_t>((bits & 0x7FFFFFFFU) > 0x7F800000U ? nan : rounded);
  }
}

POSECAM_SIMD void from_bf16(const std::uint16_t* __restrict from, std::uint32_t* __restrict to, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) to[i] = static_cast<std::uint32_t>(from[i]) << 16U;
}

constexpr std::size_t kPiece = std::size_t{1} << 20;  // OpenCV counts columns in int

template <int FromType, int ToType>
void with_opencv(const std::byte* from, std::byte* to, std::size_t count) {
  constexpr std::size_t kFromSize = FromType == CV_32F ? 4 : 2;
  constexpr std::size_t kToSize = ToType == CV_32F ? 4 : 2;
  for (std::size_t at = 0; at < count; at += kPiece) {
    const int n = static_cast<int>(std::min(kPiece, count - at));
    // Mat wants a writable pointer and does not write. NOLINTNEXTLINE(cppcoreguidelines-pro-type-const-cast)
    const cv::Mat in(1, n, FromType, const_cast<std::byte*>(from + at * kFromSize));
    cv::Mat out(1, n, ToType, to + at * kToSize);
    in.convertTo(out, ToType);
  }
}

}  // namespace

bool can_convert(DType from, DType to) {
  const auto is_short = [](DType type) { return type == DType::kBf16 || type == DType::kF16; };
  return from == to || (from == DType::kF32 && is_short(to)) || (is_short(from) && to == DType::kF32);
}

void convert(const std::byte* from, DType from_type, std::byte* to, DType to_type, std::size_t count) {
  assert(can_convert(from_type, to_type));
  if (from_type == to_type) {
    std::memcpy(to, from, count * size_of(to_type));
  } else if (to_type == DType::kBf16) {
    to_bf16(reinterpret_cast<const std::uint32_t*>(from), reinterpret_cast<std::uint16_t*>(to), count);
  } else if (from_type == DType::kBf16) {
    from_bf16(reinterpret_cast<const std::uint16_t*>(from), reinterpret_cast<std::uint32_t*>(to), count);
  } else if (to_type == DType::kF16) {
    with_opencv<CV_32F, CV_16F>(from, to, count);
  } else {
    with_opencv<CV_16F, CV_32F>(from, to, count);
  }
}

}  // namespace posecam
