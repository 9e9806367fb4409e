#include "postprocess/draw/follow.h"

#include <limits>

#include <gtest/gtest.h>

namespace posecam {
namespace {

constexpr Size kImage{200, 100};

Keypoint at(float x, float y, float score = 0.9F) { return {x / 200, y / 100, score}; }

/// In pixels: shoulders at (96, 40) and (104, 40), hips at (98, 60) and (102, 60), an ankle at (100, 70).
Pose standing() {
  Pose pose;
  pose.keypoints[5] = at(104, 40);
  pose.keypoints[6] = at(96, 40);
  pose.keypoints[11] = at(102, 60);
  pose.keypoints[12] = at(98, 60);
  pose.keypoints[15] = at(100, 70);
  return pose;
}

void expect_square(const std::optional<Box>& box, float x, float y, float half) {
  ASSERT_TRUE(box);
  EXPECT_NEAR(box->x * 200, x - half, 1e-3);
  EXPECT_NEAR(box->y * 100, y - half, 1e-3);
  EXPECT_NEAR(box->width * 200, 2 * half, 1e-3);
  EXPECT_NEAR(box->height * 100, 2 * half, 1e-3);
}

TEST(SquareAbout, ReachesBeyondTheTorso) {
  expect_square(square_about(standing(), coco17(), kImage, 1), 100, 60, 1.9F * 20);
}

TEST(SquareAbout, ReachesBeyondTheBody) {
  Pose pose = standing();
  pose.keypoints[15] = at(100, 98);  // 38 below the hips
  expect_square(square_about(pose, coco17(), kImage, 1), 100, 60, 1.2F * 38);
  pose.keypoints[15]->score = 0.1F;
  expect_square(square_about(pose, coco17(), kImage, 1), 100, 60, 1.9F * 20);
}

TEST(SquareAbout, IsSquareAsDisplayed) {
  const auto box = square_about(standing(), coco17(), {100, 100}, 2);  // the same picture in pixels twice as wide
  expect_square(box, 100, 60, 1.9F * 20);
}

TEST(SquareAbout, ThereIsNoneWithoutAShoulderOrAHip) {
  for (const auto& pair : {std::pair{5, 6}, std::pair{11, 12}}) {
    Pose pose = standing();
    pose.keypoints[static_cast<std::size_t>(pair.first)]->score = 0.2F;
    EXPECT_TRUE(square_about(pose, coco17(), kImage, 1));
    pose.keypoints[static_cast<std::size_t>(pair.second)]->score = 0.2F;
    EXPECT_FALSE(square_about(pose, coco17(), kImage, 1));
  }
  EXPECT_FALSE(square_about(Pose(), coco17(), kImage, 1));
  Skeleton hand;
  hand.parts = {"thumb"};
  EXPECT_FALSE(square_about(standing(), hand, kImage, 1));
}

TEST(SquareAbout, ThereIsNoneThatIsLargerThanThePicture) {
  Pose pose = standing();
  pose.keypoints[5] = at(160, 40);  // 60 beside the hips: 114 is beyond the farthest edge, and that is half the picture
  expect_square(square_about(pose, coco17(), kImage, 1), 100, 60, 100);
  pose.keypoints[11] = at(82, 60);  // now the hips are at 90: the farthest edge is 110 away, more than half
  pose.keypoints[12] = at(98, 60);
  EXPECT_FALSE(square_about(pose, coco17(), kImage, 1));
}

TEST(SquareAbout, TakesAnyContent) {
  for (const float wild :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(), 1e30F, -1e30F}) {
    for (std::size_t k = 0; k < 17; ++k) {
      Pose pose = standing();
      pose.keypoints[k] = Keypoint{wild, 0.5F, 0.9F};
      const auto box = square_about(pose, coco17(), kImage, 1);
      EXPECT_TRUE(!box || std::isfinite(box->x + box->y + box->width + box->height)) << k;
    }
  }
}

}  // namespace
}  // namespace posecam
