#include "postprocess/decode/boxes/ssd.h"

#include <limits>
#include <vector>

#include <gtest/gtest.h>

namespace posecam {
namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
const Letterbox kStretched{{640, 480}, {544, 320}, {0, 0}, {544, 320}};

ModelSpec spec() {
  ModelSpec s;
  s.name = "ssd";
  s.input.size = {544, 320};
  s.outputs = {"detection_out"};
  s.labels = {"background", "person"};
  return s;
}

SsdDecoder decoder() {
  SsdDecoder ssd;
  ssd.output = "detection_out";
  return ssd;
}

std::vector<Detection> decode(const std::vector<float>& values) {
  auto post = decoder().make(spec(), {});
  EXPECT_TRUE(post);
  const TensorView view{reinterpret_cast<const std::byte*>(values.data()),
                        DType::kF32,
                        {1, 1, static_cast<std::int64_t>(values.size() / 7), 7}};
  FrameResult result;
  EXPECT_TRUE((*post)->run({&view, 1}, kStretched, result));
  return result.detections;
}

TEST(Ssd, ReadsRowsBestFirstAndClips) {
  const auto found = decode({0, 1, 0.6F, 0.1F, 0.2F, 0.3F, 0.6F, 0, 1, 0.9F, 0.8F, 0.5F, 1.01F, 1.2F});
  ASSERT_EQ(found.size(), 2U);
  EXPECT_FLOAT_EQ(found[0].score, 0.9F);
  EXPECT_FLOAT_EQ(found[0].box.width, 0.2F);
  EXPECT_FLOAT_EQ(found[0].box.height, 0.5F);
  EXPECT_NEAR(found[1].box.x, 0.1F, 1e-6);
  EXPECT_EQ(found[1].label_id, 1);
}

TEST(Ssd, StopsAtANegativeImage) {
  EXPECT_TRUE(decode({-1, 0, 0, 0, 0, 0, 0, 0, 1, 0.9F, 0.1F, 0.1F, 0.5F, 0.5F}).empty());
}

TEST(Ssd, DropsRowsOfOtherImagesAndUnknownLabels) {
  EXPECT_TRUE(decode({1, 1, 0.9F, 0.1F, 0.1F, 0.5F, 0.5F}).empty());
  EXPECT_TRUE(decode({0, 2, 0.9F, 0.1F, 0.1F, 0.5F, 0.5F}).empty());
  EXPECT_TRUE(decode({0, -1, 0.9F, 0.1F, 0.1F, 0.5F, 0.5F}).empty());
}

TEST(Ssd, SurvivesAnyContent) {
  EXPECT_TRUE(decode({}).empty());
  for (const float v : {0.F, 1.F, kNan, kInf, -kInf, 1e30F}) {
    EXPECT_TRUE(decode(std::vector<float>(700, v)).empty()) << v;  // no row of equal values is a box of image 0
    EXPECT_TRUE(decode({0, 1, 0.9F, v, v, v, v}).empty()) << v;
    EXPECT_LE(decode({0, 1, v, 0, 0, 1, 1}).size(), 1U) << v;
  }
}

TEST(Ssd, TenThousandCandidatesStayBounded) {
  std::vector<float> values;
  for (int i = 0; i < 10000; ++i) {
    const int column = i % 100;
    const int row = i / 100;
    const float x = static_cast<float>(column) / 100;
    const float y = static_cast<float>(row) / 100;
    values.insert(values.end(), {0, 1, 0.5F + static_cast<float>(i) / 20001, x, y, x + 0.01F, y + 0.01F});
  }
  const auto found = decode(values);
  ASSERT_EQ(found.size(), static_cast<std::size_t>(decoder().rules.max_detections));
  EXPECT_FLOAT_EQ(found.front().score, 0.5F + 9999.F / 20001);  // the best survive the bound
}

TEST(Ssd, RefusesBatchesOtherShapesAndThresholdsOutOfRange) {
  ModelSpec batched = spec();
  batched.input.batch = 4;
  EXPECT_EQ(decoder().make(batched, {}).error().code, Errc::kModel);
  DecodeOptions options;
  options.threshold = 2.F;
  EXPECT_EQ(decoder().make(spec(), options).error().code, Errc::kUsage);
  auto post = decoder().make(spec(), {});
  ASSERT_TRUE(post);
  const std::vector<float> values(12, 0.F);
  const TensorView view{reinterpret_cast<const std::byte*>(values.data()), DType::kF32, {1, 1, 2, 6}};
  FrameResult result;
  EXPECT_EQ((*post)->run({&view, 1}, kStretched, result).error().code, Errc::kModel);
}

}  // namespace
}  // namespace posecam
