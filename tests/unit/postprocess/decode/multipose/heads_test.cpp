#include "postprocess/decode/multipose/heads.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace posecam {
namespace {

constexpr std::size_t kParts = 3;

/// Maps of 3 parts with noise in them; some of it, by `seed`, with few distinct values, so that there are ties.
struct Noise {
  Noise(std::uint32_t seed, int columns, int rows) : width(columns), height(rows) {
    std::mt19937 random(seed);
    const float steps = seed % 3 == 0 ? 4.0F : 65536.0F;
    const auto fill = [&](std::size_t channels, float low, float high) {
      std::vector<float> values(channels * static_cast<std::size_t>(columns) * static_cast<std::size_t>(rows));
      for (float& v : values) {
        const float share = std::floor(static_cast<float>(random() >> 8) / 16777216.0F * steps) / steps;
        v = low + (high - low) * share;
      }
      return values;
    };
    const float loud = seed % 2 == 0 ? 1.0F : 0.02F;  // where nothing is sure, parts are looked for far away
    centers = fill(1, 0, 1);
    regressions = fill(2 * kParts, -6, 6);
    heatmaps = fill(kParts, 0, loud);
    offsets = fill(2 * kParts, 0, 1);
    box_sizes = fill(2, -2, 20);
    box_offsets = fill(2, -1, 1);
  }

  Heads heads() const {
    const auto planes = static_cast<std::size_t>(width) * static_cast<std::size_t>(height);
    const auto map = [planes](const std::vector<float>& values) { return HeadMap{values.data(), 1, planes}; };
    return {map(centers),   map(regressions), map(heatmaps), map(offsets),
            map(box_sizes), map(box_offsets), width,         height};
  }

  int width;
  int height;
  std::vector<float> centers, regressions, heatmaps, offsets, box_sizes, box_offsets;
};

HeadPoint place_of(std::size_t cell, int width) {
  const auto columns = static_cast<std::size_t>(width);
  const std::size_t row = cell / columns;
  const std::size_t column = cell % columns;
  return {static_cast<float>(row), static_cast<float>(column)};
}

/// Where a part is, by looking at each cell of the map.
HeadPart everywhere(const Heads& heads, HeadPeople people, std::size_t part, HeadPoint near, HeadPoint from,
                    HeadPoint to) {
  const float variance = 0.30004883F * static_cast<float>(std::min(heads.width, heads.height));
  float best = 0;
  std::size_t found = 0;
  for (int y = 0; y < heads.height; ++y) {
    for (int x = 0; x < heads.width; ++x) {
      const auto row = static_cast<float>(y);
      const auto column = static_cast<float>(x);
      const bool inside = row >= from.y && row < to.y && column >= from.x && column < to.x;
      if (people == HeadPeople::kMany && !inside) continue;
      const std::size_t cell =
          static_cast<std::size_t>(y) * static_cast<std::size_t>(heads.width) + static_cast<std::size_t>(x);
      const float squared = (row - near.y) * (row - near.y) + (column - near.x) * (column - near.x);
      const float value = people == HeadPeople::kMany
                              ? heads.heatmaps.at(cell, part) * std::exp(-squared / variance)
                              : heads.heatmaps.at(cell, part) * (1 / (std::sqrt(squared) + 1.7998047F));
      if (value > best) {
        best = value;
        found = cell;
      }
    }
  }
  if (best <= 0) return {};
  const HeadPoint cell = place_of(found, heads.width);
  return {{cell.y + heads.offsets.at(found, 2 * part), cell.x + heads.offsets.at(found, 2 * part + 1)}, best};
}

std::size_t center_of(const Heads& heads, float probability) {
  const auto cells = static_cast<std::size_t>(heads.width) * static_cast<std::size_t>(heads.height);
  return static_cast<std::size_t>(std::find(heads.centers.data, heads.centers.data + cells, probability) -
                                  heads.centers.data);
}

TEST(HeadDecoder, FindsInWindowsWhatIsFoundByLookingEverywhere) {
  std::size_t compared = 0;
  for (std::uint32_t seed = 1; seed < 60; ++seed) {
    const int width = 1 + static_cast<int>(seed * 7 % 40);
    const int height = 1 + static_cast<int>(seed * 5 % 30);
    Noise noise(seed, width, height);
    const auto cells = static_cast<std::size_t>(width) * static_cast<std::size_t>(height);
    std::ranges::fill(noise.centers, 0.0F);
    const std::size_t center = seed * 13 % cells;
    noise.centers[center] = 0.5F;
    const Heads heads = noise.heads();
    for (const HeadPeople people : {HeadPeople::kMany, HeadPeople::kOne}) {
      HeadDecoder decoder(people, kParts, 0, 1);
      const auto found = decoder.decode(heads);
      ASSERT_EQ(found.size(), 1U) << seed;
      const HeadPoint cell = place_of(center, width);
      for (std::size_t part = 0; part < kParts; ++part) {
        const HeadPoint near{cell.y + heads.regressions.at(center, 2 * part),
                             cell.x + heads.regressions.at(center, 2 * part + 1)};
        const HeadPart expected = everywhere(heads, people, part, near, found[0].box_from, found[0].box_to);
        EXPECT_EQ(found[0].parts[part].at.y, expected.at.y) << seed << ' ' << part;
        EXPECT_EQ(found[0].parts[part].at.x, expected.at.x) << seed << ' ' << part;
        compared += expected.score > 0 ? 1 : 0;
      }
    }
  }
  EXPECT_GT(compared, 200U);
}

TEST(HeadDecoder, TakesTheMostProbableCentresInOrder) {
  for (std::uint32_t seed = 1; seed < 10; ++seed) {
    const Noise noise(seed, 40, 30);
    const Heads heads = noise.heads();
    HeadDecoder all(HeadPeople::kMany, kParts, 0, 1000);
    const std::size_t count = all.decode(heads).size();
    ASSERT_GT(count, 10U);
    std::vector<HeadPoint> boxes;
    for (const HeadPerson& person : all.decode(heads)) boxes.push_back(person.box_from);
    HeadDecoder few(HeadPeople::kMany, kParts, 0, 6);
    const auto best = few.decode(heads);
    ASSERT_EQ(best.size(), 6U);
    for (std::size_t i = 0; i < 6; ++i) {
      EXPECT_EQ(best[i].box_from.y, boxes[i].y);
      EXPECT_EQ(best[i].box_from.x, boxes[i].x);
    }
    const float most = *std::ranges::max_element(noise.centers);
    const std::size_t first = center_of(heads, most);
    const float middle = place_of(first, 40).y + heads.box_offsets.at(first, 0);
    const float height = std::max(heads.box_sizes.at(first, 0), 0.0F);
    EXPECT_FLOAT_EQ(best[0].box_from.y, std::clamp(middle - height / 2, 0.0F, 30.0F));
  }
}

}  // namespace
}  // namespace posecam
