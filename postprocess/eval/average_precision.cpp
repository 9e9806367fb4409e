#include "postprocess/eval/average_precision.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <span>

namespace posecam {
namespace {

constexpr std::size_t kRecallPoints = 101;

// i-th of n evenly spaced values, rounded as numpy.linspace does: whether a similarity or a recall just reaches a
// threshold depends on the last bit.
double spaced(double from, double to, std::size_t i, std::size_t n) {
  if (i + 1 == n) return to;
  return static_cast<double>(i) * ((to - from) / static_cast<double>(n - 1)) + from;
}
double threshold(std::size_t t) { return spaced(0.5, 0.95, t, kSimilarities); }

// What became of one that was found, at each threshold.
struct Judged {
  double score = 0;
  std::array<bool, kSimilarities> matched{};
  std::array<bool, kSimilarities> ignored{};
};

// Greedy matching at one threshold: each found, best first, takes the truth of the greatest similarity that is free.
// Truths in `order` come with those that count first; an ignored one is taken only if none that counts fits.
void match(const Scene& scene, std::span<const std::size_t> order, const std::vector<bool>& ignored, std::size_t t,
           std::span<Judged> judged) {
  std::vector<bool> taken(scene.truths.size(), false);
  constexpr auto kNone = std::numeric_limits<std::size_t>::max();
  for (std::size_t f = 0; f < judged.size(); ++f) {
    double best = std::min(threshold(t), 1 - 1e-10);
    std::size_t chosen = kNone;
    for (const std::size_t g : order) {
      if (taken[g] && !scene.truths[g].crowd) continue;
      if (chosen != kNone && !ignored[chosen] && ignored[g]) break;
      const double similarity = scene.similarity[f * scene.truths.size() + g];
      if (similarity < best) continue;
      best = similarity;
      chosen = g;
    }
    if (chosen == kNone) continue;
    taken[chosen] = true;
    judged[f].matched[t] = true;
    judged[f].ignored[t] = ignored[chosen];
  }
}

// Judges what was found on a scene for one range of areas; returns how many truths count.
std::size_t judge(const Scene& scene, const AreaRange& area, std::size_t most_found, std::vector<Judged>& all) {
  std::vector<bool> ignored;
  for (const SceneTruth& truth : scene.truths) ignored.push_back(truth.ignored || !area.contains(truth.area));
  std::vector<std::size_t> order(scene.truths.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_partition(order.begin(), order.end(), [&](std::size_t g) { return !ignored[g]; });

  const std::size_t first = all.size();
  const auto found = std::span(scene.found).first(std::min(most_found, scene.found.size()));
  for (const SceneFound& f : found) all.push_back({f.score, {}, {}});
  const std::span judged = std::span(all).subspan(first);
  for (std::size_t t = 0; t < kSimilarities; ++t) {
    match(scene, order, ignored, t, judged);
    for (std::size_t f = 0; f < judged.size(); ++f) {
      if (!judged[f].matched[t] && !area.contains(found[f].area)) judged[f].ignored[t] = true;
    }
  }
  return static_cast<std::size_t>(std::count(ignored.begin(), ignored.end(), false));
}

// `judged`: all that was found of a category, best score first; `truths`: how many count, at least one.
void add_category(const std::vector<Judged>& judged, std::size_t truths, Curves& curves) {
  ++curves.categories;
  std::vector<double> recall;
  std::vector<double> precision;
  for (std::size_t t = 0; t < kSimilarities; ++t) {
    recall.clear();
    precision.clear();
    double right = 0;
    double wrong = 0;
    for (const Judged& j : judged) {
      if (!j.ignored[t]) (j.matched[t] ? right : wrong) += 1;
      recall.push_back(right / static_cast<double>(truths));
      precision.push_back(right / (wrong + right + std::numeric_limits<double>::epsilon()));
    }
    for (std::size_t i = precision.size(); i-- > 1;) precision[i - 1] = std::max(precision[i - 1], precision[i]);
    double sum = 0;
    for (std::size_t p = 0; p < kRecallPoints; ++p) {
      const auto at = std::lower_bound(recall.begin(), recall.end(), spaced(0, 1, p, kRecallPoints));
      if (at != recall.end()) sum += precision[static_cast<std::size_t>(at - recall.begin())];
    }
    curves.precision[t] += sum / kRecallPoints;
    if (!recall.empty()) curves.recall[t] += recall.back();
  }
}

}  // namespace

Curves measure_curves(const Scenes& scenes, const AreaRange& area, std::size_t most_found) {
  Curves curves;
  for (auto scene = scenes.begin(); scene != scenes.end();) {
    const std::int64_t category = scene->first.first;
    std::vector<Judged> judged;
    std::size_t truths = 0;
    for (; scene != scenes.end() && scene->first.first == category; ++scene) {
      truths += judge(scene->second, area, most_found, judged);
    }
    if (truths == 0) continue;
    std::stable_sort(judged.begin(), judged.end(), [](const Judged& a, const Judged& b) { return a.score > b.score; });
    add_category(judged, truths, curves);
  }
  return curves;
}

}  // namespace posecam
