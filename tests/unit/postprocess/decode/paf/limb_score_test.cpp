#include "postprocess/decode/paf/limb_score.h"

#include <span>
#include <vector>

#include <gtest/gtest.h>

namespace posecam {
namespace {

constexpr int kWidth = 20;  // cells
constexpr int kHeight = 8;  // 32 pixels of the enlarged map

using ScoreLimbs = void (*)(const PafField&, std::span<const Peak>, std::span<const Peak>, float,
                            std::vector<LimbCandidate>&);

class LimbScore : public testing::TestWithParam<ScoreLimbs> {
 protected:
  /// Of a limb from (2, 10) to (2 + dx, 10 + dy) in a field that points to the right everywhere but behind `ends`; 0:
  /// it does not pass.
  static float score(float dx, float dy, int ends = kWidth) {
    std::vector<float> x(kWidth * kHeight, 1);
    const std::vector<float> y(kWidth * kHeight, 0);
    for (int row = 0; row < kHeight; ++row) {
      for (int column = ends; column < kWidth; ++column) x[static_cast<std::size_t>(row * kWidth + column)] = 0;
    }
    const Peak from{2, 10, 1};
    const Peak to{2 + dx, 10 + dy, 1};
    std::vector<LimbCandidate> candidates;
    GetParam()({x.data(), y.data(), kWidth, kHeight}, {&from, 1}, {&to, 1}, 0.05F, candidates);
    return candidates.empty() ? 0 : candidates.front().score;
  }
};
INSTANTIATE_TEST_SUITE_P(Modes, LimbScore, testing::Values(score_limbs, score_limbs_reference),
                         [](const auto& tested) { return tested.param == &score_limbs ? "Fast" : "Reference"; });

TEST_P(LimbScore, IsHowMuchOfTheLimbTheFieldAgreesWith) {
  EXPECT_FLOAT_EQ(score(16, 0), 1);
  EXPECT_NEAR(score(8, 8), 0.7071F, 1e-4F) << "across";
  EXPECT_EQ(score(0, 12), 0) << "at a right angle";
  EXPECT_EQ(score(0, 0), 0) << "of no length";
}

TEST_P(LimbScore, IsLessOfLimbsThatAreLongerThanHalfTheMapIsHigh) {
  EXPECT_FLOAT_EQ(score(20, 0), 0.8F);
  EXPECT_FLOAT_EQ(score(32, 0), 0.5F);
  EXPECT_FLOAT_EQ(score(64, 0), 0.25F);
}

TEST_P(LimbScore, WantsTheFieldOnSevenOfTenSamples) {
  EXPECT_GT(score(40, 0, 7), 0) << "seven";
  EXPECT_EQ(score(30, 0, 5), 0) << "six";
}

}  // namespace
}  // namespace posecam
