#include "postprocess/decode/boxes/tf_detection.h"

#include <limits>

#include "tests/support/box_networks.h"
#include "tests/unit/postprocess/decode/boxes/decoded.h"

namespace posecam {
namespace {

TfDetectionDecoder decoder() {
  TfDetectionDecoder tf;
  tf.boxes = "detection_boxes";
  tf.classes = "detection_classes";
  tf.scores = "detection_scores";
  tf.count = "num_detections";
  return tf;
}

/// The outputs in an order of their own; class 2 names nothing.
ModelSpec spec() {
  ModelSpec s =
      test::detector_spec({100, 50}, 3, {"num_detections", "detection_scores", "detection_boxes", "detection_classes"});
  s.labels = {"person", "-", "car"};
  return s;
}

std::vector<test::Values> frame(float count, const std::vector<float>& classes = {1, 2, 3}) {
  return {{{1}, {count}},
          {{1, 3}, {0.9F, 0.8F, 0.7F}},
          {{1, 3, 4}, {0.1F, 0.2F, 0.5F, 0.6F, 0, 0, 1, 1, 0.5F, 0.5F, 1.2F, 0.75F}},
          {{1, 3}, classes}};
}

TEST(TfDetection, FindsItsOutputsByNameAndLeavesGapsOut) {
  const auto found = test::decoded(decoder(), spec(), frame(3));
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].label_id, 0);
  EXPECT_FLOAT_EQ(found[0].score, 0.9F);
  test::expect_box(found[0].box, 0.2F, 0.1F, 0.4F, 0.4F);
  EXPECT_EQ(found[1].label_id, 2);
  test::expect_box(found[1].box, 0.5F, 0.5F, 0.25F, 0.5F);  // clipped below
}

TEST(TfDetection, CountsClassesFromZeroWhereTheDescriptorSaysSo) {
  TfDetectionDecoder tf = decoder();
  tf.first_class = 0;
  const auto found = test::decoded(tf, spec(), frame(3, {0, 3, 2}));
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].label_id, 0);
  EXPECT_EQ(found[1].label_id, 2);
}

TEST(TfDetection, IgnoresRowsFromTheCountOn) {
  EXPECT_EQ(test::decoded(decoder(), spec(), frame(1)).size(), 1U);
  EXPECT_TRUE(test::decoded(decoder(), spec(), frame(0)).empty());
  EXPECT_TRUE(test::decoded(decoder(), spec(), frame(-5)).empty());
  EXPECT_TRUE(test::decoded(decoder(), spec(), frame(std::numeric_limits<float>::quiet_NaN())).empty());
  EXPECT_EQ(test::decoded(decoder(), spec(), frame(std::numeric_limits<float>::infinity())).size(), 2U);
}

TEST(TfDetection, DropsClassesThatAreNone) {
  for (const float label : {0.F, 4.F, -1.F, 1e30F, std::numeric_limits<float>::quiet_NaN()}) {
    EXPECT_TRUE(test::decoded(decoder(), spec(), frame(3, {label, label, label})).empty()) << label;
  }
}

TEST(TfDetection, WantsListsOfOneLength) {
  auto post = decoder().make(spec(), {});
  ASSERT_TRUE(post);
  const TensorView views[] = {{nullptr, DType::kF32, {1}},
                              {nullptr, DType::kF32, {1, 4}},
                              {nullptr, DType::kF32, {1, 3, 4}},
                              {nullptr, DType::kF32, {1, 3}}};
  EXPECT_EQ((*post)->check(views).error().message,
            "tf-detection: output 1 is 1x4 f32, expected 1x3 f32; check which output is which in the descriptor");
}

}  // namespace
}  // namespace posecam
