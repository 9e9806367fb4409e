#include "postprocess/decode/single/heatmaps.h"

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
using Refine = HeatmapsDecoder::Refine;

constexpr int kWidth = 16;  // cells of stride 4
constexpr int kHeight = 8;
constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

ModelSpec model() { return test::single_model({"maps"}); }

HeatmapsDecoder decoder(Refine refine, Layout layout = Layout::kNchw) {
  HeatmapsDecoder heatmaps;
  heatmaps.maps = {{"maps", 0}, layout, 4};
  heatmaps.refine = refine;
  return heatmaps;
}

/// The maps of one frame, in planes.
struct Planes {
  std::size_t channels = kParts;
  std::vector<float> values = std::vector<float>(channels * kWidth * kHeight, 0.F);

  float& at(std::size_t part, int x, int y) {
    return values[part * kWidth * kHeight + static_cast<std::size_t>(y * kWidth + x)];
  }
  /// A Gaussian as networks are trained with, its top anywhere.
  void draw(std::size_t part, Point top, float sigma, float height = 1) {
    for (int y = 0; y < kHeight; ++y) {
      for (int x = 0; x < kWidth; ++x) {
        const float dx = static_cast<float>(x) - top.x;
        const float dy = static_cast<float>(y) - top.y;
        at(part, x, y) = height * std::exp(-(dx * dx + dy * dy) / (2 * sigma * sigma));
      }
    }
  }
  std::vector<TensorView> views() const {
    return {view(values, {1, static_cast<std::int64_t>(channels), kHeight, kWidth})};
  }
  /// The same values, channels side by side.
  std::vector<float> interleaved() const {
    std::vector<float> turned;
    for (std::size_t cell = 0; cell < std::size_t{kWidth} * kHeight; ++cell) {
      for (std::size_t c = 0; c < channels; ++c) turned.push_back(values[c * kWidth * kHeight + cell]);
    }
    return turned;
  }
};

/// In cells.
Point place(const std::vector<Pose>& poses, std::size_t part) {
  EXPECT_EQ(poses.size(), 1U);
  if (poses.empty() || !poses[0].keypoints[part]) return {kNan, kNan};
  return {poses[0].keypoints[part]->x * kWidth, poses[0].keypoints[part]->y * kHeight};
}

TEST(Heatmaps, TakeTheHighestCellAndItsValue) {
  Planes planes;
  planes.at(2, 5, 3) = 0.75F;
  planes.at(2, 6, 3) = 0.5F;
  planes.at(4, 0, 7) = 0.25F;
  planes.at(5, 1, 1) = 0.1F;  // below the threshold of 0.2
  const auto poses = poses_of(model(), decoder(Refine::kNone), planes.views());
  EXPECT_FLOAT_EQ(place(poses, 2).x, 5);
  EXPECT_FLOAT_EQ(place(poses, 2).y, 3);
  EXPECT_FLOAT_EQ(place(poses, 4).y, 7);
  EXPECT_FLOAT_EQ(poses[0].keypoints[2]->score, 0.75F);
  EXPECT_FLOAT_EQ(poses[0].score, 0.5F) << "the mean of those that were found";
  EXPECT_FALSE(poses[0].keypoints[5]);
  EXPECT_FALSE(poses[0].keypoints[0]);
}

TEST(Heatmaps, OfEqualsTheFirstRowWise) {
  Planes planes;
  planes.at(0, 9, 2) = planes.at(0, 3, 5) = 0.5F;
  const auto turned = planes.interleaved();
  for (const auto& poses :
       {poses_of(model(), decoder(Refine::kNone), planes.views()),
        poses_of(model(), decoder(Refine::kNone, Layout::kNhwc), {view(turned, {1, kHeight, kWidth, kParts})})}) {
    EXPECT_FLOAT_EQ(place(poses, 0).x, 9);
  }
}

TEST(Heatmaps, GoAQuarterOfACellTowardsTheHigherNeighbour) {
  Planes planes;
  planes.at(0, 5, 3) = 1;
  planes.at(0, 6, 3) = 0.5F;
  planes.at(0, 5, 2) = 0.25F;
  planes.at(1, 0, 0) = 1;  // no neighbours on both sides
  planes.at(1, 1, 0) = planes.at(1, 0, 1) = 0.5F;
  planes.at(2, 1, 3) = 1;  // the neighbours are alike
  const auto poses = poses_of(model(), decoder(Refine::kQuarter), planes.views());
  EXPECT_FLOAT_EQ(place(poses, 0).x, 5.25F);
  EXPECT_FLOAT_EQ(place(poses, 0).y, 2.75F);
  EXPECT_FLOAT_EQ(place(poses, 1).x, 0);
  EXPECT_FLOAT_EQ(place(poses, 1).y, 0);
  EXPECT_FLOAT_EQ(place(poses, 2).x, 1);
}

