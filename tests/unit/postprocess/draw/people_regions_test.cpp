#include "postprocess/draw/people_regions.h"

#include <algorithm>
#include <initializer_list>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace posecam {
namespace {

constexpr Size kFrame{1000, 1000};

struct Part {
  const char* name;
  float x;
  float y;  ///< pixels
};

// A standing person 23 pixels a head high, facing the camera: crown at 100, chin at 123, soles at 275.
const std::vector<Part> kStanding{
    {"nose", 500, 115},      {"left_eye", 503, 111},      {"right_eye", 497, 111},      {"left_ear", 507, 113},
    {"right_ear", 493, 113}, {"left_shoulder", 519, 131}, {"right_shoulder", 481, 131}, {"left_hip", 512, 180},
    {"right_hip", 488, 180}, {"left_ankle", 510, 265},    {"right_ankle", 490, 265},
};
constexpr PixelRect kHead{492, 100, 508, 123};

Pose pose_of(const std::vector<Part>& parts, std::initializer_list<const char*> only = {}, float score = 0.9F) {
  Pose pose;
  for (const Part& part : parts) {
    const auto named = [&](const char* name) { return std::string(name) == part.name; };
    if (only.size() > 0 && std::ranges::none_of(only, named)) continue;
    const auto all = coco17().parts;
    const auto at = std::ranges::find(all, std::string_view(part.name)) - all.begin();
    pose.keypoints[static_cast<std::size_t>(at)] = Keypoint{part.x / 1000, part.y / 1000, score};
  }
  return pose;
}

FrameResult result_of(std::vector<Pose> poses, std::vector<Detection> detections = {}) {
  auto model = std::make_shared<ModelSpec>();
  model->skeleton = find_skeleton("coco-17");
  model->labels = {"person", "dog", "face"};
  FrameResult result;
  result.model = model;
  result.poses = std::move(poses);
  result.detections = std::move(detections);
  return result;
}

std::vector<PixelRect> find(const FrameResult& result, PeoplePart part, Size frame = kFrame) {
  std::vector<PixelRect> regions;
  find_people(result, part, frame, regions);
  return regions;
}

bool holds(const PixelRect& outer, const PixelRect& inner) {
  return outer.x0 <= inner.x0 && outer.y0 <= inner.y0 && outer.x1 >= inner.x1 && outer.y1 >= inner.y1;
}
int height(const PixelRect& r) { return r.y1 - r.y0; }

TEST(PeopleRegions, TheFaceIsWholeAndGenerousWhicheverPartsWereFound) {
  using Names = std::initializer_list<const char*>;
  for (const Names& only :
       {Names{}, Names{"nose", "left_eye", "right_eye"}, Names{"left_eye", "right_eye"}, Names{"nose", "left_eye"},
        Names{"nose", "left_shoulder", "right_shoulder"}, Names{"left_shoulder", "right_shoulder"},
        Names{"left_ear", "left_shoulder", "right_shoulder", "left_hip"}, Names{"left_shoulder", "left_hip"},
        Names{"left_ear", "right_ear"}, Names{"nose"}}) {
    const auto regions = find(result_of({pose_of(kStanding, only)}), PeoplePart::kFace);
    ASSERT_EQ(regions.size(), 1U);
    EXPECT_TRUE(holds(regions[0], kHead))
        << "with " << (only.size() ? *only.begin() : "all") << " and " << only.size() << ": " << regions[0].x0 << ','
        << regions[0].y0 << ' ' << regions[0].x1 << ',' << regions[0].y1;
  }
  EXPECT_LT(height(find(result_of({pose_of(kStanding)}), PeoplePart::kFace)[0]), 3 * height(kHead));
}

TEST(PeopleRegions, TheHeadOfSomebodyLyingIsAwayFromTheHips) {
  std::vector<Part> lying = kStanding;
  for (Part& p : lying) std::swap(p.x, p.y);  // head to the left
  const auto regions =
      find(result_of({pose_of(lying, {"left_shoulder", "right_shoulder", "left_hip"})}), PeoplePart::kFace);
  ASSERT_EQ(regions.size(), 1U);
  EXPECT_TRUE(holds(regions[0], {100, 492, 123, 508}));
}

TEST(PeopleRegions, UnsureKeypointsCountLikeOthers) {
  EXPECT_EQ(find(result_of({pose_of(kStanding, {}, 0.001F)}), PeoplePart::kFace),
            find(result_of({pose_of(kStanding, {}, 0.9F)}), PeoplePart::kFace));
}

TEST(PeopleRegions, APersonIsWholeFromCrownToSoles) {
  const auto regions = find(result_of({pose_of(kStanding)}), PeoplePart::kWhole);
  ASSERT_EQ(regions.size(), 1U);
  EXPECT_TRUE(holds(regions[0], {475, 100, 525, 275}));
}

TEST(PeopleRegions, APersonWithoutKeypointsIsTheTopOfTheBox) {
  const Detection person{{0.4F, 0.1F, 0.06F, 0.18F}, 0.9F, 0, {}};
  const auto face = find(result_of({}, {person}), PeoplePart::kFace);
  ASSERT_EQ(face.size(), 1U);
  EXPECT_TRUE(holds(face[0], {400, 100, 460, 150}));
  EXPECT_LT(face[0].y1, 200);
  const auto whole = find(result_of({}, {person}), PeoplePart::kWhole);
  ASSERT_EQ(whole.size(), 1U);
  EXPECT_TRUE(holds(whole[0], {400, 100, 460, 280}));
}

TEST(PeopleRegions, ABoxNeedsNoTopOfItsOwnOnlyIfItsPoseShowsTheFace) {
  const Detection same{{0.475F, 0.1F, 0.05F, 0.175F}, 0.9F, 0, {}};
  EXPECT_EQ(find(result_of({pose_of(kStanding)}, {same}), PeoplePart::kFace).size(), 1U);
  const Detection other{{0.49F, 0.08F, 0.3F, 0.8F}, 0.9F, 0, {}};  // somebody nearer, in front of the pose
  EXPECT_EQ(find(result_of({pose_of(kStanding)}, {other}), PeoplePart::kFace).size(), 2U);
  const auto legs = pose_of(kStanding, {"left_hip", "right_hip", "left_ankle", "right_ankle"});
  EXPECT_EQ(find(result_of({legs}, {same}), PeoplePart::kFace).size(), 1U);
}

TEST(PeopleRegions, OtherObjectsAreNotPeopleButUnnamedOnesMayBe) {
  const Box box{0.4F, 0.1F, 0.1F, 0.1F};
  EXPECT_TRUE(find(result_of({}, {{box, 0.9F, 1, {}}}), PeoplePart::kWhole).empty());
  EXPECT_EQ(find(result_of({}, {{box, 0.9F, 7, {}}}), PeoplePart::kWhole).size(), 1U);
  const auto face = find(result_of({}, {{box, 0.9F, 2, {}}}), PeoplePart::kFace);
  ASSERT_EQ(face.size(), 1U);
  EXPECT_TRUE(holds(face[0], {400, 100, 500, 200}));
}

TEST(PeopleRegions, FindsTheNeckOfSkeletonsThatHaveOne) {
  auto model = std::make_shared<ModelSpec>();
  model->skeleton = find_skeleton("coco-18");
  FrameResult result;
  result.model = model;
  result.poses.emplace_back();
  result.poses[0].keypoints[1] = Keypoint{0.5F, 0.131F, 0.5F};   // Neck
  result.poses[0].keypoints[8] = Keypoint{0.488F, 0.18F, 0.5F};  // RHip
  const auto regions = find(result, PeoplePart::kFace);
  ASSERT_EQ(regions.size(), 1U);
  EXPECT_LE(regions[0].y0, 123);
  EXPECT_TRUE(regions[0].x0 < 500 && regions[0].x1 > 500);
}

TEST(PeopleRegions, StayInsideTheFrameAtItsEdges) {
  for (const float shift : {-0.5F, 0.5F}) {
    Pose pose = pose_of(kStanding);
    for (auto& k : pose.keypoints) {
      if (k) k->x += shift;
    }
    for (const PeoplePart part : {PeoplePart::kFace, PeoplePart::kWhole}) {
      const auto regions = find(result_of({pose}), part);
      ASSERT_EQ(regions.size(), 1U);
      EXPECT_TRUE(holds({0, 0, 1000, 1000}, regions[0]));
      EXPECT_TRUE(shift < 0 ? regions[0].x0 == 0 : regions[0].x1 == 1000);
    }
  }
}

TEST(PeopleRegions, HostileCoordinatesAreHarmless) {
  constexpr float kInf = std::numeric_limits<float>::infinity();
  for (const float v : {std::numeric_limits<float>::quiet_NaN(), kInf, -kInf, 1e38F, -1e38F, 1e9F, -1.9F, 1.9F}) {
    Pose pose = pose_of(kStanding);
    for (std::size_t i = 0; i < 17; i += 2) pose.keypoints[i] = Keypoint{v, -v, v};
    Pose nowhere;
    nowhere.keypoints[0] = Keypoint{v, v, 1};
    const FrameResult result = result_of({pose, nowhere}, {{{v, v, v, v}, v, 0, {}},
                                                           {{-v, 0, v, 1}, 1, -5, {}},
                                                           {{0, 0, v, v}, 1, 1 << 30, {}},
                                                           {{-1e30F, -1e30F, kInf, kInf}, 1, 0, {}}});
    for (const Size frame : {kFrame, Size{1, 1}, Size{3, 2}}) {
      for (const PeoplePart part : {PeoplePart::kFace, PeoplePart::kWhole}) {
        for (const PixelRect& r : find(result, part, frame)) {
          EXPECT_TRUE(holds({0, 0, frame.width, frame.height}, r) && r.x1 > r.x0 && r.y1 > r.y0) << v;
        }
      }
    }
  }
}

TEST(PeopleRegions, OfNobodyAreNone) {
  std::vector<PixelRect> regions(3);
  find_people(result_of({}), PeoplePart::kFace, kFrame, regions);
  find_people(FrameResult{}, PeoplePart::kWhole, kFrame, regions);
  EXPECT_EQ(regions.size(), 3U) << "only adds";
}

}  // namespace
}  // namespace posecam
