#include "app/eval/coco_match.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace posecam {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Optional;

ModelSpec detector(std::vector<std::string> labels) {
  ModelSpec model;
  model.name = "finder";
  model.task = Task::kDetection;
  model.labels = std::move(labels);
  return model;
}

ModelSpec pose_model() {
  ModelSpec model;
  model.name = "pose";
  model.skeleton = find_skeleton("coco-18");
  return model;
}

CocoObject object(std::int64_t category) {
  CocoObject o;
  o.image_id = 7;
  o.category_id = category;
  return o;
}

CocoAnnotations boxes() {
  CocoAnnotations all;
  all.kind = CocoKind::kBoxes;
  all.images = {{7, "7.jpg", {640, 480}}};
  all.categories = {{1, "person", {}}, {3, "Traffic_Light", {}}, {18, "dog", {}}, {62, "chair", {}}};
  all.objects = {object(1), object(18)};
  return all;
}

TEST(CocoMatch, FindsCategoriesByTheNamesOfLabels) {
  const auto match = match_coco(boxes(), "a.json", detector({"background", "traffic light", "person", "dog", "fire"}));
  ASSERT_TRUE(match) << match.error().message;
  EXPECT_THAT(match->numbers.categories,
              ElementsAre(std::nullopt, Optional(3), Optional(1), Optional(18), std::nullopt));
  EXPECT_THAT(match->notes,
              ElementsAre("1 label of finder is not among the categories of a.json and not scored: fire"));
}

TEST(CocoMatch, CountsNoGapAsALabel) {
  const auto match = match_coco(boxes(), "a.json", detector({"-", "person", "-", "dog"}));
  ASSERT_TRUE(match) << match.error().message;
  EXPECT_THAT(match->numbers.categories, ElementsAre(std::nullopt, Optional(1), std::nullopt, Optional(18)));
  EXPECT_THAT(match->notes, IsEmpty());
}

TEST(CocoMatch, NamesAnnotatedCategoriesThatTheModelLacks) {
  const auto match = match_coco(boxes(), "a.json", detector({"person"}));
  ASSERT_TRUE(match) << match.error().message;
  EXPECT_THAT(
      match->notes,
      ElementsAre("1 category of a.json is not among the labels of finder, and all of it counts as missed: dog"));
}

TEST(CocoMatch, NamesFiveOfMany) {
  const auto match = match_coco(boxes(), "a.json", detector({"dog", "person", "a", "b", "c", "d", "e", "f", "g"}));
  ASSERT_TRUE(match) << match.error().message;
  EXPECT_THAT(match->notes, ElementsAre(HasSubstr("7 labels of finder")));
  EXPECT_THAT(match->notes, ElementsAre(HasSubstr(": a, b, c, d, e and 2 more")));
}

TEST(CocoMatch, RefusesAnnotationsOfOtherThings) {
  const auto match = match_coco(boxes(), "a.json", detector({"face"}));
  ASSERT_FALSE(match);
  EXPECT_EQ(match.error().code, Errc::kUsage);
  EXPECT_THAT(match.error().message,
              HasSubstr("a.json: none of its categories (person, Traffic_Light, dog, chair) is a "
                        "label of finder (face)"));
}

TEST(CocoMatch, FindsKeypointsByTheirNames) {
  CocoAnnotations all;
  all.categories = {{2, "animal", {"nose"}}, {5, "person", {"l_ankle", "neck", "tail"}}};
  const auto match = match_coco(all, "a.json", pose_model());
  ASSERT_TRUE(match) << match.error().message;
  EXPECT_EQ(match->numbers.person, 5);
  EXPECT_THAT(match->numbers.keypoints, ElementsAre(Optional(13), Optional(1), std::nullopt));
  EXPECT_THAT(match->notes, ElementsAre("1 keypoint of a.json is not among those of pose and counted as missed: tail"));

  all.categories = {{5, "person", {"tail", "trunk"}}};
  EXPECT_THAT(match_coco(all, "a.json", pose_model()).error().message,
              HasSubstr("none of its keypoints (tail, trunk)"));
}

TEST(CocoMatch, TakesCocosKeypointsWhereNoneAreNamed) {
  CocoAnnotations all;
  all.categories = {{4, "", {}}};
  const auto match = match_coco(all, "a.json", pose_model());
  ASSERT_TRUE(match) << match.error().message;
  EXPECT_EQ(match->numbers.person, 4);
  ASSERT_EQ(match->numbers.keypoints.size(), 17U);
  EXPECT_THAT(match->numbers.keypoints[5], Optional(5));  // left shoulder
  EXPECT_THAT(match->notes, IsEmpty());
  all.categories.clear();
  EXPECT_EQ(match_coco(all, "a.json", pose_model())->numbers.person, 1);
}

TEST(CocoMatch, WritesResultsByTheIdsOfImagesAndCategories) {
  auto result = std::make_shared<FrameResult>();
  result->model = std::make_shared<ModelSpec>(detector({"person"}));
  result->detections = {{{0.5F, 0.5F, 0.25F, 0.25F}, 0.5F, 0, {}}};
  const Analysis analysis{{result}, {{640, 480}}, 1};
  CocoNumbers numbers;
  numbers.categories = {9};
  EXPECT_EQ(
      nlohmann::json::parse(coco_results(boxes(), analysis, numbers)),
      nlohmann::json::parse(R"([{"image_id": 7, "category_id": 9, "bbox": [320, 240, 160, 120], "score": 0.5}])"));
}

TEST(CocoMatch, SaysWhichSigmasAndCategoriesAreNotKnown) {
  CocoAnnotations all;
  all.categories = {{1, "person", {"nose", "tail"}}};
  EXPECT_EQ(note_on_sigmas(all, "a.json"),
            "1 keypoint of a.json is without a published sigma; 0.05 is taken, --sigmas gives others: tail");
  all.categories[0].keypoints = {"nose"};
  EXPECT_EQ(note_on_sigmas(all, "a.json"), "");
  CocoResult result;
  result.category_id = 2;
  EXPECT_EQ(note_on_categories(all, {result}), "1 result is not scored, as the annotations lack their categories");
  result.category_id = 1;
  EXPECT_EQ(note_on_categories(all, {result}), "");
}

}  // namespace
}  // namespace posecam
