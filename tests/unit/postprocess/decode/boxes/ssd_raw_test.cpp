#include "postprocess/decode/boxes/ssd_raw.h"

#include <cmath>

#include "tests/support/box_networks.h"
#include "tests/unit/postprocess/decode/boxes/decoded.h"

namespace posecam {
namespace {

/// One grid of 2x1 cells, two anchors a cell: squares of .4 and, with the next scale of 1, of sqrt(.4) of the height.
SsdRawDecoder decoder() {
  SsdRawDecoder ssd;
  ssd.boxes = "a";
  ssd.scores = {"b", 1};
  ssd.anchors = {.strides = {32}, .min_scale = 0.4F, .max_scale = 0.9F, .aspect_ratios = {1}, .reduce_lowest = false};
  return ssd;
}

ModelSpec spec() { return test::detector_spec({64, 32}, 2, {"a", "b"}); }

test::Values scores(const std::vector<float>& values) { return {{1, 4, 3}, values}; }

TEST(SsdAnchors, AreThoseOfThePublishedRule) {
  const SsdAnchorRule rule;  // ssd_mobilenet_v1_coco
  const auto anchors = ssd_anchors(rule, {300, 300});
  ASSERT_EQ(anchors.size(), 1917U);  // 19^2 * 3 + (10^2 + 5^2 + 3^2 + 2^2 + 1) * 6
  EXPECT_EQ(ssd_anchor_count(rule, {300, 300}), anchors.size());
  // Of the file coco_ssd_mobilenet_v1_1.0_quant_2018_06_29.tflite, tensor "anchors" (y, x, h, w), in steps of 0.006453.
  struct Known {
    std::size_t at;
    float y, x, h, w;
  };
  constexpr float kStep = 0.006453060545F;
  for (const Known& k : {Known{0, 4, 4, 15, 15}, Known{1, 4, 4, 22, 44}, Known{2, 4, 4, 44, 22},
                         Known{3, 4, 12, 15, 15}, Known{1083, 8, 8, 54, 54}, Known{1084, 8, 8, 38, 77},
                         Known{1086, 8, 8, 31, 94}, Known{1087, 8, 8, 94, 31}, Known{1088, 8, 8, 65, 65},
                         Known{1089, 8, 23, 54, 54}, Known{1914, 77, 77, 85, 255}, Known{1916, 77, 77, 151, 151}}) {
    const Anchor& a = anchors[k.at];
    EXPECT_NEAR(a.y, k.y * kStep, kStep / 2) << k.at;
    EXPECT_NEAR(a.x, k.x * kStep, kStep / 2) << k.at;
    EXPECT_NEAR(a.height, k.h * kStep, kStep / 2) << k.at;
    EXPECT_NEAR(a.width, k.w * kStep, kStep / 2) << k.at;
  }
}

// The rule divides its squares by the sides: min(height, width) / width and min(height, width) / height.
TEST(SsdAnchors, AreSquareInPixelsWhereTheInputIsNot) {
  const SsdAnchorRule rule;
  for (const Size input : {Size{640, 320}, Size{320, 640}}) {
    const auto anchors = ssd_anchors(rule, input);
    const auto pixels = [&](std::size_t n) {
      return Point{anchors[n].width * static_cast<float>(input.width),
                   anchors[n].height * static_cast<float>(input.height)};
    };
    EXPECT_NEAR(pixels(0).x, 32, 1e-3F);  // .1 of the shorter side
    EXPECT_NEAR(pixels(0).y, 32, 1e-3F);
    EXPECT_NEAR(pixels(1).x, 64 * std::sqrt(2.F), 1e-3F);
    EXPECT_NEAR(pixels(1).y, 64 / std::sqrt(2.F), 1e-3F);
    EXPECT_NEAR(pixels(anchors.size() - 1).x, 320 * std::sqrt(0.95F), 1e-3F);
    EXPECT_NEAR(pixels(anchors.size() - 1).y, 320 * std::sqrt(0.95F), 1e-3F);
  }
}

TEST(SsdRaw, MovesAndEnlargesAnchors) {
  // Cell 1, anchor 0: centre .75, .5, extent .2, .4. A tenth of an anchor right, none down, half as wide, as high.
  std::vector<float> boxes(16, 0.F);
  boxes[8 + 1] = 1;                   // x
  boxes[8 + 3] = std::log(0.5F) * 5;  // width
  const auto found =
      test::decoded(decoder(), spec(), {{{1, 4, 4}, boxes}, scores({1, 0, 0, 1, 0, 0, 0.2F, 0.1F, 0.9F, 1, 0, 0})});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].label_id, 1);
  EXPECT_FLOAT_EQ(found[0].score, 0.9F);
  test::expect_box(found[0].box, 0.77F - 0.05F, 0.3F, 0.1F, 0.4F);
}

TEST(SsdRaw, PutsLogitsThroughASigmoid) {
  SsdRawDecoder ssd = decoder();
  ssd.values = SsdRawDecoder::Values::kLogits;
  const auto found = test::decoded(
      ssd, spec(), {{{1, 4, 4}, std::vector<float>(16, 0.F)}, scores({9, -9, 1, 9, -9, -9, 9, -9, -9, 9, -9, -9})});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_FLOAT_EQ(found[0].score, 0.7310586F);
  EXPECT_EQ(found[0].label_id, 1);
}

TEST(SsdRaw, SuppressesAcrossLabelsLikeTheOperatorOfTensorFlowLite) {
  SsdRawDecoder ssd = decoder();
  const std::vector<test::Values> outputs{{{1, 4, 4}, {0, 0, 0, 0, 0, 0, -2.3F, -2.3F, 0, 0, 0, 0, 0, 0, 0, 0}},
                                          scores({0, 0.9F, 0, 0, 0, 0.8F, 0, 0, 0, 0, 0, 0})};
  EXPECT_EQ(test::decoded(ssd, spec(), outputs).size(), 2U);
  ssd.rules.nms_across_labels = true;
  EXPECT_EQ(test::decoded(ssd, spec(), outputs).size(), 1U);
}

TEST(SsdRaw, PutsBoxesWhereTheLetterboxSays) {
  test::expect_follows_letterbox(
      decoder(), spec(),
      {{{1, 4, 4}, std::vector<float>(16, 0.F)}, scores({1, 0, 0, 1, 0, 0, 0.2F, 0.1F, 0.9F, 1, 0, 0})});
}

TEST(SsdRaw, SurvivesAnyContentAndRefusesOptionsOutOfRange) {
  SsdRawDecoder ssd = decoder();
  for (const auto values : {SsdRawDecoder::Values::kLogits, SsdRawDecoder::Values::kProbabilities}) {
    ssd.values = values;
    test::expect_survives_any_content(ssd, spec(),
                                      {{{1, 4, 4}, std::vector<float>(16, 0.F)}, scores(std::vector<float>(12, 0.9F))});
  }
  test::expect_refuses_options_out_of_range(ssd, spec());
}

TEST(SsdRaw, RefusesMoreAnchorsThanAnyoneHas) {
  SsdRawDecoder ssd = decoder();
  ssd.anchors.strides = {1};
  ModelSpec large = spec();
  large.input.size = {4096, 4096};
  const auto made = ssd.make(large, {});
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().message, "model 'boxes': 33554432 anchors, more than 1000000; give larger strides");
}

}  // namespace
}  // namespace posecam
