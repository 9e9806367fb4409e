#include "postprocess/decode/multipose/multipose.h"

#include <limits>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/alloc_counter.h"
#include "tests/support/decoder_of.h"
#include "tests/support/movenet_maps.h"

namespace posecam {
namespace {

using test::Maps;

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr std::size_t kRow = 17 * 3 + 5;
// A picture of 640x320 in the upper half of an input of 64x64.
const Letterbox kUpperHalf{{640, 320}, {64, 64}, {0, 0}, {64, 32}};

MultiposeDecoder baked() {
  MultiposeDecoder decoder;
  decoder.output = "people";
  return decoder;
}

/// Whatever the decoder finds in one frame of these outputs.
std::vector<Pose> decode(const ModelSpec& spec, const std::vector<TensorView>& outputs, const Letterbox& letterbox) {
  auto post = spec.decoder->make(spec, {});
  EXPECT_TRUE(post) << post.error().message;
  FrameResult result;
  const auto done = (*post)->run(outputs, letterbox, result);
  EXPECT_TRUE(done) << done.error().message;
  return result.poses;
}

std::vector<Pose> decode_rows(const std::vector<float>& values, const MultiposeDecoder& decoder = baked()) {
  ModelSpec spec = test::movenet_spec({64, 64});
  spec.outputs = {"people"};
  test::set_decoder(spec, decoder);
  const TensorView view{reinterpret_cast<const std::byte*>(values.data()),
                        DType::kF32,
                        {1, static_cast<std::int64_t>(values.size() / kRow), kRow}};
  return decode(spec, {view}, kUpperHalf);
}

/// All keypoints at one place.
std::vector<float> row(float y, float x, float keypoint_score, float score) {
  std::vector<float> values;
  for (int i = 0; i < 17; ++i) values.insert(values.end(), {y, x, keypoint_score});
  values.insert(values.end(), {0.125F, 0.25F, 0.75F, 0.5F, score});
  return values;
}

std::vector<float> operator+(std::vector<float> a, const std::vector<float>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

TEST(MultiposeBaked, ReadsRowsBestFirstIntoTheImage) {
  const auto people = decode_rows(row(0.125F, 0.75F, 0.5F, 0.4F) + row(0.25F, 0.5F, 0.75F, 0.9F));
  ASSERT_EQ(people.size(), 2U);
  EXPECT_FLOAT_EQ(people[0].score, 0.9F);
  EXPECT_FLOAT_EQ(people[1].score, 0.4F);
  for (std::size_t i = 0; i < 17; ++i) {
    ASSERT_TRUE(people[1].keypoints[i]);
    EXPECT_FLOAT_EQ(people[1].keypoints[i]->x, 0.75F);  // pixel 48 of 64
    EXPECT_FLOAT_EQ(people[1].keypoints[i]->y, 0.25F);  // pixel 8 of the picture's 32
    EXPECT_FLOAT_EQ(people[1].keypoints[i]->score, 0.5F);
  }
  EXPECT_FALSE(people[1].keypoints[17]);
  ASSERT_TRUE(people[1].own_box);
  EXPECT_FLOAT_EQ(people[1].own_box->x, 0.25F);
  EXPECT_FLOAT_EQ(people[1].own_box->y, 0.25F);
  EXPECT_FLOAT_EQ(people[1].own_box->width, 0.25F);
  EXPECT_FLOAT_EQ(people[1].own_box->height, 0.75F) << "as far as the picture reaches";
}

TEST(MultiposeBaked, MovesKeypointsToTheEdgeOrDropsThem) {
  std::vector<float> one = row(0.1F, 0.1F, 0.5F, 0.5F);
  one[0] = 0.55F;  // 3.2 pixels below the picture
  one[3] = 0.57F;  // 4.5
  const auto people = decode_rows(one);
  ASSERT_EQ(people.size(), 1U);
  ASSERT_TRUE(people[0].keypoints[0]);
  EXPECT_EQ(people[0].keypoints[0]->y, 1.0F);
  EXPECT_FALSE(people[0].keypoints[1]);
  EXPECT_TRUE(decode_rows(row(0.9F, 0.1F, 0.5F, 0.5F)).empty()) << "nothing of that person is in the picture";
}

TEST(MultiposeBaked, HasThresholds) {
  MultiposeDecoder decoder = baked();
  decoder.threshold = 0.5F;
  decoder.keypoint_threshold = 0.25F;
  std::vector<float> one = row(0.1F, 0.1F, 0.25F, 0.5F);
  one[2] = 0.24F;
  const auto people = decode_rows(row(0.1F, 0.1F, 0.9F, 0.49F) + one, decoder);
  ASSERT_EQ(people.size(), 1U);
  EXPECT_FALSE(people[0].keypoints[0]);
  EXPECT_TRUE(people[0].keypoints[1]);
  decoder.threshold = 0;
  EXPECT_TRUE(decode_rows(row(0.1F, 0.1F, 0.9F, 0), decoder).empty()) << "a score of 0 is no person";
}

TEST(MultiposeBaked, SurvivesAnyContentAndTenThousandRows) {
  EXPECT_TRUE(decode_rows({}).empty());
  for (const float v : {kNan, kInf, -kInf, 1e30F, -1e30F}) {
    EXPECT_TRUE(decode_rows(std::vector<float>(4 * kRow, v)).empty()) << v;
    EXPECT_TRUE(decode_rows(row(v, v, 0.5F, 0.5F)).empty()) << v;
  }
  std::vector<float> many;
  for (int i = 0; i < 10000; ++i) many = std::move(many) + row(0.1F, 0.1F, 0.5F, 0.2F + static_cast<float>(i) / 20000);
  const auto people = decode_rows(many);
  ASSERT_EQ(people.size(), 30U);
  EXPECT_FLOAT_EQ(people[0].score, 0.2F + 9999.F / 20000);
  EXPECT_FLOAT_EQ(people[29].score, 0.2F + 9970.F / 20000);
}

const Letterbox kWhole{{64, 64}, {64, 64}, {0, 0}, {64, 64}};

/// 16x16 cells, a person whose centre is the cell (4, 5) and whose box is the cells 1..6 x 2..7; all parts are
/// regressed to the centre, and there is none anywhere.
Maps one_person(Layout layout = Layout::kNchw) {
  Maps maps(HeadPeople::kMany, layout, 16, 16);
  maps.person(4, 5, 0.75F, 6, 6);
  return maps;
}

std::vector<Pose> decode(const Maps& maps, float threshold = 0) {
  MultiposeDecoder decoder = maps.decoder();
  decoder.threshold = threshold;
  ModelSpec spec = test::movenet_spec({4 * maps.width(), 4 * maps.height()});
  spec.outputs = maps.names();
  test::set_decoder(spec, decoder);
  return decode(spec, maps.views(), kWhole);
}

TEST(MultiposeHeads, WeighsAPartByItsDistanceFromTheRegressedPlace) {
  for (const Layout layout : {Layout::kNchw, Layout::kNhwc}) {
    Maps maps = one_person(layout);
    maps.at(Maps::kRegressions, 4, 5, 2) = 1;    // part 1 is one cell lower
    maps.at(Maps::kHeatmaps, 5, 5, 1) = 0.5F;    // there
    maps.at(Maps::kHeatmaps, 5, 7, 1) = 0.875F;  // 2 cells away: 0.875 exp(-4 / 4.8008) = 0.380
    maps.at(Maps::kOffsets, 5, 5, 2) = 0.25F;    // cell 5.25, pixel 21
    maps.at(Maps::kOffsets, 5, 5, 3) = -0.5F;    // cell 4.5, pixel 18
    const auto people = decode(maps);
    ASSERT_EQ(people.size(), 1U);
    ASSERT_TRUE(people[0].keypoints[1]);
    EXPECT_FLOAT_EQ(people[0].keypoints[1]->y, 21.F / 64);
    EXPECT_FLOAT_EQ(people[0].keypoints[1]->x, 18.F / 64);
    EXPECT_FLOAT_EQ(people[0].keypoints[1]->score, 0.5F);
    EXPECT_FALSE(people[0].keypoints[0]);
    EXPECT_FLOAT_EQ(people[0].score, 0.75F * 0.5F);
    ASSERT_TRUE(people[0].own_box);
    EXPECT_FLOAT_EQ(people[0].own_box->x, 8.F / 64);  // from cell 2
    EXPECT_FLOAT_EQ(people[0].own_box->y, 4.F / 64);
    EXPECT_FLOAT_EQ(people[0].own_box->width, 24.F / 64);

    maps.at(Maps::kHeatmaps, 5, 6, 1) = 0.75F;  // 0.75 exp(-1 / 4.8008) = 0.609 is more
    const auto nearer = decode(maps);
    ASSERT_EQ(nearer.size(), 1U);
    EXPECT_FLOAT_EQ(nearer[0].keypoints[1]->x, 24.F / 64);
    EXPECT_NEAR(nearer[0].keypoints[1]->score, 0.6090F, 1e-4);
  }
}

TEST(MultiposeHeads, LooksForPartsInThePersonsBoxOnly) {
  Maps maps = one_person();
  maps.at(Maps::kHeatmaps, 8, 5, 0) = 1;  // the box ends before row 7
  maps.at(Maps::kHeatmaps, 4, 2, 0) = 1;  // and starts with column 2
  maps.at(Maps::kHeatmaps, 4, 1, 1) = 1;
  const auto people = decode(maps);
  ASSERT_EQ(people.size(), 1U);
  ASSERT_TRUE(people[0].keypoints[0]);
  EXPECT_FLOAT_EQ(people[0].keypoints[0]->x, 8.F / 64);
  EXPECT_FALSE(people[0].keypoints[1]);
}

TEST(MultiposeHeads, CountsPartsAboveALeastScoreInAPersonsScore) {
  Maps maps = one_person();
  maps.at(Maps::kHeatmaps, 4, 5, 0) = 0.5F;
  maps.at(Maps::kHeatmaps, 4, 5, 1) = 0.25F;
  maps.at(Maps::kHeatmaps, 4, 5, 2) = 0.125F;  // below 0.127
  const auto people = decode(maps);
  ASSERT_EQ(people.size(), 1U);
  EXPECT_FLOAT_EQ(people[0].score, 0.75F * 0.375F);
  EXPECT_TRUE(people[0].keypoints[2]);
  EXPECT_TRUE(decode(maps, 0.3F).empty());
  EXPECT_EQ(decode(maps, 0.28F).size(), 1U);
}

TEST(MultiposeHeads, GivesACellsScoreByWhomeverIsNearest) {
  Maps maps = one_person();
  maps.person(4, 8, 0.5F, 6, 12);
  maps.at(Maps::kHeatmaps, 4, 5, 0) = 0.5F;  // 3 cells from the second person: 0.5 exp(-9 / 4.8008) alone
  const auto people = decode(maps);
  ASSERT_EQ(people.size(), 2U);
  EXPECT_FLOAT_EQ(people[0].score, 0.75F * 0.5F);
  EXPECT_FLOAT_EQ(people[1].keypoints[0]->score, 0.5F);
}

TEST(MultiposeHeads, TakesMaximaOfFiveByFiveCellsForCentres) {
  Maps maps = one_person();
  maps.person(4, 7, 0.7F, 6, 6);  // two cells from a more probable one
  maps.person(4, 10, 0.7F, 6, 6);
  for (int x = 0; x < 16; ++x) maps.at(Maps::kHeatmaps, 4, x, 0) = 1;
  EXPECT_EQ(decode(maps).size(), 2U);
}

TEST(MultiposeHeads, TakesOnePersonNearTheMiddleWhereTheNetworkIsForOne) {
  Maps maps(HeadPeople::kOne, Layout::kNchw, 16, 16);
  maps.person(8, 7, 0.25F);  // 0.25 / (1 + 1.8) = 0.089
  maps.person(1, 1, 0.8F);   // 0.8 / (9.9 + 1.8) = 0.068
  for (std::size_t part = 0; part < 17; ++part) maps.at(Maps::kHeatmaps, 8, 7, part) = 0.5F;
  maps.at(Maps::kHeatmaps, 8, 7, 16) = 0.25F;
  maps.at(Maps::kHeatmaps, 8, 11, 0) = 1;  // 1 / (4 + 1.8) = 0.172 is less than 0.5 / 1.8
  maps.at(Maps::kHeatmaps, 9, 7, 1) = 1;   // 1 / (1 + 1.8) = 0.357 is more
  const auto people = decode(maps);
  ASSERT_EQ(people.size(), 1U);
  EXPECT_FLOAT_EQ(people[0].keypoints[0]->x, 28.F / 64);
  EXPECT_FLOAT_EQ(people[0].keypoints[1]->y, 36.F / 64);
  EXPECT_FLOAT_EQ(people[0].keypoints[1]->score, 1) << "the probability, not what it is weighed to";
  EXPECT_FLOAT_EQ(people[0].score, (15 * 0.5F + 1 + 0.25F) / 17);
  EXPECT_FALSE(people[0].own_box);
}

TEST(MultiposeHeads, SurvivesAnyContent) {
  for (const HeadPeople people : {HeadPeople::kMany, HeadPeople::kOne}) {
    for (const float v : {0.F, kNan, kInf, -kInf, 1e30F, -1.F}) {
      for (std::size_t map = 0; map < 6; ++map) {
        Maps maps(people, Layout::kNchw, 16, 12);
        maps.person(4, 5, 0.75F, 6, 6);
        for (int x = 0; x < 16; ++x) maps.at(Maps::kHeatmaps, 4, x, 0) = 0.5F;
        std::ranges::fill(maps.values(map), v);
        EXPECT_LE(decode(maps).size(), 30U) << "map " << map << " all " << v;
      }
    }
  }
  Maps full(HeadPeople::kMany, Layout::kNchw, 16, 16);  // each cell a centre, and no end of equal parts
  for (std::size_t map = 0; map < 5; ++map) std::ranges::fill(full.values(map), 1.F);
  EXPECT_EQ(decode(full).size(), 30U);
}

TEST(MultiposeHeads, DependsOnItsFrameAlone) {
  Maps maps = one_person();
  maps.at(Maps::kHeatmaps, 4, 5, 0) = 0.5F;
  Maps crowd(HeadPeople::kMany, Layout::kNchw, 16, 16);
  for (const int at : {2, 6, 10, 14}) crowd.person(at, at, 0.9F, 4, 4);
  std::ranges::fill(crowd.values(2), 0.5F);
  ModelSpec spec = test::movenet_spec({64, 64});
  spec.outputs = maps.names();
  test::set_decoder(spec, maps.decoder());
  auto post = spec.decoder->make(spec, {});
  ASSERT_TRUE(post) << post.error().message;
  FrameResult first, between, again;
  ASSERT_TRUE((*post)->run(maps.views(), kWhole, first));
  ASSERT_TRUE((*post)->run(crowd.views(), kWhole, between));
  EXPECT_EQ(between.poses.size(), 4U);
  ASSERT_TRUE((*post)->run(maps.views(), kWhole, again));
  ASSERT_EQ(again.poses.size(), first.poses.size());
  EXPECT_EQ(again.poses[0].score, first.poses[0].score);
  EXPECT_EQ(again.poses[0].keypoints[0]->x, first.poses[0].keypoints[0]->x);

  const auto views = crowd.views();
  const std::size_t before = test::allocation_count();
  for (int i = 0; i < 20; ++i) ASSERT_TRUE((*post)->run(views, kWhole, between));
  EXPECT_EQ(test::allocation_count() - before, 0U);
}

TEST(Multipose, RefusesWhatDoesNotFit) {
  const Maps maps = one_person();
  ModelSpec spec = test::movenet_spec({64, 64});
  spec.outputs = maps.names();
  test::set_decoder(spec, maps.decoder());
  EXPECT_EQ(maps.decoder().make(spec, {.threshold = 2.F}).error().code, Errc::kUsage);
  EXPECT_EQ(maps.decoder().make(spec, {.max_people = 0}).error().code, Errc::kUsage);
  auto post = maps.decoder().make(spec, {});
  ASSERT_TRUE(post);
  auto views = maps.views();
  EXPECT_TRUE((*post)->check(views));
  views.pop_back();
  EXPECT_THAT((*post)->check(views).error().message, testing::HasSubstr("but the device gave 5 outputs"));
  views = maps.views();
  views[2].shape[1] = 18;
  EXPECT_THAT((*post)->check(views).error().message,
              testing::HasSubstr("'heatmaps' is 1x18x16x16 f32, expected f32 1x17x16x16; check layout, stride"));
  spec.input.size = {66, 64};
  EXPECT_THAT(maps.decoder().make(spec, {}).error().message,
              testing::HasSubstr("stride 4 does not divide the input of 66x64"));
  spec.skeleton = nullptr;
  EXPECT_EQ(maps.decoder().make(spec, {}).error().code, Errc::kModel);
  MultiposeDecoder elsewhere = baked();
  spec = test::movenet_spec({64, 64});
  EXPECT_EQ(elsewhere.make(spec, {}).error().code, Errc::kModel);
}

}  // namespace
}  // namespace posecam
