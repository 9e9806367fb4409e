#include "postprocess/decode/single/coordinates.h"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>

#include "tests/unit/postprocess/decode/single/single_model.h"

namespace posecam {
namespace {

using test::kParts;
using test::kWhole;
using test::poses_of;
using test::view;
using testing::HasSubstr;

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

ModelSpec model() { return test::single_model({"points", "scores", "person", "maps"}); }

/// MoveNet's: y, x, score of each part, in shares of the input.
CoordinatesDecoder movenet() {
  CoordinatesDecoder decoder;
  decoder.output = "points";
  decoder.values = 3;
  decoder.x = 1;
  decoder.y = 0;
  decoder.unit = CoordinatesDecoder::Unit::kInput;
  decoder.score = CoordinatesDecoder::Score{"", 2, false};
  return decoder;
}

CoordinatesDecoder plain() {
  CoordinatesDecoder decoder;
  decoder.output = "points";
  return decoder;
}

/// The outputs of a frame.
struct Outputs {
  std::vector<float> points;
  std::vector<float> scores = std::vector<float>(kParts, 0.5F);
  std::vector<float> person{1};
  std::vector<float> maps = std::vector<float>(std::size_t{16} * 8 * kParts, -20.F);

  explicit Outputs(std::size_t values, std::size_t count = kParts) : points(values * count) {}

