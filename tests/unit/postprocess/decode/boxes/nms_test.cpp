#include "postprocess/decode/boxes/nms.h"

#include <algorithm>
#include <limits>
#include <random>

#include <gtest/gtest.h>

namespace posecam {
namespace {

bool same(const Detection& a, const Detection& b) { return !ranks_before(a, b) && !ranks_before(b, a); }

std::vector<Detection> random_detections(unsigned seed, std::size_t count) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> unit(0, 1);
  std::vector<Detection> detections(count);
  for (Detection& d : detections) {
    d.box = {unit(random), unit(random), 0.05F + 0.3F * unit(random), 0.05F + 0.3F * unit(random)};
    d.score = static_cast<float>(random() % 20) / 20;  // many ties
    d.label_id = static_cast<int>(random() % 3);
  }
  return detections;
}

// The definition: repeatedly take the best that is left and strike out what it hides.
std::vector<Detection> naive_nms(std::vector<Detection> left, float threshold) {
  std::vector<Detection> kept;
  while (!left.empty()) {
    const Detection best = *std::min_element(left.begin(), left.end(), ranks_before);
    kept.push_back(best);
    std::erase_if(left, [&](const Detection& d) {
      return same(d, best) || (d.label_id == best.label_id && iou(d.box, best.box) > threshold);
    });
  }
  return kept;
}

TEST(Nms, EqualsTheDefinitionOnRandomBoxes) {
  for (unsigned seed = 0; seed < 50; ++seed) {
    auto detections = random_detections(seed, 80);
    const auto expected = naive_nms(detections, 0.4F);
    nms(detections, 0.4F, 1000);
    EXPECT_TRUE(std::equal(detections.begin(), detections.end(), expected.begin(), expected.end(), same)) << seed;
  }
}

TEST(Nms, LeavesNoOverlapWithinAClassAndIsIdempotent) {
  auto detections = random_detections(7, 300);
  nms(detections, 0.3F, 1000);
  for (std::size_t i = 0; i < detections.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (detections[i].label_id == detections[j].label_id) {
        EXPECT_LE(iou(detections[i].box, detections[j].box), 0.3F);
      }
    }
  }
  auto again = detections;
  nms(again, 0.3F, 1000);
  EXPECT_TRUE(std::equal(again.begin(), again.end(), detections.begin(), detections.end(), same));
}

TEST(Nms, DoesNotDependOnInputOrder) {
  auto detections = random_detections(3, 120);
  auto shuffled = detections;
  std::shuffle(shuffled.begin(), shuffled.end(), std::mt19937(1));
  nms(detections, 0.4F, 40);
  nms(shuffled, 0.4F, 40);
  EXPECT_TRUE(std::equal(detections.begin(), detections.end(), shuffled.begin(), shuffled.end(), same));
}

TEST(Nms, KeepsBoxesOfOtherClasses) {
  std::vector<Detection> detections(2, {{0, 0, 1, 1}, 0.9F, 0, {}});
  detections[1].label_id = 1;
  nms(detections, 0.5F, 10);
  EXPECT_EQ(detections.size(), 2U);
}

TEST(Nms, KeepsTheBestWhenLimited) {
  std::vector<Detection> detections{{{0, 0, 0.1F, 0.1F}, 0.2F, 0, {}}, {{0.5F, 0.5F, 0.1F, 0.1F}, 0.8F, 0, {}}};
  nms(detections, 0.5F, 1);
  ASSERT_EQ(detections.size(), 1U);
  EXPECT_FLOAT_EQ(detections[0].score, 0.8F);
}

TEST(Nms, DropsScoresThatAreNotFinite) {
  std::vector<Detection> detections(3, {{0, 0, 1, 1}, 0.9F, 0, {}});
  detections[0].score = std::numeric_limits<float>::quiet_NaN();
  detections[2].score = std::numeric_limits<float>::infinity();
  nms(detections, 0.5F, 10);
  ASSERT_EQ(detections.size(), 1U);
  EXPECT_FLOAT_EQ(detections[0].score, 0.9F);
}

}  // namespace
}  // namespace posecam
