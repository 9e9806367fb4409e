#include "postprocess/decode/paf/limb_score.h"

#include <algorithm>
#include <cmath>

#include "postprocess/decode/paf/gaussian.h"

namespace posecam {
namespace {

struct Direction {
  float x = 0;
  float y = 0;
  float length = 0;
};

Direction direction(const Peak& a, const Peak& b) {
  const float dx = b.x - a.x;
  const float dy = b.y - a.y;
  const float length = std::sqrt(dx * dx + dy * dy);
  return {dx / length, dy / length, length};
}

// Limbs longer than half the image are unlikely (pafprocess' distance prior).
float length_penalty(float map_height, float length) { return std::min(0.0F, 0.5F * map_height / length - 1.0F); }

// Whether the mean of the samples, less the penalty, makes a candidate. NaN and infinity do not.
bool passes(float score) { return score > 0 && score <= kSaneValue; }

// The middle of a wrong pair is where its PAF is least likely to agree, so these come first.
constexpr int kSampleOrder[kPafSamples] = {5, 4, 6, 3, 7, 2, 8, 1, 9, 0};

float pair_score(const PafField& paf, const Peak& a, const Direction& d, float threshold) {
  constexpr float kCell = 1.0F / kEnlargement;
  const float step = d.length / kPafSamples;
  const auto max_x = static_cast<float>(paf.width - 1);
  const auto max_y = static_cast<float>(paf.height - 1);
  float sum = 0;
  int below = 0;
  for (const int i : kSampleOrder) {
    const float along = step * static_cast<float>(i);
    const auto x = static_cast<int>(std::clamp((a.x + d.x * along + 0.5F) * kCell, 0.0F, max_x));
    const auto y = static_cast<int>(std::clamp((a.y + d.y * along + 0.5F) * kCell, 0.0F, max_y));
    const std::ptrdiff_t at = std::ptrdiff_t(y) * paf.width + x;
    const float dot = d.x * paf.x[at] + d.y * paf.y[at];
    sum += dot;
    if (!(dot > threshold) && ++below > kPafSamples - kPafMinAbove) return 0;
  }
  return sum / kPafSamples;
}

// The cell of the pixel nearest to `at`, which is never negative.
int nearest_cell(float at) {
  return static_cast<int>(at + 0.5F) / kEnlargement;  // as tf-pose rounds: NOLINT(bugprone-incorrect-roundings)
}

}  // namespace

void score_limbs_reference(const PafField& paf, std::span<const Peak> from, std::span<const Peak> to, float threshold,
                           std::vector<LimbCandidate>& candidates) {
  candidates.clear();
  for (std::size_t a = 0; a < from.size(); ++a) {
    for (std::size_t b = 0; b < to.size(); ++b) {
      const Direction d = direction(from[a], to[b]);
      if (d.length < 1e-12F) continue;
      const float step_x = (to[b].x - from[a].x) / kPafSamples;
      const float step_y = (to[b].y - from[a].y) / kPafSamples;
      float sum = 0;
      int above = 0;
      for (int i = 0; i < kPafSamples; ++i) {
        const int x = nearest_cell(from[a].x + static_cast<float>(i) * step_x);
        const int y = nearest_cell(from[a].y + static_cast<float>(i) * step_y);
        const std::ptrdiff_t at = std::ptrdiff_t(y) * paf.width + x;
        const float dot = d.x * paf.x[at] + d.y * paf.y[at];
        sum += dot;
        if (dot > threshold) ++above;
      }
      const float score = sum / kPafSamples + length_penalty(static_cast<float>(paf.height * kEnlargement), d.length);
      if (above < kPafMinAbove || !passes(score)) continue;
      candidates.push_back({static_cast<std::uint16_t>(a), static_cast<std::uint16_t>(b), score});
    }
  }
}

void score_limbs(const PafField& paf, std::span<const Peak> from, std::span<const Peak> to, float threshold,
                 std::vector<LimbCandidate>& candidates) {
  candidates.clear();
  for (std::size_t a = 0; a < from.size(); ++a) {
    for (std::size_t b = 0; b < to.size(); ++b) {
      const Direction d = direction(from[a], to[b]);
      if (d.length < 1e-3F) continue;
      const float score = pair_score(paf, from[a], d, threshold) +
                          length_penalty(static_cast<float>(paf.height * kEnlargement), d.length);
      if (!passes(score)) continue;
      candidates.push_back({static_cast<std::uint16_t>(a), static_cast<std::uint16_t>(b), score});
    }
  }
}

}  // namespace posecam