  std::vector<TensorView> views() const {
    return {view(points, {1, 1, static_cast<std::int64_t>(points.size()), 1}), view(scores, {1, kParts}),
            view(person, {1, 1}), view(maps, {1, 8, 16, kParts})};
  }
};

TEST(Coordinates, ReadsYAndXInSharesOfTheInputAsMoveNetHasThem) {
  Outputs outputs(3);
  outputs.points[3 * 5 + 0] = 0.25F;
  outputs.points[3 * 5 + 1] = 0.75F;
  outputs.points[3 * 5 + 2] = 0.875F;
  outputs.points[3 * 6 + 0] = 0.5F;
  outputs.points[3 * 6 + 1] = 0.5F;
  outputs.points[3 * 6 + 2] = 0.125F;
  const auto poses = poses_of(model(), movenet(), outputs.views());
  ASSERT_EQ(poses.size(), 1U);
  EXPECT_FLOAT_EQ(poses[0].keypoints[5]->x, 0.75F);
  EXPECT_FLOAT_EQ(poses[0].keypoints[5]->y, 0.25F);
  EXPECT_FLOAT_EQ(poses[0].keypoints[5]->score, 0.875F);
  EXPECT_FLOAT_EQ(poses[0].score, 0.5F) << "the mean of 0.875 and 0.125";
  EXPECT_FALSE(poses[0].keypoints[4]) << "a score of 0 is not found";
}

TEST(Coordinates, GoesBackThroughTheLetterbox) {
  Outputs outputs(3);
  outputs.points = std::vector<float>(3 * kParts, 0.5F);
  // The picture is 40 pixels wide, from 12 on: the middle of the input is its middle too; the height is 20 from 0 on.
  const auto poses = poses_of(model(), movenet(), outputs.views(), {{80, 40}, test::kInput, {12, 0}, {40, 20}});
  ASSERT_EQ(poses.size(), 1U);
  EXPECT_FLOAT_EQ(poses[0].keypoints[0]->x, (32.F - 12) / 40);
  EXPECT_FLOAT_EQ(poses[0].keypoints[0]->y, 16.F / 20);
}

TEST(Coordinates, WithoutScoresEveryPartIsThereForSure) {
  Outputs outputs(2);
  outputs.points = std::vector<float>(2 * kParts, 16.F);
  const auto poses = poses_of(model(), plain(), outputs.views());
  ASSERT_EQ(poses.size(), 1U);
  for (std::size_t part = 0; part < kParts; ++part) {
    EXPECT_FLOAT_EQ(poses[0].keypoints[part]->x, 0.25F);
    EXPECT_FLOAT_EQ(poses[0].keypoints[part]->y, 0.5F);
    EXPECT_FLOAT_EQ(poses[0].keypoints[part]->score, 1);
  }
  EXPECT_FLOAT_EQ(poses[0].score, 1);
}

TEST(Coordinates, MayHaveAUnitAndScoresInAnOutputOfTheirOwn) {
  Outputs outputs(2);
  outputs.points = std::vector<float>(2 * kParts, 2.F);
  outputs.scores[3] = 3;
  CoordinatesDecoder decoder = plain();
  decoder.unit = CoordinatesDecoder::Unit::kGiven;
  decoder.pixels = {8, 4};
  decoder.score = CoordinatesDecoder::Score{"scores", 0, true};
  const auto poses = poses_of(model(), decoder, outputs.views());
  ASSERT_EQ(poses.size(), 1U);
  EXPECT_FLOAT_EQ(poses[0].keypoints[3]->x, 16.F / 64);
  EXPECT_FLOAT_EQ(poses[0].keypoints[3]->y, 8.F / 32);
  EXPECT_FLOAT_EQ(poses[0].keypoints[3]->score, 0.95257413F) << "1 / (1 + exp(-3))";
}

TEST(Coordinates, ReadsOnlyThePointsThatAreParts) {
  Outputs outputs(5, 39);
  for (std::size_t point = 0; point < 39; ++point) outputs.points[5 * point] = static_cast<float>(point);
  CoordinatesDecoder decoder = plain();
  decoder.values = 5;
  EXPECT_EQ(test::refusal(model(), decoder, outputs.views()),
            "output 'points' is 1x1x195x1 f32, expected f32 of 85 values (17 points of 5); check the input size and "
            "the decoder entry of the descriptor");
  decoder.count = 39;
  const auto poses = poses_of(model(), decoder, outputs.views());
  ASSERT_EQ(poses.size(), 1U);
  EXPECT_FLOAT_EQ(poses[0].keypoints[16]->x, 16.F / 64);
  EXPECT_FALSE(poses[0].keypoints[17]);
  decoder.count = 16;
  EXPECT_THAT(decoder.make(model(), {}).error().message, HasSubstr("17 parts, but the decoder reads 16 points"));
}

TEST(Coordinates, AFlagSaysWhetherAnybodyIsThereAndIsTheScore) {
  Outputs outputs(2);
  CoordinatesDecoder decoder = plain();
  decoder.person = CoordinatesDecoder::Flag{"person", false, 0.5F};
  for (const auto& [flag, people] : {std::pair{0.75F, 1U}, {0.5F, 1U}, {0.49F, 0U}, {kNan, 0U}, {0.F, 0U}}) {
    outputs.person[0] = flag;
    const auto poses = poses_of(model(), decoder, outputs.views());
    EXPECT_EQ(poses.size(), people) << flag;
    for (const Pose& pose : poses) EXPECT_FLOAT_EQ(pose.score, flag);
  }
  decoder.person->logit = true;
  outputs.person[0] = 0;
  EXPECT_FLOAT_EQ(poses_of(model(), decoder, outputs.views())[0].score, 0.5F);
  DecodeOptions options;
  options.threshold = 1;  // is for keypoints, and theirs are 1
  EXPECT_EQ(poses_of(model(), decoder, outputs.views(), kWhole, options).size(), 1U);
}

TEST(Coordinates, KeepsWhatIsALittleOutsideAndDropsWhatIsFar) {
  Outputs outputs(2);
  const auto set = [&](std::size_t part, float x, float y) {
    outputs.points[2 * part] = x;
    outputs.points[2 * part + 1] = y;
  };
  set(0, -32, 48);   // half an image outside
  set(1, -33, 0);    // more
  set(2, 0, 48.5F);  // likewise below
  set(3, kNan, 0);
  set(4, 0, -kInf);
  const auto poses = poses_of(model(), plain(), outputs.views());
  ASSERT_EQ(poses.size(), 1U);
  EXPECT_FLOAT_EQ(poses[0].keypoints[0]->x, -0.5F);
  EXPECT_FLOAT_EQ(poses[0].keypoints[0]->y, 1.5F);
  for (std::size_t part = 1; part < 5; ++part) EXPECT_FALSE(poses[0].keypoints[part]) << part;
  EXPECT_TRUE(poses[0].keypoints[5]);
}

TEST(Coordinates, TheUsersThresholdGoesBeforeTheModels) {
  Outputs outputs(2);
  CoordinatesDecoder decoder = plain();
  decoder.score = CoordinatesDecoder::Score{"scores", 0, false};
  decoder.threshold = 0.6F;
  EXPECT_TRUE(poses_of(model(), decoder, outputs.views()).empty());
  DecodeOptions options;
  options.threshold = 0.5F;
  EXPECT_EQ(poses_of(model(), decoder, outputs.views(), kWhole, options).size(), 1U);
}

TEST(Coordinates, ScoresThatAreNotFiniteAreNotFoundAndHighOnesAreOne) {
  Outputs outputs(2);
  CoordinatesDecoder decoder = plain();
  decoder.score = CoordinatesDecoder::Score{"scores", 0, false};
  for (const float bad : {kNan, kInf, -kInf, -1.F, 0.F}) {
    for (const bool logit : {false, true}) {
      if (logit && std::isfinite(bad)) continue;
      decoder.score->logit = logit;
      outputs.scores.assign(kParts, bad);
      EXPECT_TRUE(poses_of(model(), decoder, outputs.views()).empty()) << bad;
    }
  }
  decoder.score->logit = false;
  outputs.scores.assign(kParts, 7.F);
  EXPECT_FLOAT_EQ(poses_of(model(), decoder, outputs.views())[0].keypoints[0]->score, 1);
}

/// Heatmaps of 16x8 cells: the stride is 4.
CoordinatesDecoder refined() {
  CoordinatesDecoder decoder = plain();
  decoder.refine = {MapsSection{{"maps", 0}, Layout::kNhwc, 4}, 7};
  return decoder;
}

TEST(Coordinates, AreRefinedByTheHeatmapsAroundThem) {
  Outputs outputs(2);
  const auto set = [&](std::size_t part, int x, int y, float logit) {
    outputs.maps[static_cast<std::size_t>(y * 16 + x) * kParts + part] = logit;
  };
  for (std::size_t part = 0; part < kParts; ++part) {
    outputs.points[2 * part] = 26;      // column 6.5, so cell 6
    outputs.points[2 * part + 1] = 17;  // row 4.25, so cell 4
  }
  // sigmoid(log 3) = 3/4 and sigmoid(0) = 1/2: the mean of columns 8 and 5 is (8 * 3/4 + 5 * 1/2) / (5/4) = 6.8, of
  // rows 5 and 4 it is 4.6.
  set(0, 8, 5, std::log(3.F));
  set(0, 5, 4, 0);
  set(1, 8, 5, -0.01F);        // below one half: stays
  set(2, 10, 4, 20);           // outside the window of three cells on each side: stays
  outputs.points[2 * 3] = -5;  // more than a cell outside the map: stays
  set(3, 0, 4, 20);
  outputs.points[2 * 4] = 63;  // cell 15: the window ends there
  set(4, 15, 4, 20);
  const auto poses = poses_of(model(), refined(), outputs.views());
  ASSERT_EQ(poses.size(), 1U);
  const auto& keypoints = poses[0].keypoints;
  EXPECT_NEAR(keypoints[0]->x, 6.8F * 4 / 64, 1e-5F);
  EXPECT_NEAR(keypoints[0]->y, 4.6F * 4 / 32, 1e-5F);
  for (const std::size_t part : {1U, 2U, 5U}) EXPECT_FLOAT_EQ(keypoints[part]->x, 26.F / 64) << part;
  EXPECT_FLOAT_EQ(keypoints[3]->x, -5.F / 64);
  EXPECT_NEAR(keypoints[4]->x, 15.F * 4 / 64, 1e-5F);
  EXPECT_NEAR(keypoints[4]->y, 4.F * 4 / 32, 1e-5F);
}

TEST(Coordinates, SurviveAnyContent) {
  for (const float v : {0.F, 1.F, -1.F, 1e30F, -1e30F, kInf, -kInf, kNan}) {
    Outputs outputs(2);
    for (auto* values : {&outputs.points, &outputs.scores, &outputs.person, &outputs.maps}) {
      std::ranges::fill(*values, v);
    }
    CoordinatesDecoder decoder = refined();
    decoder.score = CoordinatesDecoder::Score{"scores", 0, true};
    for (const Pose& pose : poses_of(model(), decoder, outputs.views())) {
      EXPECT_TRUE(pose.score > 0 && pose.score <= 1) << v;
    }
  }
}

TEST(Coordinates, AllocateNothingOnceWarm) {
  Outputs outputs(2);
  CoordinatesDecoder decoder = refined();
  decoder.score = CoordinatesDecoder::Score{"scores", 0, true};
  decoder.person = CoordinatesDecoder::Flag{"person", true, 0.5F};
  test::expect_no_allocation_once_warm(model(), decoder, outputs.views());
}

TEST(Coordinates, AFrameLeavesNoTraceInTheNext) {
  CoordinatesDecoder decoder = plain();
  decoder.score = CoordinatesDecoder::Score{"scores", 0, false};
  auto post = decoder.make(model(), {});
  ASSERT_TRUE(post);
  Outputs outputs(2);
  FrameResult result;
  ASSERT_TRUE((*post)->run(outputs.views(), kWhole, result));
  EXPECT_TRUE(result.poses[0].keypoints[7]);
  outputs.scores[7] = 0;
  ASSERT_TRUE((*post)->run(outputs.views(), kWhole, result));
  ASSERT_EQ(result.poses.size(), 1U);
  EXPECT_FALSE(result.poses[0].keypoints[7]);
}

TEST(Coordinates, RefuseTensorsThatDoNotFit) {
  CoordinatesDecoder decoder = refined();
  decoder.score = CoordinatesDecoder::Score{"scores", 0, false};
  decoder.person = CoordinatesDecoder::Flag{"person", false, 0.5F};
  const Outputs outputs(2);
  const std::vector<float> values(std::size_t{16} * 8 * kParts);
  EXPECT_EQ(test::refusal(model(), decoder, outputs.views()), "ran");
  auto views = outputs.views();
  views[1] = view(values, {1, kParts - 1});
  EXPECT_THAT(test::refusal(model(), decoder, views), HasSubstr("output 'scores' is 1x16 f32"));
  views = outputs.views();
  views[2] = view(values, {1, 2});
  EXPECT_THAT(test::refusal(model(), decoder, views), HasSubstr("output 'person' is 1x2 f32"));
  views = outputs.views();
  views[3] = view(values, {1, 16, 8, kParts});
  EXPECT_THAT(test::refusal(model(), decoder, views),
              HasSubstr("output 'maps' is 1x16x8x17 f32, expected f32 1x8x16x(at least 17)"));
  views.pop_back();
  EXPECT_THAT(test::refusal(model(), decoder, views), HasSubstr("'maps' is number 3, but the device gave 3 outputs"));
  views[0].dtype = DType::kI32;
  EXPECT_THAT(test::refusal(model(), decoder, views), HasSubstr("i32"));
}

TEST(Coordinates, RefuseOptionsAndModelsThatDoNotFit) {
  test::expect_refusals_of_options(model(), plain());
  CoordinatesDecoder decoder = refined();
  decoder.refine->maps.stride = 5;
  EXPECT_THAT(decoder.make(model(), {}).error().message, HasSubstr("stride 5 of the heatmaps does not divide"));
  decoder = plain();
  decoder.score = CoordinatesDecoder::Score{"nowhere", 0, false};
  EXPECT_THAT(decoder.make(model(), {}).error().message, HasSubstr("nowhere"));
  decoder = plain();
  decoder.person = CoordinatesDecoder::Flag{"nobody", false, 0.5F};
  EXPECT_THAT(decoder.make(model(), {}).error().message, HasSubstr("nobody"));
}

}  // namespace
}  // namespace posecam
