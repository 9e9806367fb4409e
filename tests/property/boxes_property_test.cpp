// What every decoder of boxes promises, on seeded noise.

#include <limits>
#include <random>
#include <tuple>

#include <gtest/gtest.h>

#include "tests/support/alloc_counter.h"
#include "tests/support/box_networks.h"

namespace posecam {
namespace {

using test::BoxNetwork;
using test::Frame;

constexpr Size kInput{128, 96};
const Letterbox kLetterbox{{640, 480}, kInput, {0, 0}, {128, 96}};
constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

std::unique_ptr<Postprocessor> make(const BoxNetwork& network, const DecodeOptions& options = {}) {
  auto made = network.spec.decoder->make(network.spec, options);
  EXPECT_TRUE(made) << network.name << ": " << made.error().message;
  return made ? std::move(*made) : nullptr;
}

/// Scores and labels and places alike, so that much is found, of any kind.
Frame noise(const BoxNetwork& network, std::mt19937& random) {
  std::uniform_real_distribution<float> share(0, 1);
  std::uniform_real_distribution<float> place(-20, 150);
  Frame frame = test::frame_of(network, [&] { return share(random) < 0.5F ? share(random) : place(random); });
  test::make_plausible(network, frame);
  return frame;
}

void expect_sound(const BoxNetwork& network, const FrameResult& result) {
  for (const Detection& d : result.detections) {
    EXPECT_TRUE(d.box.width > 0 && d.box.height > 0 && d.score > 0 && d.score <= 1) << network.name;
    EXPECT_TRUE(d.box.x >= 0 && d.box.y >= 0 && d.box.x + d.box.width <= 1.0001F) << network.name;
    EXPECT_TRUE(d.label_id >= 0 && static_cast<std::size_t>(d.label_id) < network.spec.labels.size()) << network.name;
  }
  for (const Pose& pose : result.poses) {
    EXPECT_TRUE(pose.score > 0 && pose.score <= 1) << network.name;
    for (const auto& k : pose.keypoints) {
      if (!k) continue;
      EXPECT_TRUE(k->x >= 0 && k->x <= 1 && k->y >= 0 && k->y <= 1 && k->score > 0 && k->score <= 1) << network.name;
    }
  }
}

auto values_of(const Box& box) { return std::tuple(box.x, box.y, box.width, box.height); }

bool found_any(const FrameResult& result) { return !result.detections.empty() || !result.poses.empty(); }

void expect_same(const BoxNetwork& network, const FrameResult& a, const FrameResult& b) {
  ASSERT_EQ(a.detections.size(), b.detections.size()) << network.name;
  for (std::size_t i = 0; i < a.detections.size(); ++i) {
    EXPECT_EQ(a.detections[i].label_id, b.detections[i].label_id) << network.name;
    EXPECT_EQ(a.detections[i].score, b.detections[i].score) << network.name;
    EXPECT_EQ(values_of(a.detections[i].box), values_of(b.detections[i].box)) << network.name;
    EXPECT_EQ(a.detections[i].id, b.detections[i].id) << network.name;
  }
  ASSERT_EQ(a.poses.size(), b.poses.size()) << network.name;
  for (std::size_t i = 0; i < a.poses.size(); ++i) {
    EXPECT_EQ(a.poses[i].score, b.poses[i].score) << network.name;
    ASSERT_TRUE(a.poses[i].own_box && b.poses[i].own_box) << network.name;
    EXPECT_EQ(values_of(*a.poses[i].own_box), values_of(*b.poses[i].own_box)) << network.name;
    for (std::size_t k = 0; k < kMaxKeypoints; ++k) {
      const auto& one = a.poses[i].keypoints[k];
      const auto& other = b.poses[i].keypoints[k];
      ASSERT_EQ(one.has_value(), other.has_value()) << network.name;
      if (!one) continue;
      EXPECT_EQ(std::tuple(one->x, one->y, one->score), std::tuple(other->x, other->y, other->score)) << network.name;
    }
  }
}

TEST(BoxesProperty, AnyConstantIsSafe) {
  for (const BoxNetwork& network : test::box_networks(kInput, 3, 50)) {
    const auto decoder = make(network);
    for (const float v : {0.F, 1.F, -1.F, 0.5F, 1e-40F, 1e30F, -1e30F, kNan, kInf, -kInf}) {
      Frame frame = test::frame_of(network, [&] { return v; });
      for (int round = 0; round < 2; ++round) {
        FrameResult result;
        ASSERT_TRUE(decoder->run(frame.views, kLetterbox, result)) << network.name;
        expect_sound(network, result);
        test::make_plausible(network, frame);
      }
    }
  }
}

TEST(BoxesProperty, NumbersThatAreNoneAmongNoiseAreSafe) {
  std::mt19937 random(1);
  for (const BoxNetwork& network : test::box_networks(kInput, 3, 200)) {
    const auto decoder = make(network);
    for (int round = 0; round < 4; ++round) {
      Frame frame = noise(network, random);
      for (auto& values : frame.values) {
        for (std::size_t i = 0; i < values.size(); i += 5) values[i] = i % 2 == 0 ? kNan : kInf;
      }
      if (round % 2 == 0) test::make_plausible(network, frame);
      FrameResult result;
      ASSERT_TRUE(decoder->run(frame.views, kLetterbox, result)) << network.name;
      expect_sound(network, result);
    }
  }
}

TEST(BoxesProperty, SomethingIsFoundInNoise) {
  std::mt19937 random(2);
  for (const BoxNetwork& network : test::box_networks(kInput, 3, 5000)) {
    DecodeOptions options;
    options.threshold = 0.01F;
    const auto decoder = make(network, options);
    const Frame frame = noise(network, random);
    FrameResult result;
    ASSERT_TRUE(decoder->run(frame.views, kLetterbox, result)) << network.name;
    EXPECT_TRUE(found_any(result)) << network.name;
    expect_sound(network, result);
  }
}

TEST(BoxesProperty, AResultIsThatOfItsRowAlone) {
  std::mt19937 random(3);
  for (const BoxNetwork& network : test::box_networks(kInput, 3, 300)) {
    if (network.name == "ssd") continue;  // its list has no rows of a batch
    std::vector<Frame> frames;
    for (int i = 0; i < 3; ++i) frames.push_back(noise(network, random));
    std::vector<std::vector<float>> joined(network.shapes.size());
    for (std::size_t output = 0; output < joined.size(); ++output) {
      for (const Frame& frame : frames) {
        joined[output].insert(joined[output].end(), frame.values[output].begin(), frame.values[output].end());
      }
    }
    const auto used = make(network);
    for (const std::size_t row : {2U, 0U, 1U, 2U}) {
      std::vector<TensorView> views;
      for (std::size_t output = 0; output < joined.size(); ++output) {
        Shape shape = network.shapes[output];
        shape[0] = 3;
        views.push_back(
            TensorView{reinterpret_cast<const std::byte*>(joined[output].data()), DType::kF32, shape}.row(row));
      }
      FrameResult in_batch;
      ASSERT_TRUE(used->run(views, kLetterbox, in_batch)) << network.name;
      FrameResult alone;
      ASSERT_TRUE(make(network)->run(frames[row].views, kLetterbox, alone)) << network.name;
      EXPECT_TRUE(found_any(alone)) << network.name;
      expect_same(network, in_batch, alone);
    }
  }
}

TEST(BoxesProperty, TenThousandBoxesAreBoundedAndAllocateNothing) {
  std::mt19937 random(4);
  for (const BoxNetwork& network : test::box_networks({512, 512}, 3, 10'000)) {
    const auto decoder = make(network);
    const Frame frame = noise(network, random);
    const Letterbox letterbox{{512, 512}, {512, 512}, {0, 0}, {512, 512}};
    FrameResult result;
    for (int round = 0; round < 2; ++round) ASSERT_TRUE(decoder->run(frame.views, letterbox, result)) << network.name;
    const std::size_t before = test::allocation_count();
    for (int round = 0; round < 3; ++round) ASSERT_TRUE(decoder->run(frame.views, letterbox, result)) << network.name;
    EXPECT_EQ(test::allocation_count() - before, 0U) << network.name;
    EXPECT_TRUE(found_any(result)) << network.name;
    EXPECT_LE(result.detections.size(), 300U) << network.name;
    EXPECT_LE(result.poses.size(), 100U) << network.name;
  }
}

TEST(BoxesProperty, UnwantedLabelsAreLeftOutBeforeAllElse) {
  std::mt19937 random(5);
  for (const BoxNetwork& network : test::box_networks(kInput, 3, 2000)) {
    if (network.spec.task != Task::kDetection) continue;
    DecodeOptions options;
    options.threshold = 0.01F;
    options.labels = {0, 0, 1};
    const Frame frame = noise(network, random);
    FrameResult result;
    ASSERT_TRUE(make(network, options)->run(frame.views, kLetterbox, result)) << network.name;
    EXPECT_TRUE(found_any(result)) << network.name;
    for (const Detection& d : result.detections) EXPECT_EQ(d.label_id, 2) << network.name;
  }
}

TEST(BoxesProperty, ShapesOfFewerLabelsAreRefused) {
  for (const BoxNetwork& network : test::box_networks(kInput, 3, 50)) {
    const bool names_labels_in_rows = network.name == "ssd" || network.name == "tf-detection" ||
                                      network.name == "centernet" || network.name == "yolo end-to-end" ||
                                      network.spec.task == Task::kPose;
    if (names_labels_in_rows) continue;
    BoxNetwork fewer = network;
    fewer.spec.labels.pop_back();
    const Frame frame = test::frame_of(network, [] { return 0.5F; });
    FrameResult result;
    const auto ran = make(fewer)->run(frame.views, kLetterbox, result);
    ASSERT_FALSE(ran) << network.name;
    EXPECT_EQ(ran.error().code, Errc::kModel);
    EXPECT_TRUE(ran.error().message.find("descriptor") != std::string::npos) << ran.error().message;
  }
}

}  // namespace
}  // namespace posecam