TEST(Heatmaps, DarkFindsTheTopOfAGaussian) {
  Planes planes;
  for (std::size_t part = 0; part < kParts; ++part) {
    planes.draw(part, {6.1F + 0.05F * static_cast<float>(part), 3.3F + 0.02F * static_cast<float>(part)}, 1, 0.9F);
  }
  HeatmapsDecoder dark = decoder(Refine::kDark);
  dark.taps = 3;
  const auto poses = poses_of(model(), dark, planes.views());
  for (std::size_t part = 0; part < kParts; ++part) {
    EXPECT_NEAR(place(poses, part).x, 6.1F + 0.05F * static_cast<float>(part), 0.02F) << part;
    EXPECT_NEAR(place(poses, part).y, 3.3F + 0.02F * static_cast<float>(part), 0.02F) << part;
  }
}

// By the authors' own steps, on whole maps: the Gaussian, its logarithm, derivative and Hessian.
Point dark_step_by_hand(Planes& planes, int x, int y, int taps) {
  const float sigma = 0.3F * (static_cast<float>(taps - 1) * 0.5F - 1) + 0.8F;
  const auto smooth = [&](int cx, int cy) {
    double sum = 0, weights = 0;
    for (int j = -taps / 2; j <= taps / 2; ++j) {
      for (int i = -taps / 2; i <= taps / 2; ++i) {
        const double weight = std::exp(-(i * i + j * j) / (2.0 * sigma * sigma));
        weights += weight;
        const int px = cx + i, py = cy + j;
        if (px >= 0 && py >= 0 && px < kWidth && py < kHeight) sum += weight * planes.at(0, px, py);
      }
    }
    return std::log(std::max(sum / weights, 1e-10));
  };
  const double dx = (smooth(x + 1, y) - smooth(x - 1, y)) / 2;
  const double dy = (smooth(x, y + 1) - smooth(x, y - 1)) / 2;
  const double dxx = (smooth(x + 2, y) - 2 * smooth(x, y) + smooth(x - 2, y)) / 4;
  const double dyy = (smooth(x, y + 2) - 2 * smooth(x, y) + smooth(x, y - 2)) / 4;
  const double dxy = (smooth(x + 1, y + 1) - smooth(x - 1, y + 1) - smooth(x + 1, y - 1) + smooth(x - 1, y - 1)) / 4;
  const double det = dxx * dyy - dxy * dxy;
  return {static_cast<float>(x - (dyy * dx - dxy * dy) / det), static_cast<float>(y - (dxx * dy - dxy * dx) / det)};
}

TEST(Heatmaps, DarkIsTheAuthorsStepsOnTheCellsAroundThePeak) {
  for (const int taps : {3, 7, 11}) {
    Planes planes;
    planes.draw(0, {6.8F, 3.6F}, 1.5F);
    planes.at(0, 9, 2) += 0.2F;  // and something that is no Gaussian
    planes.at(0, 6, 5) += 0.1F;
    HeatmapsDecoder dark = decoder(Refine::kDark);
    dark.taps = taps;
    const Point expected = dark_step_by_hand(planes, 7, 4, taps);
    const Point found = place(poses_of(model(), dark, planes.views()), 0);
    EXPECT_NEAR(found.x, expected.x, 1e-3F) << taps;
    EXPECT_NEAR(found.y, expected.y, 1e-3F) << taps;
    EXPECT_NE(found.x, 7.F);
  }
}

TEST(Heatmaps, DarkStaysOnTheCellWhereThereIsNoTop) {
  Planes planes;
  planes.draw(0, {1.2F, 3.1F}, 1);                          // within two cells of the edge
  for (int x = 0; x < kWidth; ++x) planes.at(1, x, 4) = 1;  // a ridge
  planes.at(1, 8, 4) = 1.5F;
  for (int x = 9; x < kWidth; ++x) planes.at(1, x, 4) = 1.45F;
  std::ranges::fill(std::span(planes.values).subspan(2UL * kWidth * kHeight, 1UL * kWidth * kHeight), 1.F);  // a plain
  planes.at(3, 8, 4) = 1;  // a single cell between cells that are not finite
  planes.at(3, 9, 4) = kNan;
  planes.at(3, 7, 4) = kInf;
  HeatmapsDecoder dark = decoder(Refine::kDark);
  dark.taps = 3;
  const auto poses = poses_of(model(), dark, planes.views());
  EXPECT_FLOAT_EQ(place(poses, 0).x, 1);
  EXPECT_NEAR(place(poses, 1).x, 8, 2);
  EXPECT_FLOAT_EQ(place(poses, 2).x, 0);
  EXPECT_NEAR(place(poses, 3).x, 8, 1e-3F);
}

