#include "postprocess/decode/boxes/yolox.h"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <opencv2/dnn.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "postprocess/decode/decoders.h"
#include "tests/support/shared.h"

namespace posecam {
namespace {

constexpr std::size_t kValues = 7;  // 4 + 1 + 2 labels
constexpr std::size_t kCells = 84;  // 8x8 + 4x4 + 2x2 of a 64x64 input
const Letterbox kWhole{{64, 64}, {64, 64}, {0, 0}, {64, 64}};

ModelSpec spec64() {
  ModelSpec spec;
  spec.name = "yolox";
  spec.input.size = {64, 64};
  spec.outputs = {"output"};
  spec.labels = {"person", "dog"};
  return spec;
}

YoloxDecoder decoder() {
  YoloxDecoder yolox;
  yolox.output = "output";
  return yolox;
}

struct Cells {
  std::vector<float> values = std::vector<float>(kCells * kValues, 0.F);

  void set(std::size_t cell, const std::array<float, kValues>& v) {
    std::copy(v.begin(), v.end(), values.begin() + static_cast<std::ptrdiff_t>(cell * kValues));
  }
  TensorView view() const {
    return {reinterpret_cast<const std::byte*>(values.data()), DType::kF32, {1, kCells, kValues}};
  }
};

std::vector<Detection> decode(const Cells& cells, const YoloxDecoder& yolox = decoder(),
                              const Letterbox& letterbox = kWhole) {
  auto post = yolox.make(spec64(), {});
  EXPECT_TRUE(post);
  FrameResult result;
  const TensorView view = cells.view();
  EXPECT_TRUE((*post)->run({&view, 1}, letterbox, result));
  return result.detections;
}

TEST(Yolox, DecodesCellsOfTheSecondStrideIntoImageCoordinates) {
  Cells cells;
  cells.set(64 + 1 * 4 + 2, {0.5F, 0.5F, 0, std::log(2.F), 0.9F, 0.1F, 0.8F});  // stride 16, row 1, column 2
  const auto found = decode(cells);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_FLOAT_EQ(found[0].box.x, 32.F / 64);
  EXPECT_FLOAT_EQ(found[0].box.y, 8.F / 64);
  EXPECT_FLOAT_EQ(found[0].box.width, 16.F / 64);
  EXPECT_FLOAT_EQ(found[0].box.height, 32.F / 64);
  EXPECT_FLOAT_EQ(found[0].score, 0.72F);
  EXPECT_EQ(found[0].label_id, 1);
}

TEST(Yolox, TakesPixelBoxesAsTheyAre) {
  Cells cells;
  cells.set(83, {32, 16, 8, 4, 1, 1, 0});
  YoloxDecoder yolox = decoder();
  yolox.boxes = YoloxDecoder::Boxes::kPixels;
  const auto found = decode(cells, yolox);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_FLOAT_EQ(found[0].box.x, 28.F / 64);
  EXPECT_FLOAT_EQ(found[0].box.height, 4.F / 64);
}

// YOLOv5 and YOLOv7: three anchors a cell, objectness, pixels; three grids of each stride, one after the other.
TEST(Yolox, ReadsTheListsOfYoloV5) {
  YoloxDecoder yolox = decoder();
  yolox.boxes = YoloxDecoder::Boxes::kPixels;
  yolox.strides = {8, 8, 8, 16, 16, 16, 32, 32, 32};
  auto post = yolox.make(spec64(), {});
  ASSERT_TRUE(post);
  std::vector<float> values(3 * kCells * kValues, 0.F);
  const std::vector<float> last{32, 16, 8, 4, 0.9F, 0.1F, 1};
  std::ranges::copy(last, values.end() - kValues);
  const TensorView view{reinterpret_cast<const std::byte*>(values.data()), DType::kF32, {1, 3 * kCells, kValues}};
  FrameResult result;
  ASSERT_TRUE((*post)->run({&view, 1}, kWhole, result));
  ASSERT_EQ(result.detections.size(), 1U);
  EXPECT_FLOAT_EQ(result.detections[0].box.x, 28.F / 64);
  EXPECT_FLOAT_EQ(result.detections[0].score, 0.9F);
}

TEST(Yolox, MapsThroughTheLetterboxAndClips) {
  Cells cells;
  cells.set(0, {4, 2, std::log(8.F), std::log(8.F), 1, 1, 0});  // 0..64 x -16..48 in the input
  const auto found = decode(cells, decoder(), {{128, 64}, {64, 64}, {0, 0}, {64, 32}});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_FLOAT_EQ(found[0].box.y, 0);
  EXPECT_FLOAT_EQ(found[0].box.height, 1);
  EXPECT_FLOAT_EQ(found[0].box.width, 1);
}

TEST(Yolox, DropsBoxesThatLieInThePadding) {
  Cells cells;
  cells.set(63, {0.5F, 0.5F, 0, 0, 1, 1, 0});
  EXPECT_TRUE(decode(cells, decoder(), {{128, 64}, {64, 64}, {0, 0}, {64, 32}}).empty());
}

TEST(Yolox, SurvivesAnyContent) {
  constexpr float kInf = std::numeric_limits<float>::infinity();
  for (const float v : {0.F, 1.F, -1.F, 1e30F, -1e30F, kInf, -kInf, std::numeric_limits<float>::quiet_NaN()}) {
    Cells cells;
    std::fill(cells.values.begin(), cells.values.end(), v);
    for (const Detection& d : decode(cells)) {
      EXPECT_TRUE(d.box.width > 0 && d.box.height > 0 && d.score > 0 && d.score <= 1) << v;
      EXPECT_TRUE(d.box.x >= 0 && d.box.y >= 0 && d.box.x + d.box.width <= 1.0001F) << v;
    }
  }
}

TEST(Yolox, AFrameLeavesNoTraceInTheNext) {
  auto post = decoder().make(spec64(), {});
  ASSERT_TRUE(post);
  Cells full;
  std::fill(full.values.begin(), full.values.end(), 1.F);
  const Cells empty;
  FrameResult result;
  TensorView view = full.view();
  ASSERT_TRUE((*post)->run({&view, 1}, kWhole, result));
  EXPECT_FALSE(result.detections.empty());
  view = empty.view();
  ASSERT_TRUE((*post)->run({&view, 1}, kWhole, result));
  EXPECT_TRUE(result.detections.empty());
}

TEST(Yolox, RefusesTensorsThatDoNotFitTheInput) {
  auto post = decoder().make(spec64(), {});
  ASSERT_TRUE(post);
  const Cells cells;
  TensorView view = cells.view();
  view.shape = {1, kCells - 1, kValues};
  FrameResult result;
  EXPECT_EQ((*post)->run({&view, 1}, kWhole, result).error().code, Errc::kModel);
  EXPECT_EQ((*post)->run({}, kWhole, result).error().code, Errc::kModel);
  view.shape = {1, kValues, kCells};  // as many values, the other way round
  const auto transposed = (*post)->run({&view, 1}, kWhole, result);
  ASSERT_FALSE(transposed);
  EXPECT_EQ(transposed.error().message,
            "YOLOX: output 0 is 1x7x84 f32, expected 1x84x7 f32; check input size, strides and labels of the "
            "descriptor");
}

TEST(Yolox, RefusesOptionsAndSpecsOutOfRange) {
  for (const float bad : {-0.1F, 1.1F, std::numeric_limits<float>::quiet_NaN()}) {
    DecodeOptions options;
    options.threshold = bad;
    EXPECT_EQ(decoder().make(spec64(), options).error().code, Errc::kUsage);
    options = {};
    options.nms_threshold = bad;
    EXPECT_EQ(decoder().make(spec64(), options).error().code, Errc::kUsage);
  }
  ModelSpec odd = spec64();
  odd.input.size = {60, 64};
  EXPECT_EQ(decoder().make(odd, {}).error().code, Errc::kModel);
}

// 000000541055: person boxes of shared/eval/person_keypoints.json, (x, y, width, height) in pixels of 640x360.
TEST(Yolox, FindsThePeopleOfARealImage) {
  POSECAM_NEEDS_SHARED("models/yolox-nano/yolox_nano_416_singlefile.onnx");
  POSECAM_NEEDS_SHARED("eval/images/000000541055.jpg");
  const cv::Mat image = cv::imread((test::shared_dir() / "eval/images/000000541055.jpg").string());
  ASSERT_FALSE(image.empty());
  const auto spec = ModelSpec::load(test::source_dir() / "models/zoo/yolox-nano.json", decoders());
  ASSERT_TRUE(spec) << spec.error().message;
  const float scale = 416.F / static_cast<float>(std::max(image.cols, image.rows));
  const Letterbox letterbox{{image.cols, image.rows},
                            {416, 416},
                            {0, 0},
                            {static_cast<float>(image.cols) * scale, static_cast<float>(image.rows) * scale}};
  cv::Mat input(416, 416, CV_8UC3, cv::Scalar::all(114));
  cv::Mat scaled;
  cv::resize(image, scaled, {static_cast<int>(letterbox.content.x), static_cast<int>(letterbox.content.y)});
  scaled.copyTo(input(cv::Rect(0, 0, scaled.cols, scaled.rows)));
  auto net =
      cv::dnn::readNetFromONNX((test::shared_dir() / "models/yolox-nano/yolox_nano_416_singlefile.onnx").string());
  net.setInput(cv::dnn::blobFromImage(input));
  const cv::Mat output = net.forward();

  auto post = spec->decoder->make(*spec, {});
  ASSERT_TRUE(post) << post.error().message;
  const TensorView view{reinterpret_cast<const std::byte*>(output.data), DType::kF32, {1, 3549, 85}};
  FrameResult result;
  ASSERT_TRUE((*post)->run({&view, 1}, letterbox, result));
  for (const Box& person :
       {Box{271.5F, 80.0F, 64.2F, 203.8F}, Box{201.5F, 101.9F, 86.4F, 222.8F}, Box{154.5F, 78.1F, 54.2F, 235.1F},
        Box{325.2F, 79.3F, 163.4F, 247.6F}, Box{209.2F, 52.9F, 66.4F, 104.4F}}) {
    EXPECT_THAT(result.detections, ::testing::Contains(::testing::Truly([&](const Detection& d) {
                  const Box pixels{d.box.x * 640, d.box.y * 360, d.box.width * 640, d.box.height * 360};
                  return d.label_id == 0 && iou(pixels, person) > 0.5F;
                })));
  }
}

}  // namespace
}  // namespace posecam
