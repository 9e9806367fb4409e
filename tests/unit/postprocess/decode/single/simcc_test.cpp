#include "postprocess/decode/single/simcc.h"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>

#include "tests/unit/postprocess/decode/single/single_model.h"

namespace posecam {
namespace {

using test::kParts;
using test::poses_of;
using test::view;
using testing::HasSubstr;

constexpr std::size_t kColumns = 128;  // twice the input
constexpr std::size_t kRows = 64;
constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

ModelSpec model() { return test::single_model({"rows", "columns"}); }

SimccDecoder decoder(SimccDecoder::Score score = SimccDecoder::Score::kSmaller) {
  SimccDecoder simcc;
  simcc.x = "columns";
  simcc.y = "rows";
  simcc.score = score;
  return simcc;
}

struct Bins {
  std::vector<float> columns = std::vector<float>(kParts * kColumns, -1.F);
  std::vector<float> rows = std::vector<float>(kParts * kRows, -1.F);

  void set(std::size_t part, std::size_t x, float x_value, std::size_t y, float y_value) {
    columns[part * kColumns + x] = x_value;
    rows[part * kRows + y] = y_value;
  }
  std::vector<TensorView> views() const {
    return {view(rows, {1, kParts, kRows}), view(columns, {1, kParts, kColumns})};
  }
};

TEST(Simcc, TakesTheHighestBinsAndTheSmallerMaximum) {
  Bins bins;
  bins.set(0, 96, 0.75F, 16, 0.5F);
  bins.set(1, 127, 0.375F, 63, 0.5F);
  bins.set(2, 3, 0.25F, 3, 0.9F);  // below the threshold of 0.3
  const auto poses = poses_of(model(), decoder(), bins.views());
  ASSERT_EQ(poses.size(), 1U);
  const auto& keypoints = poses[0].keypoints;
  EXPECT_FLOAT_EQ(keypoints[0]->x, 48.F / 64);
  EXPECT_FLOAT_EQ(keypoints[0]->y, 8.F / 32);
  EXPECT_FLOAT_EQ(keypoints[0]->score, 0.5F);
  EXPECT_FLOAT_EQ(keypoints[1]->x, 63.5F / 64);
  EXPECT_FLOAT_EQ(keypoints[1]->y, 31.5F / 32);
  EXPECT_FALSE(keypoints[2]);
  EXPECT_FALSE(keypoints[3]) << "0 or less is not found";
  EXPECT_FLOAT_EQ(poses[0].score, (0.5F + 0.375F) / 2);
}

TEST(Simcc, OrTheirMean) {
  Bins bins;
  bins.set(0, 1, 0.75F, 1, 0.25F);
  bins.set(1, 1, 1.5F, 1, 1.5F);
  const auto poses = poses_of(model(), decoder(SimccDecoder::Score::kMean), bins.views());
  ASSERT_EQ(poses.size(), 1U);
  EXPECT_FLOAT_EQ(poses[0].keypoints[0]->score, 0.5F);
  EXPECT_FLOAT_EQ(poses[0].keypoints[1]->score, 1) << "limited";
}

TEST(Simcc, TheRatioMakesBinsPixels) {
  Bins bins;
  bins.columns.assign(kParts * 64, 0);
  bins.rows.assign(kParts * 32, 0);
  bins.columns[10] = bins.rows[20] = 1;
  SimccDecoder simcc = decoder();
  simcc.ratio = 1;
  const auto poses = poses_of(model(), simcc, {view(bins.rows, {1, kParts, 32}), view(bins.columns, {1, kParts, 64})},
                              {{56, 32}, test::kInput, {4, 0}, {56, 32}});
  ASSERT_EQ(poses.size(), 1U);
  EXPECT_FLOAT_EQ(poses[0].keypoints[0]->x, 6.F / 56);
  EXPECT_FLOAT_EQ(poses[0].keypoints[0]->y, 20.F / 32);
}

TEST(Simcc, SurvivesAnyContent) {
  for (const float v : {0.F, 1.F, -1.F, 3e38F, -3e38F, kInf, -kInf, kNan}) {
    for (const auto score : {SimccDecoder::Score::kSmaller, SimccDecoder::Score::kMean}) {
      Bins bins;
      std::ranges::fill(bins.columns, v);
      std::ranges::fill(bins.rows, v);
      EXPECT_EQ(poses_of(model(), decoder(score), bins.views()).size(), std::isfinite(v) && v > 0 ? 1U : 0U) << v;
      bins.set(0, 5, 0.5F, 6, 0.5F);
      if (!std::isfinite(v) || v <= 0) {
        const auto poses = poses_of(model(), decoder(score), bins.views());
        ASSERT_EQ(poses.size(), 1U) << v;
        EXPECT_FLOAT_EQ(poses[0].keypoints[0]->x, 2.5F / 64);
      }
    }
  }
}

TEST(Simcc, AllocatesNothingOnceWarm) {
  Bins bins;
  bins.set(0, 96, 0.75F, 16, 0.5F);
  test::expect_no_allocation_once_warm(model(), decoder(), bins.views());
}

TEST(Simcc, RefusesWhatDoesNotFit) {
  test::expect_refusals_of_options(model(), decoder());
  const Bins bins;
  auto views = bins.views();
  std::swap(views[0], views[1]);
  EXPECT_THAT(test::refusal(model(), decoder(), views),
              HasSubstr("output 'columns' is 1x17x64 f32, expected f32 of 2176 values (17 parts of 128 bins)"));
  SimccDecoder one = decoder();
  one.ratio = 1;
  EXPECT_THAT(test::refusal(model(), one, bins.views()), HasSubstr("17 parts of 64 bins"));
  one.ratio = 0;
  EXPECT_EQ(one.make(model(), {}).error().code, Errc::kModel);
}

}  // namespace
}  // namespace posecam
