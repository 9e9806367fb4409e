#include <chrono>
#include <cmath>
#include <limits>
#include <locale>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "postprocess/documents/json_text.h"
#include "postprocess/documents/json_writer.h"

namespace posecam {
namespace {

using Json = nlohmann::ordered_json;
using testing::ElementsAre;

std::shared_ptr<const ModelSpec> pose_model(const Skeleton& skeleton) {
  auto spec = std::make_shared<ModelSpec>();
  spec->name = "openpose";
  spec->skeleton = std::make_shared<Skeleton>(skeleton);
  return spec;
}

std::shared_ptr<const ModelSpec> detection_model() {
  auto spec = std::make_shared<ModelSpec>();
  spec->name = "yolox-nano";
  spec->labels = {"person", "bicycle"};
  return spec;
}

FrameResult one_person(const Skeleton& skeleton) {
  FrameResult result;
  result.model = pose_model(skeleton);
  Pose pose;
  pose.score = 0.83F;
  pose.keypoints[0] = Keypoint{0.25F, 0.5F, 0.75F};
  pose.keypoints[2] = Keypoint{0.5F, 0.75F, 0.5F};
  result.poses.push_back(pose);
  return result;
}

FrameInfo frame() {
  FrameInfo info;
  info.stream_id = "cam1";
  info.frame_id = 1042;
  info.pts_ns = 34733333333;
  info.wallclock = std::chrono::sys_days{std::chrono::year{2026} / 8 / 21} + std::chrono::hours{10} +
                   std::chrono::minutes{11} + std::chrono::milliseconds{12133};
  info.size = {640, 480};
  return info;
}

std::string line_of(const FrameInfo& info, const FrameResult& result) {
  std::string out;
  append_ndjson_line(info, result, out);
  return out;
}

std::vector<std::string> keys(const Json& object) {
  std::vector<std::string> names;
  for (const auto& item : object.items()) names.push_back(item.key());
  return names;
}

std::string number(double value, int decimals = 3) {
  std::string out;
  json::append_number(out, value, decimals);
  return out;
}

std::string as_string(std::string_view text) {
  std::string out;
  json::append_string(out, text);
  return out;
}

TEST(JsonNumber, IsShortAndRoundedToItsDecimals) {
  EXPECT_EQ(number(582.3494), "582.349");
  EXPECT_EQ(number(582.3496), "582.35");
  EXPECT_EQ(number(3), "3");
  EXPECT_EQ(number(0.05), "0.05");
  EXPECT_EQ(number(-0.25), "-0.25");
  EXPECT_EQ(number(100), "100");
  EXPECT_EQ(number(0.0000004, 6), "0");
  EXPECT_EQ(number(-0.0000004, 6), "0");
  EXPECT_EQ(number(0.9999996, 6), "1");
}

TEST(JsonNumber, IsFiniteWhateverTheValue) {
  EXPECT_EQ(number(std::numeric_limits<double>::quiet_NaN()), "0");
  EXPECT_EQ(number(std::numeric_limits<double>::infinity()), "0");
  EXPECT_EQ(number(1e300, 6), "1000000000000");
  EXPECT_EQ(number(-1e300, 6), "-1000000000000");
}

TEST(JsonNumber, DoesNotFollowTheLocale) {
  struct Comma : std::numpunct<char> {
    char do_decimal_point() const override { return ','; }
  };
  const std::locale before = std::locale::global(std::locale(std::locale::classic(), new Comma));
  EXPECT_EQ(number(0.5), "0.5");
  std::locale::global(before);
}

TEST(JsonString, EscapesWhatJsonForbids) {
  EXPECT_EQ(as_string("a\"b\\c\n\t\r"), R"("a\"b\\c\n\t\r")");
  EXPECT_EQ(as_string(std::string_view("\x01\x1f\0", 3)), R"("\u0001\u001f\u0000")");
  EXPECT_EQ(as_string("K\xC3\xBC"
                      "che \xF0\x9F\x8E\xA5"),
            "\"K\xC3\xBC"
            "che \xF0\x9F\x8E\xA5\"");
}

TEST(JsonString, EscapesWhatATerminalObeys) {
  EXPECT_EQ(as_string("a\x1b[2J\x7F\u009B\u202Egpj\u2066\u200F"), R"("a\u001b[2J\u007f\u009b\u202egpj\u2066\u200f")");
}

TEST(JsonString, ReplacesBytesThatAreNotUtf8) {
  EXPECT_EQ(as_string("a\xFFz"), "\"a\xEF\xBF\xBDz\"");
  for (const std::string bad :
       {"\xC0\xAF", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE2\x82", "\x80", "\xF0\x80\x80\x80"}) {
    EXPECT_TRUE(Json::accept(as_string(bad))) << testing::PrintToString(bad);
    EXPECT_NE(as_string(bad), '"' + bad + '"') << testing::PrintToString(bad);
  }
}

TEST(NdjsonLine, HasTheKeysOfTheFormatInTheirOrder) {
  const std::string line = line_of(frame(), one_person(coco18()));
  ASSERT_TRUE(line.ends_with("}\n"));
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  const Json json = Json::parse(line);
  EXPECT_THAT(keys(json), ElementsAre("version", "stream_id", "frame_id", "pts_ns", "wallclock", "source", "model",
                                      "keypoint_format", "status", "latency_ms", "people", "objects"));
  EXPECT_EQ(json["version"], 1.3);
  EXPECT_EQ(json["stream_id"], "cam1");
  EXPECT_EQ(json["frame_id"], 1042);
  EXPECT_EQ(json["pts_ns"], 34733333333);
  EXPECT_EQ(json["wallclock"], "2026-08-21T10:11:12.133Z");
  EXPECT_EQ(json["source"], Json::parse(R"({"width":640,"height":480})"));
  EXPECT_EQ(json["model"], "openpose");
  EXPECT_EQ(json["keypoint_format"], "body-pose/openpose-18");
  EXPECT_EQ(json["status"], "analysed");
  EXPECT_THAT(keys(json["latency_ms"]), ElementsAre("preprocess", "queue", "infer", "post"));
}

TEST(NdjsonLine, NamesThePicturesFileAndTheFramesThatWereLost) {
  FrameInfo info = frame();
  info.pts_ns.reset();
  info.file = "caf\xC3\xA9 \"1\".JPG";
  info.dropped = 3;
  const Json json = Json::parse(line_of(info, one_person(coco18())));
  EXPECT_EQ(json["file"], "caf\xC3\xA9 \"1\".JPG");
  EXPECT_EQ(json["dropped"], 3);
  EXPECT_FALSE(json.contains("pts_ns"));
}

TEST(NdjsonLine, SaysWhenItsStreamBeganIfNotAtOnce) {
  FrameInfo info = frame();
  EXPECT_FALSE(Json::parse(line_of(info, one_person(coco18()))).contains("start_ns"));
  info.start_ns = 1'500'000'000;
  EXPECT_EQ(Json::parse(line_of(info, one_person(coco18())))["start_ns"], 1'500'000'000);
  info.pts_ns.reset();
  EXPECT_FALSE(Json::parse(line_of(info, one_person(coco18()))).contains("start_ns"));
}

TEST(NdjsonLine, GivesPeopleInPixelsOfTheSource) {
  const Json json = Json::parse(line_of(frame(), one_person(coco18())));
  ASSERT_EQ(json["people"].size(), 1U);
  const Json& person = json["people"][0];
  EXPECT_THAT(keys(person), ElementsAre("person_id", "score", "bbox", "pose_keypoints_2d"));
  EXPECT_EQ(person["person_id"], Json::parse("[-1]"));
  EXPECT_EQ(person["score"], 0.83);
  EXPECT_EQ(person["bbox"], Json::parse("[160,240,160,120]"));
  ASSERT_EQ(person["pose_keypoints_2d"].size(), 54U);
  EXPECT_EQ(Json(std::vector<Json>(person["pose_keypoints_2d"].begin(), person["pose_keypoints_2d"].begin() + 9)),
            Json::parse("[160,240,0.75,0,0,0,320,360,0.5]"));
}

TEST(NdjsonLine, CarriesTheIdOfATracker) {
  FrameResult result = one_person(body25());
  result.poses[0].id = 7;
  const Json json = Json::parse(line_of(frame(), result));
  EXPECT_EQ(json["people"][0]["person_id"], Json::parse("[7]"));
  EXPECT_EQ(json["people"][0]["pose_keypoints_2d"].size(), 75U);
}

TEST(NdjsonLine, DescribesObjects) {
  FrameResult result;
  result.model = detection_model();
  result.detections = {{{0.5F, 0.25F, 0.25F, 0.5F}, 0.93F, 1, {}}, {{0, 0, 1, 1}, 0.5F, 0, 3}, {{}, 0.4F, 80, {}}};
  const Json json = Json::parse(line_of(frame(), result));
  EXPECT_FALSE(json.contains("keypoint_format"));
  EXPECT_EQ(json["people"], Json::array());
  EXPECT_EQ(json["objects"][0].dump(),
            R"({"label":"bicycle","label_id":1,"confidence":0.93,"bbox":[320,120,160,240]})");
  EXPECT_EQ(json["objects"][1]["track_id"], 3);
  EXPECT_EQ(json["objects"][2]["label"], "");
}

TEST(NdjsonLine, SaysWhatTheWholeFrameShows) {
  FrameResult result;
  auto model = *detection_model();
  model.task = Task::kClassification;
  result.model = std::make_shared<const ModelSpec>(model);
  result.classes = {{0.93F, 1}, {0.0625F, 80}};
  const Json json = Json::parse(line_of(frame(), result));
  EXPECT_EQ(json["classes"].dump(),
            R"([{"label":"bicycle","label_id":1,"confidence":0.93},{"label":"","label_id":80,"confidence":0.0625}])");
  result.model = detection_model();
  EXPECT_FALSE(Json::parse(line_of(frame(), result)).contains("classes"));
}

TEST(NdjsonLine, NamesEveryNetworkThatLooked) {
  FrameResult result = one_person(coco18());
  EXPECT_FALSE(Json::parse(line_of(frame(), result)).contains("detector"));
  result.detector = detection_model();
  auto classifier = std::make_shared<ModelSpec>();
  classifier->task = Task::kClassification;
  classifier->name = "classifier";
  result.classifier = classifier;
  const Json json = Json::parse(line_of(frame(), result));
  EXPECT_EQ(json["model"], result.model->name);
  EXPECT_EQ(json["detector"], detection_model()->name);
  EXPECT_EQ(json["classifier"], "classifier");
}

TEST(NdjsonLine, LeavesOutTimesThatAreNotKnown) {
  FrameInfo info = frame();
  info.pts_ns.reset();
  info.wallclock.reset();
  const Json json = Json::parse(line_of(info, one_person(coco18())));
  EXPECT_FALSE(json.contains("pts_ns"));
  EXPECT_FALSE(json.contains("wallclock"));
}

TEST(NdjsonLine, SaysWhenAFrameWasNotAnalysed) {
  FrameResult result;
  result.model = pose_model(coco18());
  result.status = FrameStatus::kUnanalysed;
  EXPECT_EQ(Json::parse(line_of(frame(), result))["status"], "unanalysed");
  result.status = FrameStatus::kSkipped;
  EXPECT_EQ(Json::parse(line_of(frame(), result))["status"], "skipped");
}

TEST(NdjsonLine, IsValidWithHostileContent) {
  FrameResult result = one_person(coco18());
  result.poses[0].keypoints[5] = Keypoint{std::nanf(""), std::numeric_limits<float>::infinity(), -1e30F};
  result.poses[0].score = std::nanf("");
  FrameInfo info = frame();
  info.stream_id = "rtsp://\"\xFF\n}";
  EXPECT_TRUE(Json::accept(line_of(info, result)));
}

TEST(NdjsonLine, GrowsTheStringOfItsCallerOnlyOnce) {
  const FrameResult result = one_person(coco18());
  std::string out;
  append_ndjson_line(frame(), result, out);
  const char* data = out.data();
  out.clear();
  append_ndjson_line(frame(), result, out);
  EXPECT_EQ(out.data(), data);
}

TEST(OpenposeDocument, IsWrittenAsOpenPoseDoes) {
  std::string out;
  append_openpose_document(frame(), one_person(coco18()), out);
  const std::string zeros = ",0,0,0";
  std::string expected =
      R"({"version":1.3,"people":[{"person_id":[-1],"pose_keypoints_2d":[160,240,0.75,0,0,0,320,360,0.5)";
  for (int i = 3; i < 18; ++i) expected += zeros;
  expected +=
      R"(],"face_keypoints_2d":[],"hand_left_keypoints_2d":[],"hand_right_keypoints_2d":[],"pose_keypoints_3d":[],)"
      R"("face_keypoints_3d":[],"hand_left_keypoints_3d":[],"hand_right_keypoints_3d":[]}]})";
  EXPECT_EQ(out, expected);
}

TEST(OpenposeDocument, IsWrittenForAFrameWithoutPeople) {
  FrameResult result;
  result.model = pose_model(body25());
  std::string out;
  append_openpose_document(frame(), result, out);
  EXPECT_EQ(out, R"({"version":1.3,"people":[]})");
}

TEST(OpenposeFileName, FollowsOpenPose) {
  FrameInfo info = frame();
  info.name = "clip";
  EXPECT_EQ(openpose_file_name(info), "clip_000000001042_keypoints.json");
  info.still = true;
  EXPECT_EQ(openpose_file_name(info), "clip_keypoints.json");
  info.name = "";
  EXPECT_EQ(openpose_file_name(info), "000000001042_keypoints.json");
}

TEST(OpenposeFileName, StaysInItsFolder) {
  FrameInfo info = frame();
  info.name = "../a/b";
  EXPECT_EQ(openpose_file_name(info), ".._a_b_000000001042_keypoints.json");
}

TEST(CocoResults, ReorderTo17KeypointsAndIndexPixels) {
  FrameResult result = one_person(coco18());
  result.poses.push_back(result.poses[0]);
  FrameInfo info = frame();
  info.image_id = 42;
  bool first = true;
  std::string out;
  append_coco_results(info, result, first, out);
  EXPECT_FALSE(first);
  const Json json = Json::parse("[" + out + "]");
  ASSERT_EQ(json.size(), 2U);
  EXPECT_THAT(keys(json[0]), ElementsAre("image_id", "category_id", "keypoints", "score"));
  EXPECT_EQ(json[0]["image_id"], 42);
  EXPECT_EQ(json[0]["category_id"], 1);
  EXPECT_EQ(json[0]["score"], 0.83);
  std::vector<double> expected(51, 0.0);
  expected[0] = 159.5, expected[1] = 239.5, expected[2] = 0.75;    // nose
  expected[18] = 319.5, expected[19] = 359.5, expected[20] = 0.5;  // right shoulder, OpenPose's part 2
  EXPECT_EQ(json[0]["keypoints"].get<std::vector<double>>(), expected);
}

TEST(CocoResults, LeaveOutPartsThatTheSkeletonLacks) {
  const auto mpii = find_skeleton("mpii-16");
  FrameResult result;
  result.model = pose_model(*mpii);
  result.poses.emplace_back();
  for (std::size_t k = 0; k < mpii->parts.size(); ++k) result.poses[0].keypoints[k] = Keypoint{0.5F, 0.5F, 1};
  bool first = true;
  std::string out;
  append_coco_results(frame(), result, first, out);
  const auto numbers = Json::parse(out)["keypoints"].get<std::vector<double>>();
  ASSERT_EQ(numbers.size(), 51U);
  for (std::size_t k = 0; k < 17; ++k) EXPECT_EQ(numbers[3 * k + 2], k < 5 ? 0 : 1) << "no face in MPII: " << k;
}

TEST(CocoResults, NumberFramesOfAClip) {
  bool first = true;
  std::string out;
  append_coco_results(frame(), one_person(coco17()), first, out);
  EXPECT_EQ(Json::parse(out)["image_id"], 1042);
}

TEST(CocoResults, AreNothingWithoutPeople) {
  FrameResult result;
  result.model = detection_model();
  bool first = true;
  std::string out;
  append_coco_results(frame(), result, first, out);
  EXPECT_TRUE(first);
  EXPECT_EQ(out, "");
}

}  // namespace
}  // namespace posecam
