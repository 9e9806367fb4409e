#include "postprocess/decode/paf/gaussian.h"

#include <cmath>
#include <limits>
#include <numeric>

#include <gtest/gtest.h>

namespace posecam {
namespace {

TEST(Gaussian, KernelSumsToOneAndIsSymmetric) {
  for (const int taps : {1, 2, 5, 24, 25, kMaxTaps}) {
    const auto kernel = gaussian_taps(taps);
    EXPECT_NEAR(std::accumulate(kernel.begin(), kernel.end(), 0.0), 1.0, 1e-5) << taps;
    for (std::size_t i = 0; i < kernel.size(); ++i) EXPECT_NEAR(kernel[i], kernel[kernel.size() - 1 - i], 1e-6F);
  }
}

TEST(Gaussian, PhaseKernelsSumToOneAndMirrorEachOther) {
  for (const int taps : {1, 5, 25, 41}) {
    const PhaseKernels kernels = phase_kernels(taps);
    const std::size_t count = kernels.phases[0].size();
    for (std::size_t p = 0; p < kernels.phases.size(); ++p) {
      EXPECT_NEAR(std::accumulate(kernels.phases[p].begin(), kernels.phases[p].end(), 0.0), 1.0, 1e-5);
      for (std::size_t t = 0; t < count; ++t) {
        EXPECT_NEAR(kernels.phases[p][t], kernels.phases[kernels.phases.size() - 1 - p][count - 1 - t], 1e-6F);
      }
    }
  }
}

TEST(Gaussian, LoadingReplacesWhatIsNoNumberAndFindsWhatIsAbove) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float inf = std::numeric_limits<float>::infinity();
  const std::vector<float> in{0, nan, 0, 0, 0, 0.5F, 0.6F, inf, 0, -inf, 1e30F, 0};
  PaddedPlane plane;
  plane.reset(4, 3, 2);
  const CellBox box = load_plane(in.data(), 0.4F, plane);
  EXPECT_EQ(box.x0, 1);
  EXPECT_EQ(box.x1, 3);
  EXPECT_EQ(box.y0, 1);
  EXPECT_EQ(box.y1, 2);
  EXPECT_EQ(plane.row(0)[1], 0);
  EXPECT_EQ(plane.row(1)[3], 0);
  EXPECT_EQ(plane.row(2)[1], 0);
  EXPECT_EQ(plane.row(2)[2], 0);
  EXPECT_TRUE(load_plane(in.data(), 0.7F, plane).empty());
}

}  // namespace
}  // namespace posecam
