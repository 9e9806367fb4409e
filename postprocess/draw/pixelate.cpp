#include "postprocess/draw/pixelate.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace posecam {
namespace {

// One plane as rows of pixels of `kBytes` bytes.
struct Plane {
  std::uint8_t* data;
  std::ptrdiff_t stride;
};

template <int kBytes>
void flatten(const Plane& plane, const PixelRect& block) {
  std::array<std::uint32_t, kBytes> sums{};  // 2^24 pixels of 255
  const std::ptrdiff_t width = block.x1 - block.x0;
  const auto row = [&](int y) { return plane.data + plane.stride * y + std::ptrdiff_t{kBytes} * block.x0; };
  for (int y = block.y0; y < block.y1; ++y) {
    const std::uint8_t* in = row(y);
    for (std::ptrdiff_t x = 0; x < width; ++x) {
      for (std::size_t c = 0; c < kBytes; ++c) sums[c] += in[kBytes * x + static_cast<std::ptrdiff_t>(c)];
    }
  }
  const auto count = static_cast<std::uint32_t>(width * (block.y1 - block.y0));
  std::array<std::uint8_t, kBytes> mean{};
  for (std::size_t c = 0; c < kBytes; ++c) mean[c] = static_cast<std::uint8_t>((sums[c] + count / 2) / count);
  for (int y = block.y0; y < block.y1; ++y) {
    std::uint8_t* out = row(y);
    for (std::ptrdiff_t x = 0; x < width; ++x) std::copy(mean.begin(), mean.end(), out + kBytes * x);
  }
}

template <int kBytes>
void flatten_blocks(const Plane& plane, const PixelRect& part, int side) {
  for (int y = part.y0; y < part.y1; y += side) {
    for (int x = part.x0; x < part.x1; x += side) {
      flatten<kBytes>(plane, {x, y, std::min(x + side, part.x1), std::min(y + side, part.y1)});
    }
  }
}

}  // namespace

void pixelate(const MutableImageView& image, const PixelRect& part) {
  const PixelRect r{std::max(part.x0, 0) / 2 * 2, std::max(part.y0, 0) / 2 * 2, std::min(part.x1, image.width),
                    std::min(part.y1, image.height)};
  if (r.x1 <= r.x0 || r.y1 <= r.y0) return;
  const PixelRect half{r.x0 / 2, r.y0 / 2, (r.x1 + 1) / 2, (r.y1 + 1) / 2};
  // Luma ends where the last chroma sample does.
  const PixelRect full{r.x0, r.y0, std::min(2 * half.x1, image.width), std::min(2 * half.y1, image.height)};
  const int longer = std::max(half.x1 - half.x0, half.y1 - half.y0);
  const int side = (longer + kPixelatedBlocks - 1) / kPixelatedBlocks;  // in chroma samples
  const auto plane = [&](std::size_t i) { return Plane{image.planes[i], image.strides[i]}; };
  switch (image.format) {
    case PixelFormat::kNv12:
      flatten_blocks<1>(plane(0), full, 2 * side);
      flatten_blocks<2>(plane(1), half, side);
      return;
    case PixelFormat::kI420:
      flatten_blocks<1>(plane(0), full, 2 * side);
      flatten_blocks<1>(plane(1), half, side);
      flatten_blocks<1>(plane(2), half, side);
      return;
    case PixelFormat::kBgr:
    case PixelFormat::kRgb: flatten_blocks<3>(plane(0), full, 2 * side); return;
    case PixelFormat::kBgrx:
    case PixelFormat::kRgbx: flatten_blocks<4>(plane(0), full, 2 * side); return;
  }
}

}  // namespace posecam
