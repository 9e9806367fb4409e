#include "postprocess/eval/coco_eval.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <span>
#include <utility>

#include <fmt/format.h>

namespace posecam {
namespace {

constexpr std::size_t kThresholds = 10;
constexpr std::size_t kRecallPoints = 101;
constexpr std::size_t kMaxResults = 20;  // of an image
constexpr double kEpsilon = std::numeric_limits<double>::epsilon();

// Standard deviations of human annotators by keypoint, relative to the person's scale
// (cocodataset.org/#keypoints-eval).
constexpr std::array<double, 17> kSigmas{.026, .025, .025, .035, .035, .079, .079, .072, .072,
                                         .062, .062, .107, .107, .087, .087, .089, .089};

struct AreaRange {
  std::string_view name;
  double least = 0;
  double most = 0;
  bool contains(double area) const { return area >= least && area <= most; }
};
constexpr std::array<AreaRange, 3> kAreas{{{"all", 0, 1e10}, {"medium", 1024, 9216}, {"large", 9216, 1e10}}};

// i-th of n evenly spaced values, rounded as numpy.linspace does: whether an OKS or a recall just reaches a threshold
// depends on the last bit.
double spaced(double from, double to, std::size_t i, std::size_t n) {
  if (i + 1 == n) return to;
  return static_cast<double>(i) * ((to - from) / static_cast<double>(n - 1)) + from;
}
double threshold(std::size_t t) { return spaced(0.5, 0.95, t, kThresholds); }

// What became of one result at each threshold.
struct Judged {
  double score = 0;
  std::array<bool, kThresholds> matched{};
  std::array<bool, kThresholds> ignored{};
};

// One image and category.
struct Scene {
  std::vector<const CocoPerson*> people;
  std::vector<const CocoResult*> results;  ///< best score first, at most kMaxResults
  std::vector<double> oks;                 ///< results x people
};
using Scenes = std::map<std::pair<std::int64_t, std::int64_t>, Scene>;  ///< by category, then image

Result<Scenes> arrange(const CocoAnnotations& annotations, const std::vector<CocoResult>& results) {
  const auto known_image = [&](std::int64_t id) {
    const auto at = std::lower_bound(annotations.images.begin(), annotations.images.end(), id,
                                     [](const CocoImage& image, std::int64_t wanted) { return image.id < wanted; });
    return at != annotations.images.end() && at->id == id;
  };
  const auto known_category = [&](std::int64_t id) {
    return std::binary_search(annotations.categories.begin(), annotations.categories.end(), id);
  };
  Scenes scenes;
  for (const CocoPerson& person : annotations.people) {
    if (!known_image(person.image_id) || !known_category(person.category_id)) continue;
    scenes[{person.category_id, person.image_id}].people.push_back(&person);
  }
  for (const CocoResult& result : results) {
    if (!known_image(result.image_id)) {
      return Error{Errc::kMedia, fmt::format("image {} of the results is not in the annotations; give the annotations "
                                             "that the results were made for",
                                             result.image_id)};
    }
    if (known_category(result.category_id)) scenes[{result.category_id, result.image_id}].results.push_back(&result);
  }
  for (auto& [key, scene] : scenes) {
    std::stable_sort(scene.results.begin(), scene.results.end(),
                     [](const CocoResult* a, const CocoResult* b) { return a->score > b->score; });
    if (scene.results.size() > kMaxResults) scene.results.resize(kMaxResults);
    for (const CocoResult* result : scene.results) {
      for (const CocoPerson* person : scene.people) scene.oks.push_back(oks(*person, result->keypoints));
    }
  }
  return scenes;
}

// Greedy matching at one threshold: each result, best first, takes the person of the greatest OKS that is free. People
// in `order` come with those that count first; a result takes an ignored person only if none that counts fits.
void match(const Scene& scene, std::span<const std::size_t> order, const std::vector<bool>& ignored, std::size_t t,
           std::span<Judged> judged) {
  std::vector<bool> taken(scene.people.size(), false);
  constexpr auto kNone = std::numeric_limits<std::size_t>::max();
  for (std::size_t r = 0; r < scene.results.size(); ++r) {
    double best = std::min(threshold(t), 1 - 1e-10);
    std::size_t found = kNone;
    for (const std::size_t p : order) {
      if (taken[p] && !scene.people[p]->crowd) continue;
      if (found != kNone && !ignored[found] && ignored[p]) break;
      const double similarity = scene.oks[r * scene.people.size() + p];
      if (similarity < best) continue;
      best = similarity;
      found = p;
    }
    if (found == kNone) continue;
    taken[found] = true;
    judged[r].matched[t] = true;
    judged[r].ignored[t] = ignored[found];
  }
}

// Judges the results of a scene for one range of areas; returns how many people count.
std::size_t judge(const Scene& scene, const AreaRange& area, std::vector<Judged>& all) {
  std::vector<bool> ignored;
  for (const CocoPerson* person : scene.people) {
    ignored.push_back(person->crowd || !person->labelled || !area.contains(person->area));
  }
  std::vector<std::size_t> order(scene.people.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_partition(order.begin(), order.end(), [&](std::size_t p) { return !ignored[p]; });

  const std::size_t first = all.size();
  for (const CocoResult* result : scene.results) all.push_back({result->score, {}, {}});
  const std::span judged = std::span(all).subspan(first);
  for (std::size_t t = 0; t < kThresholds; ++t) {
    match(scene, order, ignored, t, judged);
    for (std::size_t r = 0; r < judged.size(); ++r) {
      if (!judged[r].matched[t] && !area.contains(scene.results[r]->area)) judged[r].ignored[t] = true;
    }
  }
  return static_cast<std::size_t>(std::count(ignored.begin(), ignored.end(), false));
}

// Means over thresholds (and categories, as they are added).
struct Curves {
  std::array<double, kThresholds> precision{};  ///< sums over categories of the mean of the recall points
  std::array<double, kThresholds> recall{};
  int categories = 0;
};

// `judged`: all results of a category, best score first.
void add_category(const std::vector<Judged>& judged, std::size_t people, Curves& curves) {
  ++curves.categories;
  std::vector<double> recall;
  std::vector<double> precision;
  for (std::size_t t = 0; t < kThresholds; ++t) {
    recall.clear();
    precision.clear();
    double right = 0;
    double wrong = 0;
    for (const Judged& j : judged) {
      if (!j.ignored[t]) (j.matched[t] ? right : wrong) += 1;
      recall.push_back(right / static_cast<double>(people));
      precision.push_back(right / (wrong + right + kEpsilon));
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

Curves measure(const Scenes& scenes, const AreaRange& area) {
  Curves curves;
  for (auto scene = scenes.begin(); scene != scenes.end();) {
    const std::int64_t category = scene->first.first;
    std::vector<Judged> judged;
    std::size_t people = 0;
    for (; scene != scenes.end() && scene->first.first == category; ++scene) {
      people += judge(scene->second, area, judged);
    }
    if (people == 0) continue;
    std::stable_sort(judged.begin(), judged.end(), [](const Judged& a, const Judged& b) { return a.score > b.score; });
    add_category(judged, people, curves);
  }
  return curves;
}

double figure_of(const Curves& curves, const CocoFigure& figure) {
  if (curves.categories == 0) return -1;
  const auto& values = figure.precision ? curves.precision : curves.recall;
  if (figure.oks > 0) {
    const auto t = static_cast<std::size_t>(std::lround((figure.oks - 0.5) / 0.05));
    return values[t] / curves.categories;
  }
  return std::accumulate(values.begin(), values.end(), 0.0) / (kThresholds * curves.categories);
}

}  // namespace

const std::array<CocoFigure, 10>& coco_figures() {
  static constexpr std::array<CocoFigure, 10> kFigures{{{"AP", true, 0, "all"},
                                                        {"AP50", true, 0.5, "all"},
                                                        {"AP75", true, 0.75, "all"},
                                                        {"AP_medium", true, 0, "medium"},
                                                        {"AP_large", true, 0, "large"},
                                                        {"AR", false, 0, "all"},
                                                        {"AR50", false, 0.5, "all"},
                                                        {"AR75", false, 0.75, "all"},
                                                        {"AR_medium", false, 0, "medium"},
                                                        {"AR_large", false, 0, "large"}}};
  return kFigures;
}

double oks(const CocoPerson& person, const CocoKeypoints& found) {
  const auto& box = person.bbox;
  const double x0 = box[0] - box[2], x1 = box[0] + 2 * box[2];
  const double y0 = box[1] - box[3], y1 = box[1] + 2 * box[3];
  const auto outside = [](double at, double low, double high) {
    return std::max(0.0, low - at) + std::max(0.0, at - high);
  };
  const auto& k = person.keypoints;
  bool visible = false;
  for (std::size_t i = 2; i < k.size(); i += 3) visible |= k[i] > 0;

  double sum = 0;
  int counted = 0;
  for (std::size_t i = 0; i < kSigmas.size(); ++i) {
    if (visible && !(k[3 * i + 2] > 0)) continue;
    const double x = found[3 * i];
    const double y = found[3 * i + 1];
    const double dx = visible ? x - k[3 * i] : outside(x, x0, x1);
    const double dy = visible ? y - k[3 * i + 1] : outside(y, y0, y1);
    const double variance = 4 * kSigmas[i] * kSigmas[i];
    sum += std::exp(-(dx * dx + dy * dy) / variance / (person.area + kEpsilon) / 2);
    ++counted;
  }
  return sum / counted;
}

Result<CocoStats> evaluate_coco(const CocoAnnotations& annotations, const std::vector<CocoResult>& results) {
  auto scenes = arrange(annotations, results);
  if (!scenes) return std::move(scenes).error();
  CocoStats stats{};
  for (const AreaRange& area : kAreas) {
    const Curves curves = measure(*scenes, area);
    for (std::size_t i = 0; i < stats.size(); ++i) {
      if (coco_figures()[i].area == area.name) stats[i] = figure_of(curves, coco_figures()[i]);
    }
  }
  return stats;
}

std::string coco_table(const CocoStats& stats) {
  std::string table;
  for (std::size_t i = 0; i < stats.size(); ++i) {
    const CocoFigure& f = coco_figures()[i];
    table += fmt::format(" {:<18} {} @[ IoU={:<9} | area={:>6} | maxDets={:>3} ] = {:0.3f}\n",
                         f.precision ? "Average Precision" : "Average Recall", f.precision ? "(AP)" : "(AR)",
                         f.oks > 0 ? fmt::format("{:0.2f}", f.oks) : "0.50:0.95", f.area, kMaxResults, stats[i]);
  }
  return table;
}

}  // namespace posecam
