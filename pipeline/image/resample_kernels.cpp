#include "pipeline/image/resample_kernels.h"

#include <algorithm>
#include <bit>

#include "models/core/simd.h"

namespace posecam::kernels {

POSECAM_SIMD_WIDE
void blend_lines(const std::uint8_t* __restrict near, const std::uint8_t* __restrict far, std::uint16_t weight,
                 std::size_t n, std::uint16_t* __restrict out) {
  const auto rest = static_cast<std::uint16_t>(kBlendOne - weight);
  for (std::size_t i = 0; i < n; ++i) out[i] = static_cast<std::uint16_t>(near[i] * rest + far[i] * weight);
}

POSECAM_SIMD_WIDE
void sample_columns(const std::uint16_t* __restrict line, const std::int32_t* __restrict near,
                    const std::int32_t* __restrict far, const float* __restrict weight, std::size_t n,
                    float* __restrict out) {
  for (std::size_t i = 0; i < n; ++i) {
    const float a = line[near[i]];
    const float b = line[far[i]];
    out[i] = a + (b - a) * weight[i];
  }
}

POSECAM_SIMD_WIDE
void yuv_to_channel(const float* __restrict y, const float* __restrict u, const float* __restrict v,
                    const YuvMatrix& matrix, std::size_t channel, float scale, float bias, std::size_t n,
                    float* __restrict out) {
  const float luma = matrix.luma;
  const float from_u = matrix.from_u[channel];
  const float from_v = matrix.from_v[channel];
  const float offset = matrix.offset[channel];
  for (std::size_t i = 0; i < n; ++i) {
    const float c = y[i] * luma + u[i] * from_u + v[i] * from_v + offset;
    const float low = c > 0.0F ? c : 0.0F;
    out[i] = (low < 255.0F ? low : 255.0F) * scale + bias;
  }
}

POSECAM_SIMD_WIDE
void scale_line(float scale, float bias, std::size_t n, float* line) {
  for (std::size_t i = 0; i < n; ++i) line[i] = line[i] * scale + bias;
}

POSECAM_SIMD_WIDE
void store_u8(const float* __restrict line, std::size_t n, std::size_t stride, std::uint8_t* __restrict out) {
  for (std::size_t i = 0; i < n; ++i) {
    const float low = line[i] > 0.0F ? line[i] : 0.0F;
    // Unlike lround, this vectorises, and it is never negative here. NOLINTNEXTLINE(bugprone-incorrect-roundings)
    out[i * stride] = static_cast<std::uint8_t>(static_cast<std::int32_t>((low < 255.0F ? low : 255.0F) + 0.5F));
  }
}

POSECAM_SIMD_WIDE
void store_bf16(const float* __restrict line, std::size_t n, std::size_t stride, std::uint16_t* __restrict out) {
  for (std::size_t i = 0; i < n; ++i) {
    const auto bits = std::bit_cast<std::uint32_t>(line[i]);
    out[i * stride] = static_cast<std::uint16_t>((bits + 0x7FFFU + ((bits >> 16U) & 1U)) >> 16U);
  }
}

POSECAM_SIMD_WIDE
void store_f32(const float* __restrict line, std::size_t n, std::size_t stride, float* __restrict out) {
  for (std::size_t i = 0; i < n; ++i) out[i * stride] = line[i];
}

}  // namespace posecam::kernels
