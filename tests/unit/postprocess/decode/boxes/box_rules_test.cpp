#include "postprocess/decode/boxes/box_rules.h"

#include <algorithm>
#include <limits>
#include <random>
#include <span>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/spec/labels.h"
#include "postprocess/decode/section.h"

namespace posecam {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
const Letterbox kWhole{{100, 100}, {100, 100}, {0, 0}, {100, 100}};

ModelSpec spec() {
  ModelSpec s;
  s.name = "m";
  s.labels = {"person", std::string(kNoLabel), "car"};
  return s;
}

TEST(BoxFinder, TakesScoresOverTheThresholdOfLabelsThatNameSomething) {
  const auto finder = make_box_finder("grid", spec(), {}, {.threshold = 0.5F});
  ASSERT_TRUE(finder);
  EXPECT_TRUE(finder->takes(0, 0.5F));
  EXPECT_TRUE(finder->takes(2, 1));
  EXPECT_FALSE(finder->takes(1, 0.9F));
  EXPECT_FALSE(finder->takes(0, 0.49F));
  for (const float label : {-1.F, 3.F, 1e30F, kNan}) EXPECT_FALSE(finder->takes(label, 0.9F)) << label;
  EXPECT_FALSE(finder->takes(0, kNan));
}

TEST(BoxFinder, TakesNoScoreOfZeroAtAThresholdOfZero) {
  const auto finder = make_box_finder("grid", spec(), {}, {.threshold = 0});
  ASSERT_TRUE(finder);
  EXPECT_FALSE(finder->takes(0, 0));
  EXPECT_TRUE(finder->takes(0, 1e-6F));
}

TEST(BoxFinder, TakesTheLabelsThatAUserWants) {
  DecodeOptions options;
  options.labels = {0, 1, 1};
  EXPECT_THAT(wanted_labels(spec(), options), testing::ElementsAre(0, 0, 1));
  options.labels = {1};  // of a shorter list: the others are not wanted
  EXPECT_THAT(wanted_labels(spec(), options), testing::ElementsAre(1, 0, 0));
  EXPECT_THAT(wanted_labels(spec(), {}), testing::ElementsAre(1, 0, 1));
}

TEST(BoxFinder, PutsTheUsersThresholdsFirstAndRefusesOthers) {
  DecodeOptions options;
  options.threshold = 0.75F;
  const auto finder = make_box_finder("grid", spec(), options, {.threshold = 0.1F});
  ASSERT_TRUE(finder);
  EXPECT_EQ(finder->threshold, 0.75F);
  for (const float bad : {-0.1F, 1.1F, kNan}) {
    options.threshold = bad;
    EXPECT_EQ(make_box_finder("grid", spec(), options, {}).error().code, Errc::kUsage);
    EXPECT_EQ(make_box_finder("grid", spec(), {}, {.threshold = bad}).error().code, Errc::kModel);
  }
  ModelSpec unnamed = spec();
  unnamed.labels.clear();
  EXPECT_EQ(make_box_finder("grid", unnamed, {}, {}).error().message, "model 'm': grid needs labels");
}

TEST(DetectionCollector, SuppressesAcrossLabelsWhereThatIsAsked) {
  for (const bool across : {false, true}) {
    DetectionCollector collector(0.5F, 10, across);
    collector.add({10, 10, 50, 50}, 0.9F, 0, kWhole);
    collector.add({10, 10, 50, 52}, 0.8F, 2, kWhole);
    std::vector<Detection> found;
    collector.finish(found);
    EXPECT_EQ(found.size(), across ? 1U : 2U);
  }
}

TEST(DetectionCollector, GivesTagsBackAsIds) {
  DetectionCollector collector(0.5F, 10);
  collector.add({10, 10, 50, 50}, 0.8F, 0, kWhole, 7);
  collector.add({60, 60, 90, 90}, 0.9F, 0, kWhole);
  std::vector<Detection> found;
  collector.finish(found);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_FALSE(found[0].id);
  EXPECT_EQ(found[1].id, 7);
}

TEST(DetectionCollector, DropsBoxesThatAreInsideOut) {
  DetectionCollector collector(0.5F, 10);
  collector.add({50, 10, 10, 50}, 0.8F, 0, kWhole);
  collector.add({10, 50, 50, 10}, 0.8F, 0, kWhole);
  collector.add({10, 10, 10, 10}, 0.8F, 0, kWhole);
  std::vector<Detection> found;
  collector.finish(found);
  EXPECT_TRUE(found.empty());
}

TEST(BestLabel, NeverIsNan) {
  const std::vector<float> scores{kNan, 0.25F, 0.5F, kNan};
  EXPECT_EQ(best_label(scores).label, 2);
  EXPECT_EQ(best_label(std::span(scores).first(1)).score, 0);
}

TEST(BestLabels, AreThoseOfEachPlaceAlone) {
  constexpr std::size_t kLabels = 7;
  constexpr std::size_t kStep = 300;
  std::mt19937 random(1);
  std::uniform_int_distribution<int> value(-2, 9);  // many are alike: the first of them is the best
  std::vector<float> planes(kLabels * kStep);
  for (float& v : planes) v = value(random) == 9 ? kNan : static_cast<float>(value(random)) / 8;
  BestLabels best;
  for (const std::size_t first : {0U, 256U}) {
    const std::size_t places = std::min(BestLabels::kPlaces, kStep - first);
    best.find(std::span(planes).subspan(first), kLabels, kStep, places);
    for (std::size_t place = 0; place < places; ++place) {
      std::vector<float> alone;
      for (std::size_t label = 0; label < kLabels; ++label) alone.push_back(planes[label * kStep + first + place]);
      EXPECT_EQ(best[place].label, best_label(alone).label) << first + place;
      EXPECT_EQ(best[place].score, best_label(alone).score) << first + place;
    }
  }
}

TEST(ExpectOutput, NamesTheShapeAndTheRemedy) {
  const TensorView views[] = {{nullptr, DType::kF32, {1, 6, 3}}};
  EXPECT_TRUE(expect_output(views, 0, {1, 6, -1}, "grid", "check it"));
  EXPECT_EQ(expect_output(views, 0, {1, -1, 6}, "grid", "check it").error().message,
            "grid: output 0 is 1x6x3 f32, expected 1xNx6 f32; check it");
  EXPECT_EQ(expect_output(views, 1, {1}, "grid", "check it").error().message, "grid: 1 outputs, output 1 is read");
}

}  // namespace
}  // namespace posecam
