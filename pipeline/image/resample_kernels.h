#pragma once
// The inner loops of preprocessing: plain loops over one line that the compiler vectorises, built for several
// instruction sets and chosen when the program is loaded. All are pure; ranges do not overlap.

#include <array>
#include <cstddef>
#include <cstdint>

namespace posecam::kernels {

/// Fixed point of blended lines: 1.0 is 256, so that 255 still fits 16 bits.
inline constexpr int kBlendOne = 256;

/// YUV in units of 1/256 -> RGB in 0..255: c = y * luma + u * from_u[c] + v * from_v[c] + offset[c].
struct YuvMatrix {
  float luma = 0;
  std::array<float, 3> from_u{};
  std::array<float, 3> from_v{};
  std::array<float, 3> offset{};
};

/// out[i] = near[i] * (256 - weight) + far[i] * weight, weight in 0..256.
void blend_lines(const std::uint8_t* near, const std::uint8_t* far, std::uint16_t weight, std::size_t n,
                 std::uint16_t* out);

/// out[i] = line[near[i]] * (1 - weight[i]) + line[far[i]] * weight[i].
void sample_columns(const std::uint16_t* line, const std::int32_t* near, const std::int32_t* far, const float* weight,
                    std::size_t n, float* out);

/// One channel of RGB, saturated to 0..255, then * scale + bias.
void yuv_to_channel(const float* y, const float* u, const float* v, const YuvMatrix& matrix, std::size_t channel,
                    float scale, float bias, std::size_t n, float* out);

/// line[i] = line[i] * scale + bias.
void scale_line(float scale, float bias, std::size_t n, float* line);

/// out[i * stride], rounded half up and saturated to 0..255.
void store_u8(const float* line, std::size_t n, std::size_t stride, std::uint8_t* out);
/// out[i * stride], rounded to nearest even.
void store_bf16(const float* line, std::size_t n, std::size_t stride, std::uint16_t* out);
/// out[i * stride] = line[i].
void store_f32(const float* line, std::size_t n, std::size_t stride, float* out);

}  // namespace posecam::kernels
