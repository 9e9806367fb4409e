// Seeded random scenes and noise through the PAF decoders.

#include <cmath>
#include <limits>
#include <random>

#include <gtest/gtest.h>

#include "postprocess/decode/paf/paf.h"
#include "postprocess/decode/paf/paf_decoder.h"
#include "tests/support/paf_scene.h"

namespace posecam {
namespace {

using test::Scene;

std::vector<float> random_values(std::mt19937& random, std::size_t count, float low, float high) {
  std::uniform_real_distribution<float> value(low, high);
  std::vector<float> values(count);
  for (float& v : values) v = value(random);
  return values;
}

// The naive twin: enlarge, then the full 2-D kernel.
std::vector<float> naive_smoothing(const std::vector<float>& plane, int width, int height, int taps) {
  const int wide = width * kEnlargement;
  const int high = height * kEnlargement;
  std::vector<float> enlarged(static_cast<std::size_t>(wide) * high);
  for (int y = 0; y < high; ++y) {
    for (int x = 0; x < wide; ++x) {
      enlarged[static_cast<std::size_t>(y) * wide + x] = plane[(y / kEnlargement) * width + x / kEnlargement];
    }
  }
  const auto kernel = gaussian_taps(taps);
  std::vector<float> kernel_2d;
  for (const float a : kernel) {
    for (const float b : kernel) kernel_2d.push_back(a * b);
  }
  std::vector<float> out(enlarged.size());
  smooth_full(enlarged.data(), wide, high, kernel_2d, taps, out.data());
  return out;
}

TEST(PafProperty, EnlargedSmoothingEqualsTheFullKernelOnRandomShapes) {
  std::mt19937 random(1);
  for (int round = 0; round < 40; ++round) {
    const int width = std::uniform_int_distribution(1, 33)(random);
    const int height = std::uniform_int_distribution(1, 21)(random);
    const int taps = std::uniform_int_distribution(1, 40)(random);
    const auto values = random_values(random, static_cast<std::size_t>(width) * height, -0.2F, 1);
    const PhaseKernels kernels = phase_kernels(taps);
    PaddedPlane raw, smoothed;
    raw.reset(width, height, kernels.radius);
    smoothed.reset(width * kEnlargement, height * kEnlargement, 1);
    load_plane(values.data(), 0, raw);
    std::vector<float> scratch;
    smooth_enlarged(raw, kernels, {0, 0, width, height}, scratch, smoothed);
    const auto naive = naive_smoothing(values, width, height, taps);
    float worst = 0;
    for (int y = 0; y < height * kEnlargement; ++y) {
      for (int x = 0; x < width * kEnlargement; ++x) {
        const std::size_t at = static_cast<std::size_t>(y) * width * kEnlargement + x;
        worst = std::max(worst, std::abs(naive[at] - smoothed.row(y)[x]));
      }
    }
    EXPECT_LT(worst, 2e-5F) << width << "x" << height << ", " << taps << " taps";
  }
}

class PafContent : public testing::TestWithParam<DecodeOptions::Mode> {
 protected:
  void expect_safe(const std::vector<float>& heatmaps, const std::vector<float>& pafs, int height, int width) {
    DecodeOptions options;
    options.mode = GetParam();
    options.smoothing_taps = 5;
    auto decoder = spec_.decoder->make(spec_, options);
    ASSERT_TRUE(decoder);
    const TensorView outputs[] = {test::as_tensor(heatmaps, height, width), test::as_tensor(pafs, height, width)};
    FrameResult result;
    ASSERT_TRUE((*decoder)->run(outputs, test::whole_input(width, height), result));
    EXPECT_LE(result.poses.size(), 127U);
    float last = 1;
    for (const Pose& pose : result.poses) {
      EXPECT_GT(pose.score, 0);
      EXPECT_LE(pose.score, last);
      last = pose.score;
      for (const auto& k : pose.keypoints) {
        if (!k) continue;
        EXPECT_TRUE(k->x >= 0 && k->x <= 1 && k->y >= 0 && k->y <= 1) << k->x << ", " << k->y;
        EXPECT_TRUE(k->score > 0 && k->score <= 1) << k->score;
      }
    }
  }
  ModelSpec spec_ = test::paf_spec(coco18());
};

TEST_P(PafContent, AnyConstantIsSafe) {
  for (const float v : {0.0F, 1.0F, -1.0F, 1e-40F, 1e30F, -1e30F, std::numeric_limits<float>::quiet_NaN(),
                        std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity()}) {
    expect_safe(std::vector<float>(19 * 12 * 15, v), std::vector<float>(38 * 12 * 15, v), 12, 15);
    expect_safe(std::vector<float>(19 * 12 * 15, 1), std::vector<float>(38 * 12 * 15, v), 12, 15);
  }
}

TEST_P(PafContent, NoiseWithManyThousandPeaksIsSafe) {
  std::mt19937 random(2);
  for (const auto& [height, width] : {std::pair{46, 82}, {1, 1}, {1, 40}, {33, 2}}) {
    const auto cells = static_cast<std::size_t>(height) * width;
    expect_safe(random_values(random, 19 * cells, -1, 1), random_values(random, 38 * cells, -1, 1), height, width);
    expect_safe(random_values(random, 19 * cells, 0, 1), std::vector<float>(38 * cells, 0.7F), height, width);
  }
}

TEST_P(PafContent, NumbersThatAreNoneAmongNoiseAreSafe) {
  std::mt19937 random(3);
  auto heatmaps = random_values(random, 19 * 30 * 40, 0, 1);
  auto pafs = random_values(random, 38 * 30 * 40, -1, 1);
  for (std::size_t i = 0; i < heatmaps.size(); i += 7) heatmaps[i] = std::numeric_limits<float>::quiet_NaN();
  for (std::size_t i = 0; i < pafs.size(); i += 5) pafs[i] = std::numeric_limits<float>::infinity();
  expect_safe(heatmaps, pafs, 30, 40);
}

TEST_P(PafContent, EmptyMapsHoldNobody) {
  DecodeOptions options;
  options.mode = GetParam();
  auto decoder = spec_.decoder->make(spec_, options);
  for (const auto& [height, width] : {std::pair{0, 0}, {0, 57}, {32, 0}}) {
    const TensorView outputs[] = {{nullptr, DType::kF32, Shape{1, 19, height, width}},
                                  {nullptr, DType::kF32, Shape{1, 38, height, width}}};
    FrameResult result;
    result.poses.resize(2);
    ASSERT_TRUE((*decoder)->run(outputs, test::whole_input(57, 32), result));
    EXPECT_TRUE(result.poses.empty());
  }
}

INSTANTIATE_TEST_SUITE_P(Modes, PafContent,
                         testing::Values(DecodeOptions::Mode::kFast, DecodeOptions::Mode::kReference),
                         [](const auto& tested) {
                           return tested.param == DecodeOptions::Mode::kFast ? "Fast" : "Reference";
                         });

std::vector<Pose> decode(const Scene& scene) {
  const ModelSpec spec = test::paf_spec(*scene.skeleton);
  auto decoder = spec.decoder->make(spec, {});
  FrameResult result;
  const TensorView outputs[] = {test::as_tensor(scene.heatmaps, scene.height, scene.width),
                                test::as_tensor(scene.pafs, scene.height, scene.width)};
  EXPECT_TRUE((*decoder)->run(outputs, test::whole_input(scene.width, scene.height), result));
  return result.poses;
}

const Pose* nearest(const std::vector<Pose>& poses, float nose_x) {
  const Pose* best = nullptr;
  for (const Pose& pose : poses) {
    if (!pose.keypoints[0]) continue;
    if (best == nullptr || std::abs(pose.keypoints[0]->x - nose_x) < std::abs(best->keypoints[0]->x - nose_x)) {
      best = &pose;
    }
  }
  return best;
}

TEST(PafProperty, PeopleComeOutWhereTheyStandAndMirroredWhenMirrored) {
  std::mt19937 random(4);
  for (const Skeleton* skeleton : {&coco18(), &body25()}) {
    for (int round = 0; round < 12; ++round) {
      Scene scene(*skeleton, 60, 34), mirrored(*skeleton, 60, 34);
      std::vector<test::Figure> figures;
      for (int i = 0; i < 3; ++i) {
        std::uniform_real_distribution<float> jitter(-0.5F, 0.5F);
        figures.push_back(test::standing(*skeleton, 10.0F + 20.0F * static_cast<float>(i) + 2 * jitter(random),
                                         5 + jitter(random), 24 + 2 * jitter(random), 0.2F * jitter(random)));
        scene.draw(figures.back());
        test::Figure flipped = figures.back();
        for (auto& p : flipped) {
          if (p) p->x = 60 - p->x;
        }
        mirrored.draw(flipped);
      }
      const auto poses = decode(scene);
      const auto mirrored_poses = decode(mirrored);
      ASSERT_EQ(poses.size(), 3U);
      ASSERT_EQ(mirrored_poses.size(), 3U);
      for (const test::Figure& figure : figures) {
        const Pose* pose = nearest(poses, figure[0]->x / 60);
        const Pose* twin = nearest(mirrored_poses, 1 - figure[0]->x / 60);
        for (std::size_t part = 0; part < skeleton->parts.size(); ++part) {
          ASSERT_TRUE(pose->keypoints[part]) << skeleton->parts[part];
          ASSERT_TRUE(twin->keypoints[part]) << skeleton->parts[part];
          EXPECT_NEAR(pose->keypoints[part]->x * 60, figure[part]->x, 0.25F) << skeleton->parts[part];
          EXPECT_NEAR(pose->keypoints[part]->y * 34, figure[part]->y, 0.25F) << skeleton->parts[part];
          EXPECT_NEAR(pose->keypoints[part]->x, 1 - twin->keypoints[part]->x, 1e-3F);
          EXPECT_NEAR(pose->keypoints[part]->y, twin->keypoints[part]->y, 1e-3F);
        }
      }
    }
  }
}

TEST(PafProperty, DecodersKeepNothingOfEarlierFrames) {
  std::mt19937 random(5);
  const ModelSpec spec = test::paf_spec(coco18());
  auto used = spec.decoder->make(spec, {});
  for (int round = 0; round < 10; ++round) {
    Scene scene(coco18(), 40 + round % 3, 30);
    if (round % 2 == 0) scene.heatmaps = random_values(random, scene.heatmaps.size(), 0, 1);
    scene.draw(test::standing(coco18(), 8.0F + 2.0F * static_cast<float>(round), 4, 20));
    const TensorView outputs[] = {test::as_tensor(scene.heatmaps, scene.height, scene.width),
                                  test::as_tensor(scene.pafs, scene.height, scene.width)};
    FrameResult result;
    ASSERT_TRUE((*used)->run(outputs, test::whole_input(scene.width, scene.height), result));
    const auto fresh = decode(scene);
    ASSERT_EQ(result.poses.size(), fresh.size());
    for (std::size_t i = 0; i < fresh.size(); ++i) {
      EXPECT_EQ(result.poses[i].score, fresh[i].score);
      for (std::size_t k = 0; k < kMaxKeypoints; ++k) {
        ASSERT_EQ(result.poses[i].keypoints[k].has_value(), fresh[i].keypoints[k].has_value());
        if (fresh[i].keypoints[k]) {
          EXPECT_EQ(result.poses[i].keypoints[k]->x, fresh[i].keypoints[k]->x);
        }
      }
    }
  }
}

}  // namespace
}  // namespace posecam
