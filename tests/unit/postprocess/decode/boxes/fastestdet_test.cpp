#include "postprocess/decode/boxes/fastestdet.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "tests/support/box_networks.h"
#include "tests/unit/postprocess/decode/boxes/decoded.h"

namespace posecam {
namespace {

constexpr std::size_t kCells = 8;  // 4x2

FastestDetDecoder decoder() {
  FastestDetDecoder fastest;
  fastest.output = "a";
  return fastest;
}

ModelSpec spec() { return test::detector_spec({64, 32}, 2, {"a"}); }

TEST(FastestDet, DecodesACell) {
  std::vector<float> values(7 * kCells, 0.F);
  const std::size_t cell = 6;         // row 1, column 2
  values[cell] = 0.9F;                // objectness
  values[1 * kCells + cell] = 0.5F;   // x
  values[2 * kCells + cell] = -0.5F;  // y
  values[3 * kCells + cell] = 0;      // width: half the input
  values[4 * kCells + cell] = -1;     // height
  values[5 * kCells + cell] = 0.1F;
  values[6 * kCells + cell] = 0.8F;
  const auto found = test::decoded(decoder(), spec(), {{{1, 7, 2, 4}, values}});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].label_id, 1);
  EXPECT_NEAR(found[0].score, 0.858581F, 1e-5F);  // 0.9^0.6 * 0.8^0.4
  const float x = (2 + 0.4621172F) / 4;           // tanh .5
  const float y = (1 - 0.4621172F) / 2;
  const float height = 0.2689414F;  // sigmoid -1
  test::expect_box(found[0].box, x - 0.25F, y - height / 2, 0.5F - (x + 0.25F > 1 ? x + 0.25F - 1 : 0), height);
}

TEST(FastestDet, PutsBoxesWhereTheLetterboxSays) {
  std::vector<float> values(7 * kCells, 0.F);
  values[5] = 0.9F;               // objectness of row 1, column 1
  values[6 * kCells + 5] = 0.8F;  // of the second label
  test::expect_follows_letterbox(decoder(), spec(), {{{1, 7, 2, 4}, values}});
}

TEST(FastestDet, SurvivesAnyContentAndRefusesOptionsOutOfRange) {
  const std::vector<float> good(7 * kCells, 0.9F);
  test::expect_survives_any_content(decoder(), spec(), {{{1, 7, 2, 4}, good}});
  for (std::size_t channel = 0; channel < 7; ++channel) {
    for (const float v : {1e30F, -1e30F, std::numeric_limits<float>::quiet_NaN()}) {
      auto values = good;
      std::ranges::fill_n(values.begin() + static_cast<std::ptrdiff_t>(channel * kCells), kCells, v);
      for (const Detection& d : test::decoded(decoder(), spec(), {{{1, 7, 2, 4}, values}})) {
        EXPECT_TRUE(d.box.width > 0 && d.box.height > 0 && d.score > 0 && d.score <= 1) << channel << " " << v;
      }
    }
  }
  test::expect_refuses_options_out_of_range(decoder(), spec());
}

TEST(FastestDet, NamesTheShapeThatItExpects) {
  auto post = decoder().make(test::detector_spec({64, 32}, 80, {"a"}), {});
  ASSERT_TRUE(post);
  const TensorView view{nullptr, DType::kF32, {1, 7, 2, 4}};
  EXPECT_EQ((*post)->check({&view, 1}).error().message,
            "fastestdet: output 0 is 1x7x2x4 f32, expected 1x85xNxN f32; check the labels of the descriptor");
}

}  // namespace
}  // namespace posecam
