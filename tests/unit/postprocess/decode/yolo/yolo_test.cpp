#include "postprocess/decode/yolo/yolo.h"

#include <random>

#include <gtest/gtest.h>

#include "tests/support/box_networks.h"

namespace posecam {
namespace {

const Letterbox kWhole{{64, 32}, {64, 32}, {0, 0}, {64, 32}};

/// Three boxes: a dog, nothing, a person that overlaps the dog.
constexpr float kBoxes[3][6] = {{32, 16, 20, 10, 0.1F, 0.9F}, {1, 2, 3, 4, 0.05F, 0.1F}, {33, 16, 20, 10, 0.8F, 0.2F}};

std::vector<Detection> decode(YoloForm form, const std::vector<float>& values, const DecodeOptions& options = {},
                              bool across = false) {
  YoloDecoder yolo;
  yolo.output = "a";
  yolo.form = form;
  yolo.rules.nms_across_labels = across;
  const ModelSpec spec = test::detector_spec({64, 32}, 2, {"a"});
  auto post = yolo.make(spec, options);
  EXPECT_TRUE(post) << post.error().message;
  const auto count = static_cast<std::int64_t>(values.size() / 6);
  const Shape shape = form == YoloForm::kChannelsFirst ? Shape{1, 6, count} : Shape{1, count, 6};
  const TensorView view{reinterpret_cast<const std::byte*>(values.data()), DType::kF32, shape};
  FrameResult result;
  const auto ran = (*post)->run({&view, 1}, kWhole, result);
  EXPECT_TRUE(ran) << ran.error().message;
  return result.detections;
}

std::vector<float> rows() {
  std::vector<float> values;
  for (const auto& box : kBoxes) values.insert(values.end(), std::begin(box), std::end(box));
  return values;
}

std::vector<float> columns() {
  std::vector<float> values;
  for (std::size_t value = 0; value < 6; ++value) {
    for (const auto& box : kBoxes) values.push_back(box[value]);
  }
  return values;
}

TEST(Yolo, ReadsCentresAndExtentsInEitherOrder) {
  for (const auto form : {YoloForm::kChannelsFirst, YoloForm::kChannelsLast}) {
    const auto found = decode(form, form == YoloForm::kChannelsFirst ? columns() : rows());
    ASSERT_EQ(found.size(), 2U);
    EXPECT_EQ(found[0].label_id, 1);
    EXPECT_FLOAT_EQ(found[0].score, 0.9F);
    EXPECT_FLOAT_EQ(found[0].box.x, 22.F / 64);
    EXPECT_FLOAT_EQ(found[0].box.y, 11.F / 32);
    EXPECT_FLOAT_EQ(found[0].box.width, 20.F / 64);
    EXPECT_FLOAT_EQ(found[0].box.height, 10.F / 32);
    EXPECT_EQ(found[1].label_id, 0);
    EXPECT_FALSE(found[0].id);
  }
}

// Channels first are read a block of rows at a time, the others row by row.
TEST(Yolo, FindsTheSameInEitherOrder) {
  constexpr std::size_t kRows = 700;
  std::mt19937 random(1);
  std::uniform_real_distribution<float> share(0, 1);
  std::vector<float> last;
  for (std::size_t row = 0; row < kRows; ++row) {
    const float x = 64 * share(random);
    const float y = 32 * share(random);
    last.insert(last.end(), {x, y, 4, 4, share(random), share(random)});
  }
  std::vector<float> first(last.size());
  for (std::size_t i = 0; i < last.size(); ++i) first[i % 6 * kRows + i / 6] = last[i];
  const auto a = decode(YoloForm::kChannelsFirst, first);
  const auto b = decode(YoloForm::kChannelsLast, last);
  ASSERT_EQ(a.size(), b.size());
  EXPECT_GT(a.size(), 10U);
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].box.x, b[i].box.x);
    EXPECT_EQ(a[i].box.y, b[i].box.y);
    EXPECT_EQ(a[i].score, b[i].score);
    EXPECT_EQ(a[i].label_id, b[i].label_id);
  }
}

TEST(Yolo, SuppressesAcrossLabelsWhereTheDescriptorSaysSo) {
  const auto found = decode(YoloForm::kChannelsLast, rows(), {}, true);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].label_id, 1);
}

TEST(Yolo, LeavesUnwantedLabelsOutBeforeTheySuppress) {
  DecodeOptions options;
  options.labels = {1, 0};
  const auto found = decode(YoloForm::kChannelsLast, rows(), options, true);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].label_id, 0);
}

TEST(Yolo, ReadsWhatIsSuppressedInTheNetworkAsItIs) {
  const std::vector<float> values{10, 4, 30, 12, 0.9F, 1, 10, 4, 30, 12, 0.8F, 1, 0, 0, 5, 5, 0.9F, 2};
  YoloDecoder yolo;
  yolo.output = "a";
  yolo.form = YoloForm::kEndToEnd;
  yolo.rules.nms_threshold = 1;
  auto post = yolo.make(test::detector_spec({64, 32}, 2, {"a"}), {});
  ASSERT_TRUE(post);
  const TensorView view{reinterpret_cast<const std::byte*>(values.data()), DType::kF32, {1, 3, 6}};
  FrameResult result;
  ASSERT_TRUE((*post)->run({&view, 1}, kWhole, result));
  ASSERT_EQ(result.detections.size(), 2U);  // twice the same box; a label that the model has not
  EXPECT_FLOAT_EQ(result.detections[0].box.x, 10.F / 64);
  EXPECT_FLOAT_EQ(result.detections[0].box.width, 20.F / 64);
  EXPECT_EQ(result.detections[0].label_id, 1);
}

TEST(Yolo, NamesTheShapeThatItExpects) {
  YoloDecoder yolo;
  yolo.output = "a";
  auto post = yolo.make(test::detector_spec({64, 32}, 2, {"a"}), {});
  ASSERT_TRUE(post);
  const TensorView view{nullptr, DType::kF32, {1, 7, 0}};
  EXPECT_EQ((*post)->check({&view, 1}).error().message,
            "yolo: output 0 is 1x7x0 f32, expected 1x6xN f32; check form and labels of the descriptor");
}

}  // namespace
}  // namespace posecam
