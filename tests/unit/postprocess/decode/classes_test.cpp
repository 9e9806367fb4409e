#include "postprocess/decode/classes.h"

#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

namespace posecam {
namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

ModelSpec spec(std::vector<std::string> labels = {"cat", "dog", "owl"}) {
  ModelSpec s;
  s.name = "classifier";
  s.task = Task::kClassification;
  s.outputs = {"other", "prob"};
  s.labels = std::move(labels);
  return s;
}

ClassDecoder logits(int first = 0) {
  ClassDecoder decoder;
  decoder.scores = {"prob", first};
  return decoder;
}

ClassDecoder probabilities() {
  ClassDecoder decoder = logits();
  decoder.values = ClassDecoder::Values::kProbabilities;
  return decoder;
}

Result<void> run(const std::vector<float>& values, const Shape& shape, const ClassDecoder& decoder, FrameResult& result,
                 const DecodeOptions& options = {}) {
  auto post = decoder.make(spec(), options);
  EXPECT_TRUE(post);
  const TensorView view{reinterpret_cast<const std::byte*>(values.data()), DType::kF32, shape};
  const TensorView views[] = {view, view};
  return (*post)->run(views, Letterbox{}, result);
}

std::vector<Classification> classify(const std::vector<float>& values, const ClassDecoder& decoder,
                                     const DecodeOptions& options = {}) {
  FrameResult result;
  EXPECT_TRUE(run(values, {1, static_cast<std::int64_t>(values.size())}, decoder, result, options));
  return result.classes;
}

TEST(Classes, SoftmaxOfLogitsTheLikeliestFirst) {
  const auto found = classify({1, 3, 2}, logits());
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found[0].label_id, 1);
  EXPECT_EQ(found[1].label_id, 2);
  EXPECT_EQ(found[2].label_id, 0);
  EXPECT_NEAR(found[0].score, std::exp(2.0) / (1 + std::exp(1.0) + std::exp(2.0)), 1e-6);
  EXPECT_NEAR(found[0].score + found[1].score + found[2].score, 1, 1e-6);
}

TEST(Classes, HugeLogitsDoNotOverflow) {
  const auto found = classify({5000, 4999, -5000}, logits());
  ASSERT_EQ(found.size(), 2U);
  EXPECT_NEAR(found[0].score, 1 / (1 + std::exp(-1.0)), 1e-6);
}

TEST(Classes, ProbabilitiesAreTakenAsTheyAre) {
  const auto found = classify({0.25F, 0, 0.5F}, probabilities());
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].label_id, 2);
  EXPECT_FLOAT_EQ(found[0].score, 0.5F);
}

TEST(Classes, ValuesBeforeTheFirstLabelCountForTheSoftmaxOnly) {
  const auto found = classify({2, 1, 1, 1}, logits(1));
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found[0].label_id, 0);
  EXPECT_NEAR(found[0].score, 1 / (3 + std::exp(1.0)), 1e-6);
}

TEST(Classes, StepsOfAQuantisedOutputHaveAScale) {
  ClassDecoder decoder = logits();
  decoder.scale = 0.5F;
  EXPECT_NEAR(classify({100, 102, 0}, decoder)[0].score, 1 / (1 + std::exp(-1.0)), 1e-6);
}

TEST(Classes, TellsTheTopAndWhatIsAboveTheThreshold) {
  ClassDecoder decoder = probabilities();
  decoder.top = 2;
  EXPECT_EQ(classify({0.3F, 0.3F, 0.4F}, decoder).size(), 2U);
  EXPECT_EQ(classify({0.3F, 0.3F, 0.4F}, decoder)[1].label_id, 0) << "of equals, the first label";
  DecodeOptions options;
  options.threshold = 0.35F;
  EXPECT_EQ(classify({0.3F, 0.3F, 0.4F}, probabilities(), options).size(), 1U);
}

TEST(Classes, WhatIsNotFiniteIsNothing) {
  const auto found = classify({kNan, 1, kInf}, logits());
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].label_id, 1);
  EXPECT_FLOAT_EQ(found[0].score, 1);
  EXPECT_TRUE(classify({kNan, -kInf, kInf}, logits()).empty());
  EXPECT_TRUE(classify({kNan, kInf, -1}, probabilities()).empty());
  EXPECT_FLOAT_EQ(classify({7, 0, 0}, probabilities())[0].score, 1);
}

TEST(Classes, AnyRankWillDoButNotAnyNumberOfValues) {
  const std::vector<float> values{1, 2, 3};
  FrameResult result;
  EXPECT_TRUE(run(values, {1, 3, 1, 1}, logits(), result));
  EXPECT_EQ(result.classes.size(), 3U);
  const auto two = run(values, {1, 2}, logits(), result);
  ASSERT_FALSE(two);
  EXPECT_EQ(two.error().message, "classes: output is 1x2 f32, expected f32 of 3 values (3 labels from 0)");
  EXPECT_TRUE(result.classes.empty());
}

TEST(Classes, RefusesWhatDoesNotFitTogether) {
  ClassDecoder elsewhere = logits();
  elsewhere.scores.output = "nowhere";
  EXPECT_EQ(elsewhere.make(spec(), {}).error().code, Errc::kModel);
  EXPECT_EQ(logits().make(spec({}), {}).error().code, Errc::kModel);
  DecodeOptions options;
  options.threshold = 1.5F;
  EXPECT_EQ(logits().make(spec(), options).error().code, Errc::kUsage);
}

}  // namespace
}  // namespace posecam
