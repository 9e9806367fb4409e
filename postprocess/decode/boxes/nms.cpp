#include "postprocess/decode/boxes/nms.h"

#include <algorithm>
#include <cmath>
#include <tuple>

namespace posecam {

bool ranks_before(const Detection& a, const Detection& b) {
  const auto key = [](const Detection& d) {
    return std::tuple(-d.score, d.label_id, d.box.x, d.box.y, d.box.width, d.box.height);
  };
  return key(a) < key(b);
}

void nms(std::vector<Detection>& detections, float iou_threshold, std::size_t max_kept, bool across_labels) {
  std::erase_if(detections, [](const Detection& d) { return !std::isfinite(d.score); });
  std::sort(detections.begin(), detections.end(), ranks_before);

  std::size_t kept = 0;  // detections[0, kept) survive
  for (std::size_t i = 0; i < detections.size() && kept < max_kept; ++i) {
    const Detection& candidate = detections[i];
    const auto survivors_end = detections.begin() + static_cast<std::ptrdiff_t>(kept);
    const bool hidden = std::any_of(detections.begin(), survivors_end, [&](const Detection& better) {
      return (across_labels || better.label_id == candidate.label_id) && iou(better.box, candidate.box) > iou_threshold;
    });
    if (!hidden) detections[kept++] = candidate;
  }
  detections.resize(kept);
}

}  // namespace posecam
