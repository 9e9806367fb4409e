#include "postprocess/decode/boxes/centernet.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include <gmock/gmock.h>

#include "tests/support/box_networks.h"
#include "tests/unit/postprocess/decode/boxes/decoded.h"

namespace posecam {
namespace {

/// Maps of 4x3 cells for an input of 16x12: stride 4.
struct Maps {
  std::vector<float> heat = std::vector<float>(2 * 12, 0.F);
  std::vector<float> size = std::vector<float>(2 * 12, 1.F);
  std::vector<float> offset = std::vector<float>(2 * 12, 0.F);

  void set(std::vector<float>& map, int channel, int x, int y, float value) {
    map[static_cast<std::size_t>(channel * 12 + y * 4 + x)] = value;
  }
  std::vector<test::Values> outputs() const {
    return {{{1, 2, 3, 4}, heat}, {{1, 2, 3, 4}, size}, {{1, 2, 3, 4}, offset}};
  }
};

CenterNetDecoder decoder() {
  CenterNetDecoder centernet;
  centernet.maps = CenterNetDecoder::Maps{"a", "b", "c"};
  return centernet;
}

ModelSpec spec() { return test::detector_spec({16, 12}, 2, {"a", "b", "c"}); }

TEST(CenterNet, MakesABoxOfAPeak) {
  Maps maps;
  maps.set(maps.heat, 1, 2, 1, 0.8F);
  maps.set(maps.size, 0, 2, 1, 2);
  maps.set(maps.size, 1, 2, 1, 1.5F);
  maps.set(maps.offset, 0, 2, 1, 0.25F);
  maps.set(maps.offset, 1, 2, 1, 0.5F);
  const auto found = test::decoded(decoder(), spec(), maps.outputs());
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].label_id, 1);
  EXPECT_FLOAT_EQ(found[0].score, 0.8F);
  // Centre 2.25 * 4 = 9, 1.5 * 4 = 6; 8 x 6 pixels.
  test::expect_box(found[0].box, 5.F / 16, 3.F / 12, 8.F / 16, 6.F / 12);
}

TEST(CenterNet, TakesTheHighestOfNineCellsOfAClass) {
  Maps maps;
  maps.set(maps.heat, 0, 0, 0, 0.8F);
  maps.set(maps.heat, 0, 1, 1, 0.9F);  // beside it
  maps.set(maps.heat, 0, 3, 0, 0.7F);  // two columns on
  maps.set(maps.heat, 1, 0, 1, 0.6F);  // another class
  const auto found = test::decoded(decoder(), spec(), maps.outputs());
  ASSERT_EQ(found.size(), 3U);
  EXPECT_FLOAT_EQ(found[0].score, 0.9F);
  EXPECT_FLOAT_EQ(found[1].score, 0.7F);
  EXPECT_FLOAT_EQ(found[2].score, 0.6F);
}

// Rows are looked at in blocks of cells; edges by themselves.
TEST(CenterNet, FindsThePeaksOfNoiseThatLookingAtEachCellFinds) {
  constexpr int kWidth = 150;
  constexpr int kHeight = 20;
  std::mt19937 random(1);
  std::uniform_int_distribution<int> level(0, 40);  // neighbours may be alike
  std::vector<float> heat(kWidth * kHeight);
  for (float& v : heat) v = level(random) == 40 ? NAN : static_cast<float>(level(random)) / 40;
  std::vector<std::vector<float>> expected;
  for (int y = 0; y < kHeight; ++y) {
    for (int x = 0; x < kWidth; ++x) {
      const float here = heat[static_cast<std::size_t>(y * kWidth + x)];
      bool peak = here >= 0.5F;
      for (int v = std::max(y - 1, 0); v <= std::min(y + 1, kHeight - 1); ++v) {
        for (int u = std::max(x - 1, 0); u <= std::min(x + 1, kWidth - 1); ++u) {
          peak = peak && !(heat[static_cast<std::size_t>(v * kWidth + u)] > here);
        }
      }
      if (peak) expected.push_back({static_cast<float>(x), static_cast<float>(y), here});
    }
  }
  CenterNetDecoder centernet = decoder();
  centernet.rules.threshold = 0.5F;
  centernet.rules.nms_threshold = 1;
  centernet.rules.max_detections = 1000;
  const std::vector<float> half(2 * heat.size(), 0.5F);  // in the middle of the cell, half as large
  const auto found = test::decoded(
      centernet, test::detector_spec({kWidth, kHeight}, 1, {"a", "b", "c"}),
      {{{1, 1, kHeight, kWidth}, heat}, {{1, 2, kHeight, kWidth}, half}, {{1, 2, kHeight, kWidth}, half}});
  std::vector<std::vector<float>> places;
  for (const Detection& d : found) {
    places.push_back({std::floor(d.box.x * kWidth), std::floor(d.box.y * kHeight), d.score});
  }
  EXPECT_GT(expected.size(), 100U);
  EXPECT_THAT(places, testing::UnorderedElementsAreArray(expected));
}

