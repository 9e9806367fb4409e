#include "postprocess/decode/boxes/nanodet.h"

#include <cmath>

#include "tests/support/box_networks.h"
#include "tests/unit/postprocess/decode/boxes/decoded.h"

namespace posecam {
namespace {

constexpr float kNever = -100;  // logit of a distance that is not meant

/// reg_max 2: distances of 0, 1 or 2 cells, and their expectation.
NanoDetDecoder decoder(bool joined) {
  NanoDetDecoder nanodet;
  nanodet.levels = {{8, "a", joined ? "a" : "b"}, {16, joined ? "a" : "c", joined ? "a" : "d"}};
  nanodet.joined = joined;
  nanodet.reg_max = 2;
  return nanodet;
}

/// For left, top, right, bottom: 0 cells, 1 cell, 2 cells, and 0 or 1 alike.
const std::vector<float> kSides{0, kNever, kNever, kNever, 0, kNever, kNever, kNever, 0, 0, 0, kNever};

TEST(NanoDet, TakesTheExpectationOfEachDistance) {
  // 24x16: 3x2 cells of stride 8, 2x1 of stride 16 (the second begins within the input).
  const ModelSpec spec = test::detector_spec({24, 16}, 2, {"a", "b", "c", "d"});
  std::vector<float> scores(12, 0.F);
  std::vector<float> sides(72, 0.F);
  scores[4 * 2 + 1] = 0.9F;  // row 1, column 1: centre 12, 12
  std::ranges::copy(kSides, sides.begin() + 48);
  const auto found = test::decoded(decoder(false), spec,
                                   {{{1, 6, 2}, scores},
                                    {{1, 6, 12}, sides},
                                    {{1, 2, 2}, std::vector<float>(4, 0.F)},
                                    {{1, 2, 12}, std::vector<float>(24, 0.F)}});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].label_id, 1);
  EXPECT_FLOAT_EQ(found[0].score, 0.9F);
  test::expect_box(found[0].box, 12.F / 24, 4.F / 16, 12.F / 24, 12.F / 16);  // 12..28 and 4..16, clipped to 24
}

TEST(NanoDet, ReadsAllStridesFromOneOutput) {
  const ModelSpec spec = test::detector_spec({32, 16}, 2, {"a"});
  NanoDetDecoder plus = decoder(true);
  plus.centre = 0;
  std::vector<float> values((8 + 2) * 14, 0.F);
  const std::size_t row = 9;  // stride 16, column 1: centre 16, 0
  values[row * 14] = 0.8F;
  std::ranges::copy(kSides, values.begin() + static_cast<std::ptrdiff_t>(row * 14 + 2));
  const auto found = test::decoded(plus, spec, {{{1, 10, 14}, values}});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].label_id, 0);
  test::expect_box(found[0].box, 0.5F, 0, 0.5F, 0.5F);  // 16..48 and -16..8
}

TEST(NanoDet, PutsBoxesWhereTheLetterboxSays) {
  std::vector<float> values((8 + 2) * 14, 0.F);
  values[5 * 14] = 0.8F;  // stride 8, row 1, column 1: 4..20 and 4..20, as all distances are alike
  test::expect_follows_letterbox(decoder(true), test::detector_spec({32, 16}, 2, {"a"}), {{{1, 10, 14}, values}});
}

TEST(NanoDet, SurvivesAnyContentAndRefusesOptionsOutOfRange) {
  const ModelSpec joined = test::detector_spec({32, 16}, 2, {"a"});
  test::expect_survives_any_content(decoder(true), joined, {{{1, 10, 14}, std::vector<float>(140, 0.9F)}});
  const ModelSpec apart = test::detector_spec({32, 16}, 2, {"a", "b", "c", "d"});
  test::expect_survives_any_content(decoder(false), apart,
                                    {{{1, 8, 2}, std::vector<float>(16, 0.9F)},
                                     {{1, 8, 12}, std::vector<float>(96, 0.F)},
                                     {{1, 2, 2}, std::vector<float>(4, 0.9F)},
                                     {{1, 2, 12}, std::vector<float>(24, 0.F)}});
  test::expect_refuses_options_out_of_range(decoder(true), joined);
}

TEST(NanoDet, NamesTheCellsThatItExpects) {
  auto post = decoder(true).make(test::detector_spec({32, 16}, 2, {"a"}), {});
  ASSERT_TRUE(post);
  const TensorView view{nullptr, DType::kF32, {1, 9, 14}};
  EXPECT_EQ((*post)->check({&view, 1}).error().message,
            "nanodet: output 0 is 1x9x14 f32, expected 1x10x14 f32; check input size, strides, reg_max and labels of "
            "the descriptor");
}

}  // namespace
}  // namespace posecam
