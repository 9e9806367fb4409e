#include "postprocess/eval/keypoint_names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace posecam {
namespace {

TEST(KeypointNames, AreOneInAllSpellings) {
  for (const char* name : {"left_big_toe", "LBigToe", "l_big_toe", "leftBigToe", "Left Bigtoe", "LEFT-BIG-TOE"}) {
    EXPECT_EQ(keypoint_key(name), "leftbigtoe") << name;
  }
  EXPECT_EQ(keypoint_key("REye"), "righteye");
  EXPECT_EQ(keypoint_key("MidHip"), "hip");
  EXPECT_EQ(keypoint_key("pelvis"), "hip");
  EXPECT_EQ(keypoint_key("lips"), "lips");  // no side in front of "ips"
  EXPECT_EQ(keypoint_key("Root"), "root");
  EXPECT_EQ(keypoint_key("l"), "l");
  EXPECT_EQ(keypoint_key(""), "");
}

TEST(KeypointNames, HaveTheSigmasOfCocoAndHalpe) {
  // pycocotools' kpt_oks_sigmas.
  const std::vector<double> expected{.026, .025, .025, .035, .035, .079, .079, .072, .072,
                                     .062, .062, .107, .107, .087, .087, .089, .089};
  std::vector<double> sigmas;
  for (const auto& name : coco_keypoint_names()) sigmas.push_back(keypoint_sigma(name).value_or(-1));
  EXPECT_EQ(sigmas, expected);
  EXPECT_EQ(keypoint_sigma("LHeel"), .079);
  EXPECT_EQ(keypoint_sigma("Neck"), .026);
  EXPECT_EQ(keypoint_sigma("MidHip"), .066);
  EXPECT_FALSE(keypoint_sigma("left_thumb"));
}

TEST(KeypointNames, MatchThePartsOfASkeleton) {
  const std::vector<std::string> names{"right_ankle", "tail", "neck", "nose"};
  EXPECT_THAT(match_keypoints(names, coco18()),
              testing::ElementsAre(testing::Optional(10), std::nullopt, testing::Optional(1), testing::Optional(0)));
}

TEST(KeypointNames, MatchCocosAsEverySkeletonDoes) {
  const auto names = coco_keypoint_names();
  for (const auto name : skeleton_names()) {
    const auto skeleton = find_skeleton(name);
    const auto matched = match_keypoints(names, *skeleton);
    for (std::size_t k = 0; k < names.size(); ++k) EXPECT_EQ(matched[k], skeleton->to_coco17[k]) << name << names[k];
  }
}

}  // namespace
}  // namespace posecam
