// COCO results of boxes, and the numbers of categories; json_test.cpp has those of keypoints.

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "postprocess/documents/json_writer.h"

namespace posecam {
namespace {

using Json = nlohmann::json;

std::shared_ptr<const ModelSpec> detector(std::vector<std::string> labels) {
  auto spec = std::make_shared<ModelSpec>();
  spec->task = Task::kDetection;
  spec->labels = std::move(labels);
  return spec;
}

FrameInfo frame() {
  FrameInfo info;
  info.frame_id = 1042;
  info.size = {640, 480};
  return info;
}

TEST(CocoResults, AreBoxesInPixelsOfADetector) {
  FrameResult result;
  result.model = detector({"person", "toothbrush", "stop sign"});
  result.detections = {{{0.5F, 0.25F, 0.25F, 0.5F}, 0.93F, 2, {}}, {{0, 0, 1, 1}, 0.5F, 1, 3}, {{}, 0.4F, 80, {}}};
  bool first = true;
  std::string out;
  append_coco_results(frame(), result, first, out);
  EXPECT_FALSE(first);
  EXPECT_EQ(Json::parse("[" + out + "]"), Json::parse(R"([
      {"image_id": 1042, "category_id": 13, "bbox": [320, 120, 160, 240], "score": 0.93},
      {"image_id": 1042, "category_id": 90, "bbox": [0, 0, 640, 480], "score": 0.5},
      {"image_id": 1042, "category_id": 81, "bbox": [0, 0, 0, 0], "score": 0.4}])"));
}

TEST(CocoResults, AreNumberedAsAnAnnotationFileDoes) {
  FrameResult result;
  result.model = detector({"person", "bicycle"});
  result.detections = {{{0, 0, 1, 1}, 0.9F, 1, {}}, {{0, 0, 1, 1}, 0.8F, 0, {}}, {{0, 0, 1, 1}, 0.7F, 80, {}}};
  CocoNumbers numbers;
  numbers.categories = {std::nullopt, 77};
  bool first = true;
  std::string out;
  append_coco_results(frame(), result, numbers, first, out);
  EXPECT_EQ(Json::parse("[" + out + "]"),
            Json::parse(R"([{"image_id": 1042, "category_id": 77, "bbox": [0, 0, 640, 480], "score": 0.9}])"));

  FrameResult people;
  auto pose = std::make_shared<ModelSpec>();
  pose->skeleton = find_skeleton("coco-18");
  people.model = pose;
  people.poses.resize(1);
  people.poses[0].score = 0.83F;
  people.poses[0].keypoints[2] = Keypoint{0.5F, 0.75F, 0.5F};
  numbers = {5, {2, std::nullopt}, {}};
  first = true;
  out.clear();
  append_coco_results(frame(), people, numbers, first, out);
  EXPECT_EQ(Json::parse(out), Json::parse(R"({"image_id": 1042, "category_id": 5,
      "keypoints": [319.5, 359.5, 0.5, 0, 0, 0], "score": 0.83})"));
}

TEST(CocoNumbers, AreCocosWhereAllLabelsAre) {
  const std::vector<std::string> coco{"background", "person", "dog"};
  EXPECT_EQ(category_id_of(1, coco), 1);
  EXPECT_EQ(category_id_of(2, coco), 18);
  EXPECT_EQ(category_id_of(7, coco), 8);
  EXPECT_EQ(category_id_of(-1, coco), 0);
  const std::vector<std::string> gaps{"-", "person", "bicycle", "-", "dog"};
  EXPECT_EQ(category_id_of(1, gaps), 1);
  EXPECT_EQ(category_id_of(4, gaps), 18);
  const std::vector<std::string> own{"person", "dog", "unicorn"};
  EXPECT_EQ(category_id_of(0, own), 1);
  EXPECT_EQ(category_id_of(1, own), 2);
  EXPECT_EQ(category_id_of(2, {}), 3);
  EXPECT_EQ(coco_category_id("toothbrush"), 90);
  EXPECT_FALSE(coco_category_id("toothbrushes"));
}

}  // namespace
}  // namespace posecam
