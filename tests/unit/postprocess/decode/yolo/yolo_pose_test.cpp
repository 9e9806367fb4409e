#include "postprocess/decode/yolo/yolo_pose.h"

#include <gtest/gtest.h>

#include "tests/support/box_networks.h"
#include "tests/unit/postprocess/decode/boxes/decoded.h"

namespace posecam {
namespace {

constexpr std::size_t kParts = 17;
const Letterbox kWhole{{64, 64}, {64, 64}, {0, 0}, {64, 64}};

struct Person {
  float score = 0;
  float x = 0;           ///< left edge of a box 16 wide and 32 high, from y 8 on
  float visibility = 1;  ///< of every keypoint but the last, which has none
};

/// Keypoint k of a person lies at (x + k / 2, 8 + k).
std::vector<float> keypoints(const Person& p) {
  std::vector<float> values;
  for (std::size_t k = 0; k < kParts; ++k) {
    const auto n = static_cast<float>(k);
    values.insert(values.end(), {p.x + n / 2, 8 + n, k + 1 == kParts ? 0.F : p.visibility});
  }
  return values;
}

std::vector<std::vector<float>> tensors(YoloForm form, bool apart, const std::vector<Person>& people) {
  std::vector<std::vector<float>> rows;
  std::vector<float> points;
  for (const Person& p : people) {
    rows.push_back(form == YoloForm::kEndToEnd ? std::vector<float>{p.x, 8, p.x + 16, 40, p.score}
                                               : std::vector<float>{p.x + 8, 24, 16, 32, p.score});
    if (form == YoloForm::kEndToEnd && !apart) rows.back().push_back(0);
    const auto values = keypoints(p);
    auto& to = apart ? points : rows.back();
    to.insert(to.end(), values.begin(), values.end());
  }
  std::vector<float> list;
  if (form == YoloForm::kChannelsFirst) {
    for (std::size_t v = 0; v < rows.front().size(); ++v) {
      for (const auto& row : rows) list.push_back(row[v]);
    }
  } else {
    for (const auto& row : rows) list.insert(list.end(), row.begin(), row.end());
  }
  if (!apart) return {list};
  return {list, points};
}

std::vector<Pose> decode(YoloForm form, bool apart, const std::vector<Person>& people,
                         const DecodeOptions& options = {}) {
  for (const auto& network : test::pose_networks({64, 64}, static_cast<int>(people.size()))) {
    const auto& yolo = test::decoder_of<YoloPoseDecoder>(network.spec);
    if (yolo.form != form || yolo.keypoints.has_value() != apart) continue;
    auto post = yolo.make(network.spec, options);
    EXPECT_TRUE(post) << post.error().message;
    const auto values = tensors(form, apart, people);
    std::vector<TensorView> views;
    for (std::size_t i = 0; i < values.size(); ++i) {
      EXPECT_EQ(values[i].size(), network.shapes[i].elements());
      views.push_back({reinterpret_cast<const std::byte*>(values[i].data()), DType::kF32, network.shapes[i]});
    }
    FrameResult result;
    const auto ran = (*post)->run(views, kWhole, result);
    EXPECT_TRUE(ran) << ran.error().message;
    return result.poses;
  }
  ADD_FAILURE() << "no such network";
  return {};
}

struct Way {
  YoloForm form;
  bool apart;
};
constexpr Way kWays[] = {{YoloForm::kChannelsFirst, false},
                         {YoloForm::kChannelsLast, false},
                         {YoloForm::kEndToEnd, false},
                         {YoloForm::kEndToEnd, true}};

TEST(YoloPose, FindsPeopleInEveryForm) {
  for (const auto& [form, apart] : kWays) {
    const auto poses = decode(form, apart, {{0.6F, 4}, {0.1F, 30}, {0.9F, 40}});
    ASSERT_EQ(poses.size(), 2U);
    EXPECT_FLOAT_EQ(poses[0].score, 0.9F);
    ASSERT_TRUE(poses[0].own_box);
    test::expect_box(*poses[0].own_box, 40.F / 64, 8.F / 64, 16.F / 64, 32.F / 64);
    ASSERT_TRUE(poses[0].keypoints[3]);
    EXPECT_FLOAT_EQ(poses[0].keypoints[3]->x, 41.5F / 64);
    EXPECT_FLOAT_EQ(poses[0].keypoints[3]->y, 11.F / 64);
    EXPECT_FLOAT_EQ(poses[0].keypoints[3]->score, 1);
    EXPECT_FALSE(poses[0].keypoints[16]);
    EXPECT_FLOAT_EQ(poses[1].keypoints[0]->x, 4.F / 64);
    EXPECT_FALSE(poses[0].id);
  }
}

TEST(YoloPose, SuppressesWhomABetterBoxHides) {
  const auto poses = decode(YoloForm::kChannelsFirst, false, {{0.6F, 4}, {0.9F, 5}, {0.5F, 30}});
  ASSERT_EQ(poses.size(), 2U);
  EXPECT_FLOAT_EQ(poses[0].keypoints[0]->x, 5.F / 64);
}

TEST(YoloPose, LeavesOutKeypointsThatAreHardlySeenOrOutside) {
  EXPECT_TRUE(decode(YoloForm::kChannelsLast, false, {{0.9F, 4, 0.49F}}).empty());
  const auto poses = decode(YoloForm::kChannelsLast, false, {{0.9F, -4, 0.5F}});
  ASSERT_EQ(poses.size(), 1U);
  EXPECT_FALSE(poses[0].keypoints[7]);  // x is -0.5
  ASSERT_TRUE(poses[0].keypoints[8]);
  EXPECT_FLOAT_EQ(poses[0].keypoints[8]->x, 0);
  EXPECT_FLOAT_EQ(poses[0].keypoints[8]->score, 0.5F);
}

TEST(YoloPose, ObeysItsUser) {
  DecodeOptions options;
  options.max_people = 1;
  EXPECT_EQ(decode(YoloForm::kEndToEnd, false, {{0.6F, 4}, {0.9F, 40}}, options).size(), 1U);
  options = {};
  options.threshold = 0.7F;
  EXPECT_EQ(decode(YoloForm::kEndToEnd, false, {{0.6F, 4}, {0.9F, 40}}, options).size(), 1U);
  options = {};
  options.nms_threshold = 0;
  EXPECT_EQ(decode(YoloForm::kEndToEnd, true, {{0.6F, 30}, {0.9F, 40}}, options).size(), 1U);
}

TEST(YoloPose, RefusesWhatCannotBe) {
  const auto network = test::pose_networks({64, 64}, 3).front();
  const auto& yolo = test::decoder_of<YoloPoseDecoder>(network.spec);
  DecodeOptions options;
  options.max_people = 0;
  EXPECT_EQ(yolo.make(network.spec, options).error().code, Errc::kUsage);
  options = {};
  options.threshold = 1.5F;
  EXPECT_EQ(yolo.make(network.spec, options).error().code, Errc::kUsage);
  ModelSpec none = network.spec;
  none.skeleton = nullptr;
  EXPECT_EQ(yolo.make(none, {}).error().message, "model 'boxes': yolo-pose needs a skeleton");
  const TensorView view{nullptr, DType::kF32, {1, 57, 0}};
  EXPECT_EQ((*yolo.make(network.spec, {}))->check({&view, 1}).error().message,
            "yolo-pose: output 0 is 1x57x0 f32, expected 1x56xN f32; check form and skeleton of the descriptor");
}

}  // namespace
}  // namespace posecam
