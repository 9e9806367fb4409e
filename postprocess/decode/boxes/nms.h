#pragma once
// Greedy non-maximum suppression, class by class or across them, and the total order that makes it independent of input
// order.

#include <cstddef>
#include <vector>

#include "models/spec/frame_result.h"

namespace posecam {

/// Best score first; equal scores by label and box, so that the order of candidates never shows in a result.
bool ranks_before(const Detection& a, const Detection& b);

/// Keeps of every class the best boxes, dropping those that overlap a better one of their class (`across_labels`: any
/// better one) by more than `iou_threshold` (in [0,1]), and at most `max_kept` in all. In place, best score first, no
/// allocation. Scores that are not finite are dropped. Quadratic in the worst case: bound `detections` first (see
/// DetectionCollector).
void nms(std::vector<Detection>& detections, float iou_threshold, std::size_t max_kept, bool across_labels = false);

}  // namespace posecam
