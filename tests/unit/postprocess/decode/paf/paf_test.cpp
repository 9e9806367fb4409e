#include "postprocess/decode/paf/paf.h"

#include <cstring>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/alloc_counter.h"
#include "tests/support/paf_scene.h"

namespace posecam {
namespace {

using test::Scene;
using test::standing;
using testing::HasSubstr;

constexpr int kWidth = 57;
constexpr int kHeight = 32;

std::unique_ptr<Postprocessor> make(const ModelSpec& spec, const DecodeOptions& options = {}) {
  auto made = spec.decoder->make(spec, options);
  if (!made) {
    ADD_FAILURE() << made.error().message;
    return nullptr;
  }
  return std::move(*made);
}

FrameResult decode(Postprocessor& decoder, const Scene& scene, const Letterbox& letterbox) {
  FrameResult result;
  const TensorView outputs[] = {test::as_tensor(scene.heatmaps, scene.height, scene.width),
                                test::as_tensor(scene.pafs, scene.height, scene.width)};
  const auto ran = decoder.run(outputs, letterbox, result);
  EXPECT_TRUE(ran) << ran.error().message;
  return result;
}

class PafModes : public testing::TestWithParam<DecodeOptions::Mode> {
 protected:
  std::unique_ptr<Postprocessor> decoder(const Skeleton& skeleton) {
    DecodeOptions options;
    options.mode = GetParam();
    return make(test::paf_spec(skeleton), options);
  }
};
INSTANTIATE_TEST_SUITE_P(Modes, PafModes, testing::Values(DecodeOptions::Mode::kFast, DecodeOptions::Mode::kReference),
                         [](const auto& tested) {
                           return tested.param == DecodeOptions::Mode::kFast ? "Fast" : "Reference";
                         });

TEST_P(PafModes, FindsAllPartsOfBothSkeletons) {
  for (const Skeleton* skeleton : {&coco18(), &body25()}) {
    Scene scene(*skeleton, kWidth, kHeight);
    const auto figure = standing(*skeleton, 25.3F, 4.2F, 22);
    scene.draw(figure);
    const auto result = decode(*decoder(*skeleton), scene, test::whole_input(kWidth, kHeight));
    ASSERT_EQ(result.poses.size(), 1U) << skeleton->name;
    EXPECT_GT(result.poses[0].score, 0.7F);
    for (std::size_t part = 0; part < skeleton->parts.size(); ++part) {
      ASSERT_TRUE(result.poses[0].keypoints[part]) << skeleton->parts[part];
      EXPECT_NEAR(result.poses[0].keypoints[part]->x * kWidth, figure[part]->x, 0.3F) << skeleton->parts[part];
      EXPECT_NEAR(result.poses[0].keypoints[part]->y * kHeight, figure[part]->y, 0.3F) << skeleton->parts[part];
    }
  }
}

TEST_P(PafModes, KeepsPeopleWhoseArmsCrossApart) {
  Scene scene(coco18(), kWidth, kHeight);
  auto left = standing(coco18(), 18, 4, 24);
  auto right = standing(coco18(), 34, 4, 24);
  left[7] = Point{28, 15};   // left wrist of the left one, and
  right[4] = Point{24, 11};  // right wrist of the right one: their lower arms cross
  scene.draw(left);
  scene.draw(right);
  const auto result = decode(*decoder(coco18()), scene, test::whole_input(kWidth, kHeight));
  ASSERT_EQ(result.poses.size(), 2U);
  for (const Pose& pose : result.poses) {
    const auto& figure = pose.keypoints[1]->x * kWidth < 26 ? left : right;
    for (const std::size_t part : {4U, 7U, 10U, 13U}) {
      ASSERT_TRUE(pose.keypoints[part]);
      EXPECT_NEAR(pose.keypoints[part]->x * kWidth, figure[part]->x, 0.6F) << coco18().parts[part];
    }
  }
}

TEST_P(PafModes, PartsThatAreHiddenStayEmpty) {
  Scene scene(coco18(), kWidth, kHeight);
  auto figure = standing(coco18(), 25.3F, 4.2F, 22);  // on the edge of two cells the reference sees each peak twice
  for (const std::size_t part : {9U, 10U, 12U, 13U}) figure[part].reset();
  scene.draw(figure);
  const auto result = decode(*decoder(coco18()), scene, test::whole_input(kWidth, kHeight));
  ASSERT_EQ(result.poses.size(), 1U);
  for (std::size_t part = 0; part < 18; ++part) {
    EXPECT_EQ(result.poses[0].keypoints[part].has_value(), figure[part].has_value()) << coco18().parts[part];
  }
}

TEST(PafPostprocessor, UndoesTheLetterboxAndDropsWhatLiesInThePadding) {
  Scene scene(coco18(), kWidth, kHeight);
  const auto figure = standing(coco18(), 25, 4, 22);
  scene.draw(figure);
  // The picture ends below the knees (the ankles are padding) and starts 8 pixels from the left.
  const Letterbox letterbox{{640, 288}, {kWidth * 8, kHeight * 8}, {8, 0}, {400, 180}};
  const auto result = decode(*make(test::paf_spec(coco18())), scene, letterbox);
  ASSERT_EQ(result.poses.size(), 1U);
  const Pose& pose = result.poses[0];
  EXPECT_NEAR(pose.keypoints[0]->x, (figure[0]->x * 8 - 8) / 400, 0.005F);
  EXPECT_NEAR(pose.keypoints[0]->y, figure[0]->y * 8 / 180, 0.01F);
  EXPECT_TRUE(pose.keypoints[9]);
  EXPECT_FALSE(pose.keypoints[10]);
  EXPECT_FALSE(pose.keypoints[13]);
}

TEST(PafPostprocessor, BestPeopleComeFirstAndOnlyAsManyAsAsked) {
  Scene scene(coco18(), kWidth, kHeight);
  for (const float x : {8.0F, 26.0F, 44.0F}) scene.draw(standing(coco18(), x, 4, 24));
  for (float& v : scene.heatmaps) v *= 0.5F;
  scene.draw(standing(coco18(), 26, 4, 24));
  DecodeOptions options;
  options.max_people = 2;
  const auto result = decode(*make(test::paf_spec(coco18()), options), scene, test::whole_input(kWidth, kHeight));
  ASSERT_EQ(result.poses.size(), 2U);
  EXPECT_NEAR(result.poses[0].keypoints[1]->x * kWidth, 26, 0.3F);
  EXPECT_GT(result.poses[0].score, result.poses[1].score);
}

TEST(PafPostprocessor, ReadsHeatmapsAndPafsOfOneTensor) {
  Scene scene(coco18(), kWidth, kHeight);
  scene.draw(standing(coco18(), 25, 4, 22));
  std::vector<float> both = scene.heatmaps;
  both.insert(both.end(), scene.pafs.begin(), scene.pafs.end());
  ModelSpec spec = test::paf_spec(coco18());
  spec.outputs = {"all"};
  PafDecoder decoder;
  decoder.heatmaps = {"all", 0};
  decoder.pafs = {"all", 19};
  test::set_decoder(spec, decoder);
  FrameResult result;
  const TensorView outputs[] = {test::as_tensor(both, kHeight, kWidth)};
  ASSERT_TRUE(make(spec)->run(outputs, test::whole_input(kWidth, kHeight), result));
  ASSERT_EQ(result.poses.size(), 1U);
  EXPECT_TRUE(result.poses[0].keypoints[13]);
}

TEST(PafPostprocessor, EveryRowOfABatchDecodesAlike) {
  Scene scene(coco18(), kWidth, kHeight);
  scene.draw(standing(coco18(), 25, 4, 22));
  constexpr std::int64_t kBatch = 5;
  std::vector<float> heatmaps, pafs;
  for (int row = 0; row < kBatch; ++row) {
    heatmaps.insert(heatmaps.end(), scene.heatmaps.begin(), scene.heatmaps.end());
    pafs.insert(pafs.end(), scene.pafs.begin(), scene.pafs.end());
  }
  const TensorView batch[] = {
      {reinterpret_cast<const std::byte*>(heatmaps.data()), DType::kF32, Shape{kBatch, 19, kHeight, kWidth}},
      {reinterpret_cast<const std::byte*>(pafs.data()), DType::kF32, Shape{kBatch, 38, kHeight, kWidth}}};
  auto decoder = make(test::paf_spec(coco18()));
  const auto expected = decode(*decoder, scene, test::whole_input(kWidth, kHeight));
  for (std::size_t row = 0; row < kBatch; ++row) {
    const TensorView outputs[] = {batch[0].row(row), batch[1].row(row)};
    FrameResult result;
    ASSERT_TRUE(decoder->run(outputs, test::whole_input(kWidth, kHeight), result));
    ASSERT_EQ(result.poses.size(), 1U);
    EXPECT_EQ(result.poses[0].score, expected.poses[0].score);
    for (std::size_t k = 0; k < 18; ++k) {
      EXPECT_EQ(result.poses[0].keypoints[k]->x, expected.poses[0].keypoints[k]->x);
      EXPECT_EQ(result.poses[0].keypoints[k]->y, expected.poses[0].keypoints[k]->y);
    }
  }
}

TEST(PafPostprocessor, AllocatesNothingOnceWarm) {
  std::vector<Scene> scenes;
  for (int people = 0; people <= 4; ++people) {
    scenes.emplace_back(coco18(), kWidth, kHeight);
    for (int i = 0; i < people; ++i) {
      scenes.back().draw(standing(coco18(), 7.0F + 14.0F * static_cast<float>(i), 5, 20.0F + static_cast<float>(i)));
    }
  }
  auto decoder = make(test::paf_spec(coco18()));
  FrameResult result;
  result.poses.reserve(8);
  const auto run = [&](const Scene& scene) {
    const TensorView outputs[] = {test::as_tensor(scene.heatmaps, kHeight, kWidth),
                                  test::as_tensor(scene.pafs, kHeight, kWidth)};
    ASSERT_TRUE(decoder->run(outputs, test::whole_input(kWidth, kHeight), result));
  };
  run(scenes[1]);
  const std::size_t before = test::allocation_count();
  for (int round = 0; round < 3; ++round) {
    for (const Scene& scene : scenes) run(scene);
  }
  EXPECT_EQ(test::allocation_count() - before, 0U);
  EXPECT_EQ(result.poses.size(), 4U);
  EXPECT_GT(test::allocation_count(), 0U);
}

TEST(PafPostprocessor, ShapesThatDoNotFitAreNamed) {
  auto decoder = make(test::paf_spec(coco18()));
  const std::vector<float> values(38 * 6 * 8);
  const auto message = [&](const TensorView& heat, const TensorView& paf) {
    FrameResult result;
    result.poses.resize(1);
    const TensorView outputs[] = {heat, paf};
    const auto ran = decoder->run(outputs, test::whole_input(8, 6), result);
    EXPECT_TRUE(result.poses.empty());
    if (ran) return std::string("ran");
    EXPECT_EQ(ran.error().code, Errc::kModel);
    return ran.error().message;
  };
  const auto tensor = [&](Shape shape, DType type = DType::kF32) {
    return TensorView{reinterpret_cast<const std::byte*>(values.data()), type, shape};
  };
  const TensorView heat = tensor({1, 19, 6, 8});
  const TensorView paf = tensor({1, 38, 6, 8});
  EXPECT_EQ(message(heat, paf), "ran");
  EXPECT_THAT(message(tensor({1, 17, 6, 8}), paf), HasSubstr("output 'heat' is 1x17x6x8 f32"));
  EXPECT_THAT(message(heat, tensor({1, 37, 6, 8})), HasSubstr("output 'paf' is 1x37x6x8 f32"));
  EXPECT_THAT(message(heat, tensor({1, 38, 3, 8})), HasSubstr("1x38x3x8"));
  EXPECT_THAT(message(tensor({19, 6, 8}), paf), HasSubstr("19x6x8"));
  EXPECT_THAT(message(tensor({2, 19, 3, 8}), paf), HasSubstr("2x19x3x8"));
  EXPECT_THAT(message(tensor({1, 19, 6, 8}, DType::kF16), paf), HasSubstr("f16"));
  FrameResult result;
  const TensorView one[] = {heat};
  EXPECT_THAT(decoder->run(one, test::whole_input(8, 6), result).error().message, HasSubstr("'paf'"));
}

TEST(PafPostprocessor, OptionsOutOfRangeAreUsageErrors) {
  const ModelSpec spec = test::paf_spec(coco18());
  const auto code = [&](const DecodeOptions& options) {
    const auto made = spec.decoder->make(spec, options);
    return made ? std::optional<Errc>() : made.error().code;
  };
  EXPECT_EQ(code({}), std::nullopt);
  for (const float bad : {-0.1F, 1.1F, std::nanf("")}) {
    DecodeOptions options;
    options.threshold = bad;
    EXPECT_EQ(code(options), Errc::kUsage);
    options.threshold.reset();
    options.paf_threshold = bad;
    EXPECT_EQ(code(options), Errc::kUsage);
  }
  DecodeOptions options;
  options.smoothing_taps = -1;
  EXPECT_EQ(code(options), Errc::kUsage);
  options.smoothing_taps = kMaxTaps + 1;
  EXPECT_EQ(code(options), Errc::kUsage);
  options.smoothing_taps = kMaxTaps;
  EXPECT_EQ(code(options), std::nullopt);
  options.max_people = 0;
  EXPECT_EQ(code(options), Errc::kUsage);
}

TEST(PafPostprocessor, ModelsThatDoNotFitAreRefused) {
  ModelSpec spec = test::paf_spec(coco17());
  const auto message = [&] {
    const auto made = spec.decoder->make(spec, {});
    return made ? std::string("made") : made.error().message;
  };
  EXPECT_THAT(message(), HasSubstr("coco-18, body-25 or one"));
  spec.skeleton = nullptr;
  EXPECT_THAT(message(), HasSubstr("coco-18, body-25 or one"));
  spec.skeleton = find_skeleton("coco-18");
  EXPECT_EQ(message(), "made");
  auto decoder = test::decoder_of<PafDecoder>(spec);
  decoder.pafs.output = "none";
  test::set_decoder(spec, decoder);
  EXPECT_THAT(message(), HasSubstr("none"));
  decoder.pafs = {"paf", -1};
  test::set_decoder(spec, decoder);
  EXPECT_THAT(message(), HasSubstr("-1"));
  decoder.pafs = {"paf", 0};
  decoder.stride = 0;
  test::set_decoder(spec, decoder);
  EXPECT_THAT(message(), HasSubstr("stride"));
}

}  // namespace
}  // namespace posecam
