#include "postprocess/eval/coco_eval.h"

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

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

CocoPerson person(std::int64_t image, double x, double y, double size) {
  CocoPerson p;
  p.image_id = image;
  p.category_id = 1;
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

CocoResult found(const CocoPerson& p, double score) { return {p.image_id, 1, p.keypoints, score, p.area}; }

CocoAnnotations annotations(std::vector<CocoPerson> people) {
  CocoAnnotations all;
  all.images = {{1, "1.jpg", {}}, {2, "2.jpg", {}}};
  all.categories = {1};
  all.people = std::move(people);
  return all;
}

CocoStats must_evaluate(const CocoAnnotations& all, const std::vector<CocoResult>& results) {
  const auto stats = evaluate_coco(all, results);
  EXPECT_TRUE(stats) << stats.error().message;
  return stats ? *stats : CocoStats{};
}

TEST(CocoEval, GivesTheFiguresOfPycocotools) {
  const auto truth = parse_coco_annotations(read("annotations.json"), "annotations.json");
  ASSERT_TRUE(truth) << truth.error().message;
  const auto results = parse_coco_results(read("results.json"), "results.json");
  ASSERT_TRUE(results) << results.error().message;
  const auto expected = nlohmann::json::parse(read("expected.json")).get<std::vector<double>>();
  EXPECT_THAT(must_evaluate(*truth, *results), Pointwise(DoubleNear(1e-12), expected));
}

TEST(CocoEval, IsOneForPerfectResults) {
  const auto all = annotations({person(1, 10, 10, 60), person(1, 200, 10, 200), person(2, 10, 10, 150)});
  std::vector<CocoResult> results;
  for (const CocoPerson& p : all.people) results.push_back(found(p, 0.9));
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
  CocoPerson crowd = person(1, 300, 10, 200);
  crowd.crowd = true;
  const CocoPerson one = person(1, 10, 10, 200);
  const auto all = annotations({crowd, one});
  EXPECT_DOUBLE_EQ(must_evaluate(all, {found(crowd, 0.9), found(crowd, 0.8), found(one, 0.7)})[0], 1);
  EXPECT_LT(must_evaluate(annotations({one}), {found(crowd, 0.9), found(one, 0.7)})[0], 0.6);
}

TEST(CocoEval, ForgivesResultsNearAPersonWithoutLabelledKeypoints) {
  CocoPerson unlabelled = person(1, 300, 10, 200);
  unlabelled.labelled = false;
  for (std::size_t k = 0; k < 17; ++k) unlabelled.keypoints[3 * k + 2] = 0;
  const CocoPerson one = person(1, 10, 10, 100);
  EXPECT_DOUBLE_EQ(oks(unlabelled, person(1, 350, 50, 200).keypoints), 1);
  EXPECT_LT(oks(unlabelled, person(1, 1500, 50, 200).keypoints), 0.01);
  EXPECT_DOUBLE_EQ(must_evaluate(annotations({unlabelled, one}), {found(unlabelled, 0.9), found(one, 0.7)})[0], 1);
}

TEST(CocoEval, CountsTwentyResultsAnImage) {
  const CocoPerson one = person(1, 10, 10, 200);
  std::vector<CocoResult> results(20, found(person(1, 900, 900, 200), 0.9));
  results.push_back(found(one, 0.1));
  EXPECT_EQ(must_evaluate(annotations({one}), results)[5], 0);
  results.erase(results.begin());
  EXPECT_EQ(must_evaluate(annotations({one}), results)[5], 1);
}

TEST(CocoEval, RefusesResultsOfOtherImages) {
  const auto stats = evaluate_coco(annotations({}), {found(person(7, 0, 0, 9), 0.5)});
  ASSERT_FALSE(stats);
  EXPECT_THAT(stats.error().message, HasSubstr("image 7 of the results is not in the annotations"));
}

TEST(CocoEval, PrintsTheTableOfPycocotools) {
  CocoStats stats{};
  stats[0] = 0.40449;
  stats[3] = -1;
  const std::string table = coco_table(stats);
  EXPECT_THAT(table, HasSubstr(" Average Precision  (AP) @[ IoU=0.50:0.95 | area=   all | maxDets= 20 ] = 0.404\n"));
  EXPECT_THAT(table, HasSubstr(" Average Precision  (AP) @[ IoU=0.50:0.95 | area=medium | maxDets= 20 ] = -1.000\n"));
  EXPECT_THAT(table, HasSubstr(" Average Recall     (AR) @[ IoU=0.75      | area=   all | maxDets= 20 ] = 0.000\n"));
  EXPECT_EQ(std::count(table.begin(), table.end(), '\n'), 10);
}

TEST(CocoData, SaysWhatIsWrongInAFile) {
  const auto message = [](std::string_view text) {
    const auto parsed = parse_coco_annotations(text, "a.json");
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
  EXPECT_FALSE(parse_coco_results("{}", "r.json"));
  EXPECT_FALSE(parse_coco_results("[3]", "r.json"));
  EXPECT_TRUE(parse_coco_results("[]", "r.json"));
}

TEST(CocoData, DerivesTheAreaOfAResultAsPycocotoolsDoes) {
  std::string keypoints = "[10,20,1,30,60,1";
  for (int i = 2; i < 17; ++i) keypoints += ",15,25,1";
  const std::string result = R"({"image_id":1,"category_id":1,"score":0.5,"keypoints":)" + keypoints + "]";
  EXPECT_EQ((*parse_coco_results("[" + result + "}]", "r"))[0].area, 800);
  EXPECT_EQ((*parse_coco_results("[" + result + R"(,"bbox":[0,0,5,6]}])", "r"))[0].area, 30);
}

}  // namespace
}  // namespace posecam
