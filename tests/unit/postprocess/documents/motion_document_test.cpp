#include "postprocess/documents/motion_document.h"

#include <cmath>
#include <limits>
#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace posecam {
namespace {

using Json = nlohmann::ordered_json;

constexpr Size kFrame{1000, 500};

// A stick figure around (x, y), in normalised coordinates: nose, shoulders, hips, ankles of COCO-17.
Pose figure(float x, float y, float height) {
  Pose pose;
  const float w = height / 8;
  const auto put = [&](std::size_t part, float dx, float dy) {
    pose.keypoints[part] = Keypoint{x + dx * w, y + dy * height / 2, 0.9F};
  };
  put(0, 0, -1);
  put(5, 1, -0.7F);
  put(6, -1, -0.7F);
  put(11, 0.7F, 0);
  put(12, -0.7F, 0);
  put(15, 0.6F, 1);
  put(16, -0.6F, 1);
  pose.score = 1;
  return pose;
}

FrameResult seen(std::vector<Pose> poses) {
  static const auto model = [] {
    auto spec = std::make_shared<ModelSpec>();
    spec->skeleton = find_skeleton("coco-17");
    return spec;
  }();
  FrameResult result;
  result.model = model;
  result.poses = std::move(poses);
  return result;
}

Json written(const MotionDocument& document) {
  std::string out;
  document.append_to(out);
  return Json::parse(out);
}

TEST(MotionDocument, IsAnEmptyListForAnEmptyClip) { EXPECT_EQ(written(MotionDocument()).dump(), "[]"); }

TEST(MotionDocument, NamesPartsInCamelCaseAndLeavesOutThoseNotFound) {
  MotionDocument document;
  Pose pose;
  pose.keypoints[0] = Keypoint{0.5F, 0.5F, 0.9F};
  pose.keypoints[13] = Keypoint{0.2499F, 1.2F, 0.9F};
  document.add(kFrame, seen({pose}));
  EXPECT_EQ(written(document).dump(), R"([{"nose":[500,250],"leftKnee":[249,499]}])");
}

TEST(MotionDocument, HasAnEmptyObjectForAFrameWithoutAnybody) {
  MotionDocument document;
  document.add(kFrame, seen({}));
  document.add(kFrame, seen({figure(0.5F, 0.5F, 0.5F)}));
  auto unanalysed = seen({figure(0.5F, 0.5F, 0.5F)});
  unanalysed.status = FrameStatus::kUnanalysed;
  document.add(kFrame, unanalysed);
  const Json json = written(document);
  ASSERT_EQ(json.size(), 3U);
  EXPECT_EQ(json[0], Json::object());
  EXPECT_EQ(json[1]["nose"], Json::parse("[500,125]"));
  EXPECT_EQ(json[2], Json::object());
}

TEST(MotionDocument, PrefersTheLargeAndCentralPersonWhateverTheScore) {
  MotionDocument document;
  for (int i = 0; i < 5; ++i) {
    Pose centre = figure(0.5F, 0.5F, 0.75F);
    centre.score = 0.3F;
    document.add(kFrame, seen({figure(0.4F, 0.5F, 0.3F), figure(0.93F, 0.5F, 0.75F), centre}));
  }
  for (const Json& frame : written(document)) EXPECT_EQ(frame["nose"], Json::parse("[500,62]"));
}

TEST(MotionDocument, PrefersThePersonWhoStaysToOneWhoComesNear) {
  MotionDocument document;
  for (int i = 0; i < 40; ++i) {
    std::vector<Pose> poses{figure(0.5F, 0.5F, 0.5F)};
    if (i >= 30 && i < 33) poses.insert(poses.begin(), figure(0.15F, 0.5F, 0.9F));
    document.add(kFrame, seen(poses));
  }
  for (const Json& frame : written(document)) EXPECT_EQ(frame["nose"][0], 500);
}

// Both walk through the middle of the picture at the same height, so that they coincide at frame 25.
TEST(MotionDocument, KeepsToOneOfTwoPeopleWhoCross) {
  MotionDocument document;
  for (int i = 0; i <= 50; ++i) {
    const float t = static_cast<float>(i) / 50;
    const Pose to_right = figure(0.25F + 0.5F * t, 0.5F, 0.62F);
    const Pose to_left = figure(0.75F - 0.5F * t, 0.5F, 0.58F);
    document.add(kFrame, i % 2 == 0 ? seen({to_right, to_left}) : seen({to_left, to_right}));
  }
  const Json json = written(document);
  for (std::size_t i = 0; i <= 50; ++i) {
    EXPECT_NEAR(json[i]["nose"][0].get<double>(), 250 + 10 * static_cast<double>(i), 1.01) << i;
  }
}

TEST(MotionDocument, FindsThePersonAgainAfterMissingFrames) {
  MotionDocument document;
  for (int i = 0; i <= 40; ++i) {
    const float x = 0.3F + 0.01F * static_cast<float>(i);
    std::vector<Pose> poses{figure(0.1F, 0.2F, 0.3F)};
    if (i < 15 || i >= 23) poses.push_back(figure(x, 0.5F, 0.6F));
    document.add(kFrame, seen(poses));
  }
  const Json json = written(document);
  for (std::size_t i = 0; i <= 40; ++i) {
    if (i >= 15 && i < 23) {
      EXPECT_EQ(json[i], Json::object()) << i;
    } else {
      ASSERT_TRUE(json[i].contains("nose")) << i;
      EXPECT_NEAR(json[i]["nose"][0].get<double>(), 300 + 10 * static_cast<double>(i), 1.01) << i;
    }
  }
}

TEST(MotionDocument, DoesNotJumpToSomebodyFarAway) {
  MotionDocument document;
  for (int i = 0; i < 10; ++i) document.add(kFrame, seen({figure(0.4F, 0.5F, 0.6F)}));
  document.add(kFrame, seen({figure(0.9F, 0.5F, 0.6F)}));
  EXPECT_EQ(written(document)[10], Json::object());
}

TEST(MotionDocument, IsBoundedAndValidWithHostileContent) {
  MotionDocument document;
  std::vector<Pose> crowd(5000, figure(0.5F, 0.5F, 0.1F));
  crowd[7].keypoints[0] = Keypoint{std::nanf(""), 0.5F, 1};
  crowd[8].keypoints[0] = Keypoint{-1e30F, std::numeric_limits<float>::infinity(), 1};
  crowd.emplace_back();
  crowd.push_back(figure(0.5F, 0.5F, 0.9F));
  for (int i = 0; i < 3; ++i) document.add({1, 1}, seen(crowd));
  for (int i = 0; i < 3; ++i) document.add({100000, 7}, seen(crowd));
  EXPECT_EQ(written(document).size(), 6U);
}

}  // namespace
}  // namespace posecam
