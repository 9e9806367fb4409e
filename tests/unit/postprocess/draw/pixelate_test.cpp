#include "postprocess/draw/pixelate.h"

#include <array>
#include <limits>
#include <random>
#include <set>
#include <vector>

#include <gtest/gtest.h>

#include "models/core/geometry.h"

namespace posecam {
namespace {

constexpr PixelFormat kFormats[]{PixelFormat::kNv12, PixelFormat::kI420, PixelFormat::kBgr,
                                 PixelFormat::kRgb,  PixelFormat::kBgrx, PixelFormat::kRgbx};

/// Noise, so that every pixel that stays the same was left alone.
struct Frame {
  Frame(PixelFormat format, int width, int height, int padding = 0) {
    view.format = format;
    view.width = width;
    view.height = height;
    std::mt19937 random(7);
    for (std::size_t i = 0; i < static_cast<std::size_t>(plane_count(format)); ++i) {
      columns[i] = i == 0 ? width : (width + 1) / 2;
      rows[i] = i == 0 ? height : (height + 1) / 2;
      pixel[i] = i == 0 ? pixel_bytes(format) : format == PixelFormat::kNv12 ? 2 : 1;
      view.strides[i] = columns[i] * pixel[i] + padding;
      bytes[i].resize(static_cast<std::size_t>(view.strides[i] * rows[i]));
      for (auto& b : bytes[i]) b = static_cast<std::uint8_t>(random());
      view.planes[i] = bytes[i].data();
    }
  }
  /// The bytes of a pixel, the first of them lowest.
  std::uint32_t at(std::size_t plane, int x, int y) const {
    std::uint32_t value = 0;
    for (int i = 0; i < pixel[plane]; ++i) {
      value |= std::uint32_t{view.row(static_cast<int>(plane), y)[x * pixel[plane] + i]} << 8 * i;
    }
    return value;
  }
  MutableImageView view;
  std::array<std::vector<std::uint8_t>, 3> bytes;
  std::array<int, 3> columns{};
  std::array<int, 3> rows{};
  std::array<int, 3> pixel{};
};

TEST(Pixelate, LeavesAtMostSixteenColoursInEveryPlane) {
  for (const PixelFormat format : kFormats) {
    Frame frame(format, 320, 240);
    pixelate(frame.view, {40, 20, 140, 170});
    for (std::size_t p = 0; p < static_cast<std::size_t>(plane_count(format)); ++p) {
      const int step = frame.columns[p] == 320 ? 1 : 2;
      std::set<std::uint32_t> colours;
      for (int y = 20 / step; y < 170 / step; ++y) {
        for (int x = 40 / step; x < 140 / step; ++x) colours.insert(frame.at(p, x, y));
      }
      EXPECT_LE(colours.size(), 16U) << to_string(format) << " plane " << p;
      EXPECT_GE(colours.size(), 2U);
    }
  }
}

TEST(Pixelate, ABlockIsTheMeanOfItsPixels) {
  Frame frame(PixelFormat::kBgr, 32, 32);
  double sum = 0;
  for (int y = 8; y < 12; ++y) {
    for (int x = 8; x < 12; ++x) sum += frame.view.row(0, y)[3 * x + 1];
  }
  pixelate(frame.view, {8, 8, 24, 24});  // blocks of 4
  EXPECT_NEAR(frame.view.row(0, 11)[3 * 9 + 1], sum / 16, 0.5);
}

TEST(Pixelate, ChangesNothingOutsideNorInThePadding) {
  for (const PixelFormat format : kFormats) {
    for (const auto& [width, height] : {Size{64, 48}, Size{33, 17}}) {
      const Frame before(format, width, height, 5);
      Frame after(format, width, height, 5);
      const PixelRect part{9, 5, 23, 14};
      pixelate(after.view, part);
      for (std::size_t p = 0; p < static_cast<std::size_t>(plane_count(format)); ++p) {
        const int step = before.columns[p] == width ? 1 : 2;
        for (std::ptrdiff_t i = 0; i < before.view.strides[p] * before.rows[p]; ++i) {
          const auto x = static_cast<int>(i % before.view.strides[p]) / before.pixel[p];
          const auto y = static_cast<int>(i / before.view.strides[p]);
          // Widened to whole chroma samples.
          const bool inside = x < before.columns[p] && x >= 8 / step && x < 24 / step && y >= 4 / step && y < 14 / step;
          const auto at = static_cast<std::size_t>(i);
          if (inside) continue;
          ASSERT_EQ(before.bytes[p][at], after.bytes[p][at]) << to_string(format) << ' ' << x << ',' << y;
        }
      }
    }
  }
}

TEST(Pixelate, ReachesTheLastColumnAndRowOfOddFrames) {
  for (const PixelFormat format : kFormats) {
    Frame frame(format, 33, 17);
    const Frame before = Frame(format, 33, 17);
    pixelate(frame.view, {0, 0, 33, 17});
    for (std::size_t p = 0; p < static_cast<std::size_t>(plane_count(format)); ++p) {
      const int x = frame.columns[p] - 1;
      const int y = frame.rows[p] - 1;
      EXPECT_EQ(frame.at(p, x, y), frame.at(p, x - 1, y)) << to_string(format);
      EXPECT_NE(before.at(p, x, y), before.at(p, x - 1, y));
    }
  }
}

TEST(Pixelate, ClipsPartsThatReachOutOfTheFrame) {
  constexpr int kMost = std::numeric_limits<int>::max();
  constexpr int kLeast = std::numeric_limits<int>::min();
  for (const PixelFormat format : kFormats) {
    for (const auto& [width, height] : {Size{1, 1}, Size{2, 1}, Size{33, 17}, Size{320, 240}}) {
      for (const PixelRect& part :
           {PixelRect{kLeast, kLeast, kMost, kMost}, PixelRect{-10, -10, 5, 5}, PixelRect{30, 10, 400, 400},
            PixelRect{5, 5, 5, 9}, PixelRect{9, 9, 2, 2}, PixelRect{kMost, 0, kMost, 10}, PixelRect{0, 0, 1, 1}}) {
        Frame frame(format, width, height, 3);
        pixelate(frame.view, part);
      }
    }
  }
  Frame frame(PixelFormat::kNv12, 64, 64);
  const Frame before(PixelFormat::kNv12, 64, 64);
  pixelate(frame.view, {70, 70, 90, 90});
  EXPECT_EQ(frame.bytes, before.bytes);
}

}  // namespace
}  // namespace posecam
