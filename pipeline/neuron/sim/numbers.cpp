#include "pipeline/neuron/sim/numbers.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cmath>
#include <cstdint>
#include <cstring>

namespace posecam::sim {
namespace {

std::uint16_t to_bf16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  if (std::isnan(value)) return static_cast<std::uint16_t>((bits >> 16U) | 0x40U);
  return static_cast<std::uint16_t>((bits + 0x7FFFU + ((bits >> 16U) & 1U)) >> 16U);
}

float from_bf16(std::uint16_t value) { return std::bit_cast<float>(static_cast<std::uint32_t>(value) << 16U); }

std::uint16_t to_f16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const auto sign = static_cast<std::uint16_t>((bits >> 16U) & 0x8000U);
  if (std::isnan(value)) return static_cast<std::uint16_t>(sign | 0x7E00U);
  const float magnitude = std::fabs(value);
  if (magnitude == 0) return sign;
  if (magnitude >= 65520.0F) return static_cast<std::uint16_t>(sign | 0x7C00U);  // rounds to infinity
  // The smallest step at this magnitude: 2^-24 below the normal numbers, else eleven bits of precision.
  int exponent = 0;
  std::frexp(magnitude, &exponent);
  const int step = std::max(exponent - 11, -24);
  const float steps = std::nearbyint(std::ldexp(magnitude, -step));  // to even in the default rounding mode
  const auto units = static_cast<std::uint32_t>(steps);
  // A mantissa of 2048 carries into the exponent, as it should.
  const std::uint32_t biased = step == -24 ? units : (static_cast<std::uint32_t>(step + 24) << 10U) + units;
  return static_cast<std::uint16_t>(sign | biased);
}

float from_f16(std::uint16_t value) {
  const bool negative = (value & 0x8000U) != 0;
  const int exponent = (value >> 10U) & 0x1F;
  const int mantissa = value & 0x3FF;
  float magnitude = 0;
  if (exponent == 0x1F) {
    magnitude = mantissa ? std::nanf("") : HUGE_VALF;
  } else if (exponent == 0) {
    magnitude = std::ldexp(static_cast<float>(mantissa), -24);
  } else {
    magnitude = std::ldexp(static_cast<float>(mantissa + 0x400), exponent - 25);
  }
  return negative ? -magnitude : magnitude;
}

std::uint8_t to_u8(float value) {
  if (!(value > 0)) return 0;
  return static_cast<std::uint8_t>(std::min(std::nearbyint(value), 255.0F));
}

template <class T, class Convert>
void each_in(std::span<const std::byte> in, std::span<float> out, Convert convert) {
  assert(in.size() == out.size() * sizeof(T));
  for (std::size_t i = 0; i < out.size(); ++i) {
    T value{};
    std::memcpy(&value, in.data() + i * sizeof(T), sizeof(T));
    out[i] = convert(value);
  }
}

template <class T, class Convert>
void each_out(std::span<const float> in, std::span<std::byte> out, Convert convert) {
  assert(out.size() == in.size() * sizeof(T));
  for (std::size_t i = 0; i < in.size(); ++i) {
    const T value = convert(in[i]);
    std::memcpy(out.data() + i * sizeof(T), &value, sizeof(T));
  }
}

}  // namespace

void to_floats(std::span<const std::byte> in, DType dtype, std::span<float> out) {
  switch (dtype) {
    case DType::kU8: return each_in<std::uint8_t>(in, out, [](std::uint8_t v) { return static_cast<float>(v); });
    case DType::kI32: return each_in<std::int32_t>(in, out, [](std::int32_t v) { return static_cast<float>(v); });
    case DType::kBf16: return each_in<std::uint16_t>(in, out, from_bf16);
    case DType::kF16: return each_in<std::uint16_t>(in, out, from_f16);
    case DType::kF32: return each_in<float>(in, out, [](float v) { return v; });
  }
}

void from_floats(std::span<const float> in, DType dtype, std::span<std::byte> out) {
  switch (dtype) {
    case DType::kU8: return each_out<std::uint8_t>(in, out, to_u8);
    case DType::kBf16: return each_out<std::uint16_t>(in, out, to_bf16);
    case DType::kF16: return each_out<std::uint16_t>(in, out, to_f16);
    case DType::kI32:
    case DType::kF32: return each_out<float>(in, out, [](float v) { return v; });
  }
}

void round_to_bf16(std::span<float> values) {
  for (float& value : values) value = from_bf16(to_bf16(value));
}

}  // namespace posecam::sim
