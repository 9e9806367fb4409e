#include "postprocess/eval/coco_eval.h"

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "postprocess/eval/keypoint_names.h"
#include "tests/support/shared.h"

namespace posecam {
namespace {

using testing::DoubleNear;
using testing::HasSubstr;
using testing::Pointwise;

std::string read(const std::string& name) {
  std::ifstream in(test::source_dir() / "tests/data/coco_eval" / name);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

CocoObject person(std::int64_t image, double x, double y, double size) {
  CocoObject p;
  p.image_id = image;
  p.category_id = 1;
  p.keypoints.resize(51);
  for (std::size_t k = 0; k < 17; ++k) {
    const std::size_t column = k % 4;
    const std::size_t row = k / 4;
    p.keypoints[3 * k] = x + size * static_cast<double>(column) / 4;
    p.keypoints[3 * k + 1] = y + size * static_cast<double>(row) / 4;
    p.keypoints[3 * k + 2] = 2;
  }
  p.bbox = {x, y, size, size};
  p.area = size * size;
  p.labelled = true;
  return p;
}

CocoResult found(const CocoObject& p, double score) {
  return {p.image_id, p.category_id, p.keypoints, p.bbox, score, p.area};
}

CocoAnnotations annotations(std::vector<CocoObject> people) {
  CocoAnnotations all;
  all.images = {{1, "1.jpg", {}}, {2, "2.jpg", {}}};
  all.categories = {{1, "person", {}}};
  all.objects = std::move(people);
  return all;
}

CocoObject object(std::int64_t category, CocoBox box) {
  CocoObject o;
  o.image_id = 1;
  o.category_id = category;
  o.bbox = box;
  o.area = box[2] * box[3];
  return o;
}

CocoAnnotations boxes(std::vector<CocoObject> objects) {
  CocoAnnotations all = annotations(std::move(objects));
  all.kind = CocoKind::kBoxes;
  all.categories = {{1, "person", {}}, {3, "car", {}}, {18, "dog", {}}};
  return all;
}

CocoStats must_evaluate(const CocoAnnotations& all, const std::vector<CocoResult>& results) {
  const auto stats = evaluate_coco(all, results);
  EXPECT_TRUE(stats) << stats.error().message;
  return stats ? *stats : CocoStats(12, -2);
}

const std::vector<double>& sigmas17() {
  static const std::vector<double> sigmas = sigmas_of({});
  return sigmas;
}

void expect_figures_of_pycocotools(const std::string& prefix, CocoKind kind) {
  const auto truth = parse_coco_annotations(read(prefix + "annotations.json"), "annotations.json", kind);
  ASSERT_TRUE(truth) << truth.error().message;
  const auto results = parse_coco_results(read(prefix + "results.json"), "results.json");
  ASSERT_TRUE(results) << results.error().message;
  EXPECT_EQ(results->kind, kind);
  const auto expected = nlohmann::json::parse(read(prefix + "expected.json")).get<std::vector<double>>();
  EXPECT_THAT(must_evaluate(*truth, results->list), Pointwise(DoubleNear(1e-12), expected));
}

TEST(CocoEval, GivesTheFiguresOfPycocotoolsForKeypoints) { expect_figures_of_pycocotools("", CocoKind::kKeypoints); }

TEST(CocoEval, GivesTheFiguresOfPycocotoolsForBoxes) { expect_figures_of_pycocotools("boxes_", CocoKind::kBoxes); }

TEST(CocoEval, IsOneForPerfectResults) {
  const auto all = annotations({person(1, 10, 10, 60), person(1, 200, 10, 200), person(2, 10, 10, 150)});
  std::vector<CocoResult> results;
  for (const CocoObject& p : all.objects) results.push_back(found(p, 0.9));
  EXPECT_THAT(must_evaluate(all, results), testing::Each(DoubleNear(1, 1e-12)));
}

TEST(CocoEval, IsZeroWithoutResults) {
  EXPECT_THAT(must_evaluate(annotations({person(1, 10, 10, 60), person(1, 200, 10, 200)}), {}), testing::Each(0.0));
}

TEST(CocoEval, IsMinusOneWhereNobodyCounts) {
  EXPECT_THAT(must_evaluate(annotations({}), {}), testing::Each(-1.0));
  const auto stats = must_evaluate(annotations({person(1, 10, 10, 60)}), {});
  EXPECT_EQ(stats[3], 0);   // AP_medium
  EXPECT_EQ(stats[4], -1);  // AP_large
}

TEST(CocoEval, CountsAFoundCrowdNeitherForNorAgainst) {
  CocoObject crowd = person(1, 300, 10, 200);
  crowd.crowd = true;
  const CocoObject one = person(1, 10, 10, 200);
  const auto all = annotations({crowd, one});
  EXPECT_DOUBLE_EQ(must_evaluate(all, {found(crowd, 0.9), found(crowd, 0.8), found(one, 0.7)})[0], 1);
  EXPECT_LT(must_evaluate(annotations({one}), {found(crowd, 0.9), found(one, 0.7)})[0], 0.6);
}

TEST(CocoEval, ForgivesResultsNearAPersonWithoutLabelledKeypoints) {
  CocoObject unlabelled = person(1, 300, 10, 200);
  unlabelled.labelled = false;
  for (std::size_t k = 0; k < 17; ++k) unlabelled.keypoints[3 * k + 2] = 0;
  const CocoObject one = person(1, 10, 10, 100);
  EXPECT_DOUBLE_EQ(oks(unlabelled, person(1, 350, 50, 200).keypoints, sigmas17()), 1);
  EXPECT_LT(oks(unlabelled, person(1, 1500, 50, 200).keypoints, sigmas17()), 0.01);
  EXPECT_DOUBLE_EQ(must_evaluate(annotations({unlabelled, one}), {found(unlabelled, 0.9), found(one, 0.7)})[0], 1);
}

TEST(CocoEval, CountsTwentyResultsAnImage) {
  const CocoObject one = person(1, 10, 10, 200);
  std::vector<CocoResult> results(20, found(person(1, 900, 900, 200), 0.9));
  results.push_back(found(one, 0.1));
  EXPECT_EQ(must_evaluate(annotations({one}), results)[5], 0);
  results.erase(results.begin());
  EXPECT_EQ(must_evaluate(annotations({one}), results)[5], 1);
}

TEST(CocoEval, ComparesBoxesByTheirIou) {
  EXPECT_DOUBLE_EQ(coco_iou(object(1, {10, 10, 20, 10}), {20, 10, 20, 10}), 100.0 / 300);
  EXPECT_EQ(coco_iou(object(1, {10, 10, 20, 10}), {30, 10, 20, 10}), 0);
  EXPECT_EQ(coco_iou(object(1, {10, 10, 0, 0}), {10, 10, 0, 0}), 0);
  CocoObject crowd = object(1, {10, 10, 200, 100});
  crowd.crowd = true;
  EXPECT_DOUBLE_EQ(coco_iou(crowd, {20, 10, 20, 10}), 1);
  EXPECT_DOUBLE_EQ(coco_iou(crowd, {0, 10, 20, 10}), 0.5);
}

TEST(CocoEval, MeansBoxesOverTheCategoriesThatAreAnnotated) {
  const auto all = boxes({object(1, {10, 10, 50, 50}), object(3, {100, 10, 200, 100})});
  // The car is found with an IoU of 0.72, which suffices at five of ten thresholds; a dog counts nowhere.
  const auto stats = must_evaluate(all, {found(all.objects[0], 0.9), found(object(3, {100, 10, 144, 100}), 0.8),
                                         found(object(18, {100, 10, 200, 100}), 0.8)});
  ASSERT_EQ(stats.size(), 12U);
  EXPECT_DOUBLE_EQ(stats[0], 0.75);
  EXPECT_DOUBLE_EQ(stats[1], 1);
  EXPECT_DOUBLE_EQ(stats[2], 0.5);
  EXPECT_EQ(stats[3], -1);          // AP_small: nothing is annotated
  EXPECT_DOUBLE_EQ(stats[4], 1);    // AP_medium: the person
  EXPECT_DOUBLE_EQ(stats[5], 0.5);  // AP_large: the car
}

TEST(CocoEval, CountsOneTenAndAHundredBoxesAnImage) {
  const CocoObject one = object(1, {10, 10, 50, 50});
  const CocoObject other = object(1, {300, 10, 50, 50});
  std::vector<CocoResult> results(9, found(object(1, {400, 400, 9, 9}), 0.9));
  results.push_back(found(one, 0.8));
  results.push_back(found(other, 0.7));
  auto stats = must_evaluate(boxes({one, other}), results);
  EXPECT_EQ(stats[6], 0);
  EXPECT_EQ(stats[7], 0.5);
  EXPECT_EQ(stats[8], 1);
  results.insert(results.begin(), 90, found(object(1, {400, 400, 9, 9}), 0.9));
  stats = must_evaluate(boxes({one, other}), results);
  EXPECT_EQ(stats[8], 0.5);
}

TEST(CocoEval, TakesSigmasByTheNamesOfKeypoints) {
  const CocoCategory category{1, "person", {"nose", "RHip", "MidHip", "left_big_toe", "tail"}};
  EXPECT_THAT(sigmas_of(category), testing::ElementsAre(.026, .107, .066, .079, kUnknownSigma));
  EXPECT_EQ(sigmas_of({}).size(), 17U);
}

TEST(CocoEval, TakesTheSigmasThatAreGiven) {
  auto all = annotations({person(1, 10, 10, 100)});
  CocoResult moved = found(all.objects[0], 0.9);
  for (std::size_t k = 0; k < 51; k += 3) moved.keypoints[k] += 10;
  // exp(-100 / (2 * 0.2)^2 / 10,000 / 2) = 0.9692; with COCO's sigmas it is below 0.75.
  const auto stats = evaluate_coco(all, {moved}, std::vector<double>(17, 0.2));
  ASSERT_TRUE(stats) << stats.error().message;
  EXPECT_DOUBLE_EQ((*stats)[0], 1);
  EXPECT_EQ(must_evaluate(all, {moved})[2], 0);
  const auto refused = evaluate_coco(all, {moved}, std::vector<double>(3, 0.2));
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("3 sigmas, but the category 'person' of the annotations has 17"));
}

TEST(CocoEval, RefusesResultsOfOtherKeypoints) {
  auto all = annotations({person(1, 10, 10, 100)});
  CocoResult result = found(all.objects[0], 0.9);
  result.keypoints.resize(15);
  const auto stats = evaluate_coco(all, {result});
  ASSERT_FALSE(stats);
  EXPECT_THAT(stats.error().message, HasSubstr("15 values of keypoints, where the annotations have 51"));
}

TEST(CocoEval, RefusesResultsOfOtherImages) {
  const auto stats = evaluate_coco(annotations({}), {found(person(7, 0, 0, 9), 0.5)});
  ASSERT_FALSE(stats);
  EXPECT_THAT(stats.error().message, HasSubstr("image 7 of the results is not in the annotations"));
}

TEST(CocoEval, PrintsTheTableOfPycocotools) {
  CocoStats stats(10, 0.0);
  stats[0] = 0.40449;
  stats[3] = -1;
  const std::string table = coco_table(CocoKind::kKeypoints, stats);
  EXPECT_THAT(table, HasSubstr(" Average Precision  (AP) @[ IoU=0.50:0.95 | area=   all | maxDets= 20 ] = 0.404\n"));
  EXPECT_THAT(table, HasSubstr(" Average Precision  (AP) @[ IoU=0.50:0.95 | area=medium | maxDets= 20 ] = -1.000\n"));
  EXPECT_THAT(table, HasSubstr(" Average Recall     (AR) @[ IoU=0.75      | area=   all | maxDets= 20 ] = 0.000\n"));
  EXPECT_EQ(std::count(table.begin(), table.end(), '\n'), 10);
  const std::string of_boxes = coco_table(CocoKind::kBoxes, CocoStats(12, 0.5));
  EXPECT_THAT(of_boxes, HasSubstr(" Average Recall     (AR) @[ IoU=0.50:0.95 | area=   all | maxDets=  1 ] = 0.500\n"));
  EXPECT_EQ(std::count(of_boxes.begin(), of_boxes.end(), '\n'), 12);
}

TEST(CocoData, SaysWhatIsWrongInAFile) {
  const auto message = [](std::string_view text, CocoKind kind = CocoKind::kKeypoints) {
    const auto parsed = parse_coco_annotations(text, "a.json", kind);
    return parsed ? std::string() : parsed.error().message;
  };
  EXPECT_THAT(message("{"), HasSubstr("a.json: not a JSON file"));
  EXPECT_THAT(message("[]"), HasSubstr("a.json: top level: expected"));
  EXPECT_THAT(message(R"({"images":[{"id":"1"}],"annotations":[],"categories":[]})"),
              HasSubstr("a.json: images[0].id: expected an integer"));
  EXPECT_THAT(
      message(R"({"images":[],"annotations":[{"image_id":1,"category_id":1,"keypoints":[1]}],"categories":[]})"),
      HasSubstr("a.json: annotations[0].keypoints: expected a list of 51 numbers"));
  EXPECT_THAT(message(R"({"images":[7],"annotations":[],"categories":[]})"),
              HasSubstr("a.json: images[0]: expected an object"));
  EXPECT_THAT(message(R"({"images":[],"annotations":[],"categories":[{"id":1,"keypoints":[3]}]})"),
              HasSubstr("a.json: categories[0].keypoints: expected a list of strings"));
  EXPECT_THAT(message(R"({"images":[],"annotations":[{"image_id":1,"category_id":1,"bbox":[0,0,1,1],"area":-1}],
                          "categories":[]})",
                      CocoKind::kBoxes),
              HasSubstr("a.json: annotations[0].area: expected a number that is not negative"));
  EXPECT_FALSE(parse_coco_results("{}", "r.json"));
  EXPECT_FALSE(parse_coco_results("[3]", "r.json"));
  EXPECT_FALSE(parse_coco_results(R"([{"image_id":1,"category_id":1,"score":1}])", "r.json"));
  EXPECT_FALSE(parse_coco_results(R"([{"image_id":1,"category_id":1,"score":1,"keypoints":[1,2]}])", "r.json"));
  EXPECT_TRUE(parse_coco_results("[]", "r.json"));
}

