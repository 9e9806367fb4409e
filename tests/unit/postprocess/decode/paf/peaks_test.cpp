#include "postprocess/decode/paf/peaks.h"

#include <functional>
#include <vector>

#include <gtest/gtest.h>

namespace posecam {
namespace {

constexpr int kCells = 4;

/// The peaks of an enlarged map with these values.
std::vector<Peak> peaks_of(const std::function<float(int x, int y)>& value) {
  PaddedPlane smoothed;
  smoothed.reset(kCells * kEnlargement, kCells * kEnlargement, kEnlargement);
  for (int y = 0; y < smoothed.height(); ++y) {
    for (int x = 0; x < smoothed.width(); ++x) smoothed.row(y)[x] = value(x, y);
  }
  PaddedPlane raw;
  raw.reset(kCells, kCells, 0);
  for (int y = 0; y < kCells; ++y) {
    for (int x = 0; x < kCells; ++x) raw.row(y)[x] = static_cast<float>(10 * y + x);
  }
  PeakTable table;
  find_peaks(smoothed, raw, {0, 0, kCells, kCells}, 0.5F, 0, table);
  return {table.of(0).begin(), table.of(0).end()};
}

float square(float value) { return value * value; }

TEST(Peaks, LieBetweenPixelsWhereTheTopOfAParabolaDoes) {
  for (const float x : {5.6F, 6.0F, 6.3F, 6.49F}) {
    constexpr float kY = 8.8F;
    const auto peaks = peaks_of([&](int u, int v) {
      return 1 - 0.02F * (square(static_cast<float>(u) - x) + square(static_cast<float>(v) - kY));
    });
    ASSERT_EQ(peaks.size(), 1U) << x;
    EXPECT_NEAR(peaks[0].x, x, 1e-3F);
    EXPECT_NEAR(peaks[0].y, kY, 1e-3F);
    EXPECT_EQ(peaks[0].score, 21) << "of the cell below";
  }
}

TEST(Peaks, LieInTheMiddleOfAFlatTop) {
  const auto peaks = peaks_of([](int x, int y) { return x >= 4 && x <= 6 && y == 9 ? 1.0F : 0.25F; });
  ASSERT_EQ(peaks.size(), 1U);
  EXPECT_EQ(peaks[0].x, 5);
  EXPECT_EQ(peaks[0].y, 9);
}

TEST(Peaks, AreAboveTheThreshold) {
  EXPECT_EQ(peaks_of([](int x, int y) { return x == 4 && y == 4 ? 0.5F : 0.0F; }).size(), 0U);
  EXPECT_EQ(peaks_of([](int x, int y) { return x == 4 && y == 4 ? 0.51F : 0.0F; }).size(), 1U);
}

}  // namespace
}  // namespace posecam
