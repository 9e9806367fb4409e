#pragma once
// What COCO's figures for keypoints and for boxes have in common: precision and recall over ten thresholds of a
// similarity (OKS or IoU), from what was annotated and what was found on each picture. The details (what is ignored,
// ties, interpolation) follow pycocotools' COCOeval. One fault of it is not followed: there, something whose annotation
// has the id 0 is never counted as found.

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

namespace posecam {

inline constexpr std::size_t kSimilarities = 10;  ///< thresholds: 0.50, 0.55, ... 0.95

/// Square pixels, both ends included.
struct AreaRange {
  std::string_view name;
  double least = 0;
  double most = 0;
  bool contains(double area) const { return area >= least && area <= most; }
};

/// Something annotated.
struct SceneTruth {
  double area = 0;       ///< square pixels
  bool crowd = false;    ///< takes any number of what was found, none of which counts
  bool ignored = false;  ///< neither to be found nor wrong to find, whatever its area
};

/// Something found.
struct SceneFound {
  double score = 0;  ///< ranks; any range
  double area = 0;   ///< square pixels
};

/// One picture and category.
struct Scene {
  std::vector<SceneTruth> truths;
  std::vector<SceneFound> found;   ///< best score first
  std::vector<double> similarity;  ///< found x truths
};
using Scenes = std::map<std::pair<std::int64_t, std::int64_t>, Scene>;  ///< by category, then picture

/// Sums over the categories in which something counts. Their number is the divisor of means.
struct Curves {
  std::array<double, kSimilarities> precision{};  ///< mean over 101 recalls, in [0,1] for each category
  std::array<double, kSimilarities> recall{};     ///< the highest, in [0,1] for each category
  int categories = 0;
};

/// Of what is found on a picture the first `most_found` of each category count; of areas those within the range.
Curves measure_curves(const Scenes& scenes, const AreaRange& area, std::size_t most_found);

}  // namespace posecam
