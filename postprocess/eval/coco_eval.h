#pragma once
// Accuracy of keypoints as COCO measures it: average precision and recall over ten thresholds of OKS.
// After https://cocodataset.org/#keypoints-eval; the details (ignored people, ties, interpolation, areas) follow
// pycocotools' COCOeval, whose figures these are. One fault of it is not followed: there, a person whose annotation
// has the id 0 is never counted as found.

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "models/core/result.h"
#include "postprocess/eval/coco_data.h"

namespace posecam {

/// One of the ten figures of COCO's keypoint challenge.
struct CocoFigure {
  std::string_view name;  ///< "AP", "AP50", ... "AR_large"
  bool precision = true;  ///< average precision, else average recall
  double oks = 0;         ///< the threshold; 0: mean over 0.50:0.05:0.95
  std::string_view area;  ///< "all", "medium" (32^2 to 96^2 square pixels), "large"
};

/// In the order of pycocotools' stats.
const std::array<CocoFigure, 10>& coco_figures();

/// In [0,1], in the order of coco_figures(); -1 where no annotated person counts.
using CocoStats = std::array<double, 10>;

/// At most 20 people an image, the best scores; every image of the annotations counts, with results or without.
/// kMedia if a result names an image that the annotations lack.
Result<CocoStats> evaluate_coco(const CocoAnnotations& annotations, const std::vector<CocoResult>& results);

/// Object keypoint similarity in [0,1] of a result with an annotated person. Of a person without labelled keypoints:
/// whether the result lies within twice the person's box.
double oks(const CocoPerson& person, const CocoKeypoints& found);

/// The ten lines that pycocotools prints, each with its newline.
std::string coco_table(const CocoStats& stats);

}  // namespace posecam