TEST(CocoData, ReadsKeypointsByTheirCategory) {
  const auto parsed = parse_coco_annotations(
      R"({"images":[{"id":1,"file_name":"1.jpg"}],
          "categories":[{"id":1,"name":"person","keypoints":["head","tail"]},{"id":3,"name":"car"}],
          "annotations":[{"image_id":1,"category_id":3,"bbox":[0,0,9,9],"area":81},
                         {"image_id":1,"category_id":1,"bbox":[0,0,9,9],"area":81,"keypoints":[1,2,2,3,4,0]}]})",
      "a.json", CocoKind::kKeypoints);
  ASSERT_TRUE(parsed) << parsed.error().message;
  ASSERT_EQ(parsed->objects.size(), 1U);  // nobody looks for the keypoints of a car
  EXPECT_THAT(parsed->objects[0].keypoints, testing::ElementsAre(1, 2, 2, 3, 4, 0));
  EXPECT_TRUE(parsed->objects[0].labelled);
  ASSERT_EQ(parsed->categories.size(), 1U);
  EXPECT_EQ(parsed->categories[0].name, "person");
}

TEST(CocoData, ReadsBoxesWithoutKeypointsAndArea) {
  const auto parsed = parse_coco_annotations(
      R"({"images":[],"categories":[{"id":3,"name":"car"}],
          "annotations":[{"image_id":1,"category_id":3,"bbox":[1,2,9,10],"iscrowd":1},
                         {"image_id":1,"category_id":3,"bbox":[1,2,9,10],"area":7}]})",
      "a.json", CocoKind::kBoxes);
  ASSERT_TRUE(parsed) << parsed.error().message;
  ASSERT_EQ(parsed->objects.size(), 2U);
  EXPECT_EQ(parsed->objects[0].area, 90);
  EXPECT_TRUE(parsed->objects[0].crowd && parsed->objects[0].labelled);
  EXPECT_EQ(parsed->objects[1].area, 7);
}

TEST(CocoData, DerivesTheAreaOfAResultAsPycocotoolsDoes) {
  std::string keypoints = "[10,20,1,30,60,1";
  for (int i = 2; i < 17; ++i) keypoints += ",15,25,1";
  const std::string result = R"({"image_id":1,"category_id":1,"score":0.5,"keypoints":)" + keypoints + "]";
  EXPECT_EQ(parse_coco_results("[" + result + "}]", "r")->list[0].area, 800);
  EXPECT_EQ(parse_coco_results("[" + result + R"(,"bbox":[0,0,5,6]}])", "r")->list[0].area, 30);
}

}  // namespace
}  // namespace posecam