TEST(CenterNet, ReadsDetectionsOfNetworksThatLookForPeaksThemselves) {
  CenterNetDecoder centernet;
  centernet.detections = "a";
  const auto found = test::decoded(centernet, test::detector_spec({16, 12}, 2, {"a"}),
                                   {{{1, 3, 6}, {4, 3, 8, 9, 0.9F, 1, 8, 9, 4, 3, 0.9F, 1, 0, 0, 4, 4, 0.2F, 0}}});
  ASSERT_EQ(found.size(), 1U);  // the second is inside out, the third below the threshold
  test::expect_box(found[0].box, 0.25F, 0.25F, 0.25F, 0.5F);
}

TEST(CenterNet, PutsBoxesWhereTheLetterboxSays) {
  Maps maps;
  maps.set(maps.heat, 1, 2, 1, 0.8F);
  test::expect_follows_letterbox(decoder(), spec(), maps.outputs());
  CenterNetDecoder list;
  list.detections = "a";
  test::expect_follows_letterbox(list, test::detector_spec({16, 12}, 2, {"a"}), {{{1, 1, 6}, {1, 3, 8, 9, 0.9F, 1}}});
}

TEST(CenterNet, SurvivesAnyContentAndRefusesOptionsOutOfRange) {
  Maps maps;
  maps.set(maps.heat, 1, 2, 1, 0.8F);
  test::expect_survives_any_content(decoder(), spec(), maps.outputs());
  test::expect_refuses_options_out_of_range(decoder(), spec());
  CenterNetDecoder list;
  list.detections = "a";
  const ModelSpec of_list = test::detector_spec({16, 12}, 2, {"a"});
  test::expect_survives_any_content(list, of_list, {{{1, 1, 6}, {1, 3, 8, 9, 0.9F, 1}}});
  for (const float v : {1e30F, std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
    EXPECT_TRUE(test::decoded(list, of_list, {{{1, 1, 6}, {v, v, v, v, 0.9F, 1}}}).empty());
    EXPECT_TRUE(test::decoded(list, of_list, {{{1, 1, 6}, {1, 3, 8, 9, 0.9F, v}}}).empty());
  }
  test::expect_refuses_options_out_of_range(list, of_list);
}

TEST(CenterNet, WantsMapsOfOneSize) {
  auto post = decoder().make(spec(), {});
  ASSERT_TRUE(post);
  const TensorView views[] = {
      {nullptr, DType::kF32, {1, 2, 3, 4}}, {nullptr, DType::kF32, {1, 2, 3, 4}}, {nullptr, DType::kF32, {1, 2, 4, 3}}};
  EXPECT_EQ((*post)->check(views).error().message,
            "centernet: output 2 is 1x2x4x3 f32, expected 1x2x3x4 f32; check which output is which, and the labels of "
            "the descriptor");
}

}  // namespace
}  // namespace posecam
