#include "postprocess/eval/coco_eval.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <utility>

#include <fmt/format.h>

#include "postprocess/eval/average_precision.h"
#include "postprocess/eval/keypoint_names.h"

namespace posecam {
namespace {

constexpr std::size_t kMostPeople = 20;  // pycocotools' maxDets
constexpr std::size_t kMostObjects = 100;
constexpr std::array<AreaRange, 4> kAreas{
    {{"all", 0, 1e10}, {"small", 0, 1024}, {"medium", 1024, 9216}, {"large", 9216, 1e10}}};

constexpr std::array<CocoFigure, 10> kKeypointFigures{{{"AP", true, 0, "all", kMostPeople},
                                                       {"AP50", true, 0.5, "all", kMostPeople},
                                                       {"AP75", true, 0.75, "all", kMostPeople},
                                                       {"AP_medium", true, 0, "medium", kMostPeople},
                                                       {"AP_large", true, 0, "large", kMostPeople},
                                                       {"AR", false, 0, "all", kMostPeople},
                                                       {"AR50", false, 0.5, "all", kMostPeople},
                                                       {"AR75", false, 0.75, "all", kMostPeople},
                                                       {"AR_medium", false, 0, "medium", kMostPeople},
                                                       {"AR_large", false, 0, "large", kMostPeople}}};
constexpr std::array<CocoFigure, 12> kBoxFigures{{{"AP", true, 0, "all", kMostObjects},
                                                  {"AP50", true, 0.5, "all", kMostObjects},
                                                  {"AP75", true, 0.75, "all", kMostObjects},
                                                  {"AP_small", true, 0, "small", kMostObjects},
                                                  {"AP_medium", true, 0, "medium", kMostObjects},
                                                  {"AP_large", true, 0, "large", kMostObjects},
                                                  {"AR1", false, 0, "all", 1},
                                                  {"AR10", false, 0, "all", 10},
                                                  {"AR100", false, 0, "all", kMostObjects},
                                                  {"AR_small", false, 0, "small", kMostObjects},
                                                  {"AR_medium", false, 0, "medium", kMostObjects},
                                                  {"AR_large", false, 0, "large", kMostObjects}}};

std::size_t most_found(CocoKind kind) { return kind == CocoKind::kKeypoints ? kMostPeople : kMostObjects; }

// One image and category, before similarities.
struct Pair {
  std::vector<const CocoObject*> truths;
  std::vector<const CocoResult*> found;
};
using Pairs = std::map<std::pair<std::int64_t, std::int64_t>, Pair>;  // by category, then image

Result<Pairs> arrange(const CocoAnnotations& annotations, const std::vector<CocoResult>& results) {
  const auto known_image = [&](std::int64_t id) {
    return std::ranges::binary_search(annotations.images, id, {}, &CocoImage::id);
  };
  const auto known_category = [&](std::int64_t id) {
    return std::ranges::binary_search(annotations.categories, id, {}, &CocoCategory::id);
  };
  Pairs pairs;
  for (const CocoObject& object : annotations.objects) {
    if (!known_image(object.image_id) || !known_category(object.category_id)) continue;
    pairs[{object.category_id, object.image_id}].truths.push_back(&object);
  }
  for (const CocoResult& result : results) {
    if (!known_image(result.image_id)) {
      return Error{Errc::kMedia, fmt::format("image {} of the results is not in the annotations; give the annotations "
                                             "that the results were made for",
                                             result.image_id)};
    }
    if (known_category(result.category_id)) pairs[{result.category_id, result.image_id}].found.push_back(&result);
  }
  for (auto& [key, pair] : pairs) {
    std::ranges::stable_sort(pair.found, [](const auto* a, const auto* b) { return a->score > b->score; });
    pair.found.resize(std::min(pair.found.size(), most_found(annotations.kind)));
  }
  return pairs;
}

// `similarity` of a result with an annotation.
template <class Similarity>
Scene scene_of(const Pair& pair, Similarity similarity) {
  Scene scene;
  for (const CocoObject* truth : pair.truths) {
    scene.truths.push_back({truth->area, truth->crowd, truth->crowd || !truth->labelled});
  }
  for (const CocoResult* found : pair.found) {
    scene.found.push_back({found->score, found->area});
    for (const CocoObject* truth : pair.truths) scene.similarity.push_back(similarity(*truth, *found));
  }
  return scene;
}

Scenes box_scenes(const Pairs& pairs) {
  Scenes scenes;
  const auto similarity = [](const CocoObject& truth, const CocoResult& found) { return coco_iou(truth, found.bbox); };
  for (const auto& [key, pair] : pairs) scenes[key] = scene_of(pair, similarity);
  return scenes;
}

// For each category those that were given, or else its own.
using Sigmas = std::map<std::int64_t, std::vector<double>>;

Result<Sigmas> sigmas_by_category(const CocoAnnotations& annotations, std::span<const double> given) {
  Sigmas sigmas;
  for (const CocoCategory& category : annotations.categories) {
    const std::size_t keypoints = category.keypoint_count();
    if (!given.empty() && given.size() != keypoints) {
      return Error{Errc::kUsage, fmt::format("{} sigmas, but the category '{}' of the annotations has {} keypoints; "
                                             "give one for each",
                                             given.size(), category.name, keypoints)};
    }
    sigmas[category.id] = given.empty() ? sigmas_of(category) : std::vector<double>(given.begin(), given.end());
  }
  return sigmas;
}

Result<Scenes> keypoint_scenes(const CocoAnnotations& annotations, const Pairs& pairs, std::span<const double> given) {
  const auto by_category = sigmas_by_category(annotations, given);
  if (!by_category) return by_category.error();
  Scenes scenes;
  for (const auto& [key, pair] : pairs) {
    const std::vector<double>& sigmas = by_category->at(key.first);
    for (const CocoResult* found : pair.found) {
      if (found->keypoints.size() == 3 * sigmas.size()) continue;
      return Error{Errc::kMedia, fmt::format("a result of image {} has {} values of keypoints, where the annotations "
                                             "have {}; give the annotations that the results were made for",
                                             found->image_id, found->keypoints.size(), 3 * sigmas.size())};
    }
    scenes[key] = scene_of(
        pair, [&](const CocoObject& truth, const CocoResult& found) { return oks(truth, found.keypoints, sigmas); });
  }
  return scenes;
}

double figure_of(const Curves& curves, const CocoFigure& figure) {
  if (curves.categories == 0) return -1;
  const auto& values = figure.precision ? curves.precision : curves.recall;
  if (figure.similarity > 0) {
    const auto t = static_cast<std::size_t>(std::lround((figure.similarity - 0.5) / 0.05));
    return values[t] / curves.categories;
  }
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(kSimilarities) / curves.categories;
}

}  // namespace

std::span<const CocoFigure> coco_figures(CocoKind kind) {
  if (kind == CocoKind::kKeypoints) return kKeypointFigures;
  return kBoxFigures;
}

std::vector<double> sigmas_of(const CocoCategory& category) {
  std::vector<double> sigmas;
  for (const std::string& name : category.keypoints) sigmas.push_back(keypoint_sigma(name).value_or(kUnknownSigma));
  if (!sigmas.empty()) return sigmas;
  for (const auto& name : coco_keypoint_names()) sigmas.push_back(keypoint_sigma(name).value_or(kUnknownSigma));
  return sigmas;
}

double oks(const CocoObject& person, std::span<const double> found, std::span<const double> sigmas) {
  const CocoBox& box = person.bbox;
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
  for (std::size_t i = 0; i < sigmas.size(); ++i) {
    if (visible && !(k[3 * i + 2] > 0)) continue;
    const double x = found[3 * i];
    const double y = found[3 * i + 1];
    const double dx = visible ? x - k[3 * i] : outside(x, x0, x1);
    const double dy = visible ? y - k[3 * i + 1] : outside(y, y0, y1);
    const double variance = 4 * sigmas[i] * sigmas[i];
    sum += std::exp(-(dx * dx + dy * dy) / variance / (person.area + std::numeric_limits<double>::epsilon()) / 2);
    ++counted;
  }
  return sum / counted;
}

double coco_iou(const CocoObject& object, const CocoBox& found) {
  const CocoBox& truth = object.bbox;
  const double width = std::min(found[0] + found[2], truth[0] + truth[2]) - std::max(found[0], truth[0]);
  const double height = std::min(found[1] + found[3], truth[1] + truth[3]) - std::max(found[1], truth[1]);
  if (!(width > 0 && height > 0)) return 0;
  const double common = width * height;
  const double area = found[2] * found[3];
  return common / (object.crowd ? area : area + truth[2] * truth[3] - common);
}

Result<CocoStats> evaluate_coco(const CocoAnnotations& annotations, const std::vector<CocoResult>& results,
                                std::span<const double> sigmas) {
  const auto pairs = arrange(annotations, results);
  if (!pairs) return pairs.error();
  const bool keypoints = annotations.kind == CocoKind::kKeypoints;
  const auto scenes = keypoints ? keypoint_scenes(annotations, *pairs, sigmas) : Result<Scenes>(box_scenes(*pairs));
  if (!scenes) return scenes.error();
  CocoStats stats;
  std::map<std::pair<std::string_view, std::size_t>, Curves> known;  // by area, then most_found
  for (const CocoFigure& figure : coco_figures(annotations.kind)) {
    const auto [curves, fresh] = known.try_emplace({figure.area, figure.most_found});
    const auto area = std::ranges::find(kAreas, figure.area, &AreaRange::name);
    if (fresh) curves->second = measure_curves(*scenes, *area, figure.most_found);
    stats.push_back(figure_of(curves->second, figure));
  }
  return stats;
}

std::string coco_table(CocoKind kind, const CocoStats& stats) {
  std::string table;
  for (std::size_t i = 0; i < stats.size(); ++i) {
    const CocoFigure& f = coco_figures(kind)[i];
    table += fmt::format(" {:<18} {} @[ IoU={:<9} | area={:>6} | maxDets={:>3} ] = {:0.3f}\n",
                         f.precision ? "Average Precision" : "Average Recall", f.precision ? "(AP)" : "(AR)",
                         f.similarity > 0 ? fmt::format("{:0.2f}", f.similarity) : "0.50:0.95", f.area, f.most_found,
                         stats[i]);
  }
  return table;
}

}  // namespace posecam
