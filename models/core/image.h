#pragma once
// Images as borrowed planes with strides: what a decoder hands over, whatever its layout.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace posecam {

/// Memory order of the bytes, as GStreamer names its formats. X/A is the ignored fourth byte.
enum class PixelFormat : std::uint8_t { kNv12, kI420, kBgr, kRgb, kBgrx, kRgbx };

/// Whether colour is apart from luma, in planes of half its resolution.
constexpr bool is_yuv(PixelFormat f) { return f == PixelFormat::kNv12 || f == PixelFormat::kI420; }
/// Number of planes: NV12 has Y, UV; I420 has Y, U, V; packed formats one.
constexpr int plane_count(PixelFormat f) { return f == PixelFormat::kI420 ? 3 : f == PixelFormat::kNv12 ? 2 : 1; }
/// Bytes from one pixel to the next in a packed format; 1 for the luma plane of YUV.
constexpr int pixel_bytes(PixelFormat f) {
  return is_yuv(f) ? 1 : (f == PixelFormat::kBgr || f == PixelFormat::kRgb) ? 3 : 4;
}
/// "NV12", "I420", "BGR", "RGB", "BGRx", "RGBx".
std::string_view to_string(PixelFormat f);

/// How YUV maps to RGB. Video below 720 lines is usually BT.601, above BT.709; full = JPEG range 0..255.
struct YuvColorimetry {
  enum class Matrix : std::uint8_t { kBt601, kBt709 };  ///< ITU-R recommendations
  Matrix matrix = Matrix::kBt601;
  bool full_range = false;  ///< false: luma 16..235, chroma 16..240
};

/// Borrowed pixels. Byte is `const std::uint8_t` or `std::uint8_t`. Width and height in pixels, any size >= 1,
/// odd ones included (chroma planes of YUV then have (w+1)/2 x (h+1)/2 samples). Strides in bytes, >= the row.
template <class Byte>
struct BasicImageView {
  PixelFormat format = PixelFormat::kBgr;
  int width = 0;
  int height = 0;
  std::array<Byte*, 3> planes{};            ///< plane_count(format) of them
  std::array<std::ptrdiff_t, 3> strides{};  ///< of each plane
  YuvColorimetry colorimetry;               ///< of YUV formats
  float pixel_aspect = 1;                   ///< width of a pixel in its height, as displayed; > 0

  /// The first byte of line `y` of that plane, in its own lines: those of chroma are half as many.
  Byte* row(int plane, int y) const {
    const auto p = static_cast<std::size_t>(plane);
    return planes[p] + strides[p] * y;
  }
};

/// What is only read, and what may be drawn on.
using ImageView = BasicImageView<const std::uint8_t>;
using MutableImageView = BasicImageView<std::uint8_t>;

/// The same pixels for those who only read.
inline ImageView as_const(const MutableImageView& v) {
  return {v.format,  v.width,       v.height,      {v.planes[0], v.planes[1], v.planes[2]},
          v.strides, v.colorimetry, v.pixel_aspect};
}

}  // namespace posecam
