#pragma once
// Accuracy as COCO measures it: average precision and recall over ten thresholds of OKS for keypoints
// (https://cocodataset.org/#keypoints-eval) and of IoU for boxes (https://cocodataset.org/#detection-eval). The figures
// are those of pycocotools' COCOeval; average_precision.h says where they are not.

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "models/core/result.h"
#include "postprocess/eval/coco_data.h"

namespace posecam {

/// One of the figures of COCO's challenges.
struct CocoFigure {
  std::string_view name;       ///< "AP", "AP50", ... "AR_large"
  bool precision = true;       ///< average precision, else average recall
  double similarity = 0;       ///< the threshold of OKS or IoU; 0: mean over 0.50:0.05:0.95
  std::string_view area;       ///< "all", "small" (up to 32^2 square pixels), "medium" (to 96^2), "large"
  std::size_t most_found = 0;  ///< of a category on an image, the best scores
};

/// In the order of pycocotools' stats: ten of keypoints, twelve of boxes.
std::span<const CocoFigure> coco_figures(CocoKind kind);

/// In [0,1], in the order of coco_figures(); -1 where nothing annotated counts.
using CocoStats = std::vector<double>;

/// Every image of the annotations counts, with results or without; results of categories that the annotations lack do
/// not. Both are of the kind that `annotations` say.
/// `sigmas`: one for each keypoint of a person (see keypoint_sigma()), the same for all categories; empty: by the names
/// of each category's keypoints. kMedia if a result names an image that the annotations lack, or has other keypoints
/// than its category; kUsage if there are not as many sigmas as keypoints.
Result<CocoStats> evaluate_coco(const CocoAnnotations& annotations, const std::vector<CocoResult>& results,
                                std::span<const double> sigmas = {});

/// Object keypoint similarity in [0,1] of a result with an annotated person; there are three values of each for every
/// sigma. Of a person without labelled keypoints: whether the result lies within twice the person's box.
double oks(const CocoObject& person, std::span<const double> found, std::span<const double> sigmas);

/// Intersection over union of two boxes x, y, width, height, about in [0,1] (it is not rounded to that); of a crowd:
/// the part of `found` that lies within it.
double coco_iou(const CocoObject& object, const CocoBox& found);

/// The sigmas of a category's keypoints by their names.
std::vector<double> sigmas_of(const CocoCategory& category);

/// The lines that pycocotools prints, one for each figure, each with its newline.
std::string coco_table(CocoKind kind, const CocoStats& stats);

}  // namespace posecam