TEST(Heatmaps, BothLayoutsAndChannelsBeforeTheFirstGiveTheSame) {
  Planes planes;
  planes.channels = kParts + 3;
  planes.values.assign(planes.channels * kWidth * kHeight, 0);
  for (std::size_t part = 0; part < kParts; ++part)
    planes.draw(part + 2, {2.F + 0.7F * static_cast<float>(part), 4}, 1);
  const auto turned = planes.interleaved();
  for (const Refine refine : {Refine::kNone, Refine::kQuarter, Refine::kDark}) {
    auto first = decoder(refine);
    auto second = decoder(refine, Layout::kNhwc);
    first.maps.channels.first = second.maps.channels.first = 2;
    const auto a = poses_of(model(), first, planes.views());
    const auto b = poses_of(model(), second, {view(turned, {1, kHeight, kWidth, kParts + 3})});
    for (std::size_t part = 0; part < kParts; ++part) {
      EXPECT_FLOAT_EQ(place(a, part).x, place(b, part).x);
      EXPECT_NEAR(place(a, part).x, 2.F + 0.7F * static_cast<float>(part), 0.51F);
    }
  }
}

TEST(Heatmaps, KnowWhereInACellAPeakLies) {
  Planes planes;
  planes.at(0, 5, 3) = 1;
  HeatmapsDecoder middle = decoder(Refine::kNone);
  middle.cell_offset = 0.5F;
  // Cell 5 of stride 4 is pixels 20 to 24; the picture starts at pixel 2.
  const auto poses = poses_of(model(), middle, planes.views(), {{60, 30}, test::kInput, {2, 0}, {60, 30}});
  ASSERT_EQ(poses.size(), 1U);
  EXPECT_FLOAT_EQ(poses[0].keypoints[0]->x, (22.F - 2) / 60);
  EXPECT_FLOAT_EQ(poses[0].keypoints[0]->y, 14.F / 30);
}

TEST(Heatmaps, SurviveAnyContent) {
  for (const float v : {0.F, 1.F, -1.F, 1e30F, -1e30F, 1e-40F, kInf, -kInf, kNan}) {
    for (const Refine refine : {Refine::kNone, Refine::kQuarter, Refine::kDark}) {
      Planes planes;
      std::ranges::fill(planes.values, v);
      for (const Pose& pose : poses_of(model(), decoder(refine), planes.views())) {
        EXPECT_TRUE(std::isfinite(v) && v > 0.2F && pose.score == 1) << v;
      }
      if (v > 0 && std::isfinite(v)) continue;
      planes.at(3, 7, 4) = 0.5F;  // a peak among them
      EXPECT_NEAR(place(poses_of(model(), decoder(refine), planes.views()), 3).x, 7, 0.3F) << v;
    }
  }
}

TEST(Heatmaps, AllocateNothingOnceWarm) {
  Planes planes;
  for (std::size_t part = 0; part < kParts; ++part) planes.draw(part, {7.3F, 4.1F}, 1);
  for (const Refine refine : {Refine::kQuarter, Refine::kDark}) {
    test::expect_no_allocation_once_warm(model(), decoder(refine), planes.views());
  }
}

TEST(Heatmaps, RefuseTensorsOfAnotherLayoutOrSize) {
  const Planes planes;
  const auto refusal = [&](const Shape& shape, Layout layout = Layout::kNchw) {
    return test::refusal(model(), decoder(Refine::kNone, layout), {view(planes.values, shape)});
  };
  EXPECT_EQ(refusal({1, kParts, kHeight, kWidth}), "ran");
  EXPECT_EQ(refusal({1, kHeight, kWidth, kParts}),
            "output 'maps' is 1x8x16x17 f32, expected f32 1x(at least 17)x8x16; check layout and stride of the "
            "heatmaps in the model's decoder entry");
  EXPECT_THAT(refusal({1, kParts, kHeight, kWidth}, Layout::kNhwc), HasSubstr("expected f32 1x8x16x(at least 17)"));
  EXPECT_THAT(refusal({1, kParts - 1, kHeight, kWidth}), HasSubstr("1x16x8x16"));
  EXPECT_THAT(refusal({1, kParts, kWidth, kHeight}), HasSubstr("1x17x16x8"));
  EXPECT_THAT(refusal({kParts, kHeight, kWidth}), HasSubstr("17x8x16"));
  EXPECT_THAT(test::refusal(model(), decoder(Refine::kNone), {}), HasSubstr("the device gave 0 outputs"));
}

TEST(Heatmaps, RefuseOptionsAndModelsThatDoNotFit) {
  test::expect_refusals_of_options(model(), decoder(Refine::kDark));
  HeatmapsDecoder odd = decoder(Refine::kNone);
  for (const int stride : {5, 0, 64}) {
    odd.maps.stride = stride;
    EXPECT_EQ(odd.make(model(), {}).error().code, Errc::kModel) << stride;
  }
}

}  // namespace
}  // namespace posecam
