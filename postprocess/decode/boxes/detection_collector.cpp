#include "postprocess/decode/boxes/detection_collector.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "postprocess/decode/boxes/nms.h"

namespace posecam {

DetectionCollector::DetectionCollector(float nms_threshold, int max_detections, bool across_labels)
    : nms_threshold_(nms_threshold),
      max_detections_(static_cast<std::size_t>(std::max(max_detections, 0))),
      across_labels_(across_labels) {
  candidates_.reserve(2 * kMaxCandidates);
}

std::optional<Box> visible_box(const Corners& box, const Letterbox& letterbox) {
  const Point a = letterbox.to_image({box.x0, box.y0});
  const Point b = letterbox.to_image({box.x1, box.y1});
  if (!std::isfinite(a.x + a.y + b.x + b.y)) return {};
  const float x0 = std::clamp(a.x, 0.F, 1.F);
  const float y0 = std::clamp(a.y, 0.F, 1.F);
  const float x1 = std::clamp(b.x, 0.F, 1.F);
  const float y1 = std::clamp(b.y, 0.F, 1.F);
  if (!(x1 > x0 && y1 > y0)) return {};
  return Box{x0, y0, x1 - x0, y1 - y0};
}

void DetectionCollector::add(const Corners& box, float score, int label_id, const Letterbox& letterbox,
                             std::optional<std::int64_t> tag) {
  const auto visible = visible_box(box, letterbox);
  if (!visible || !std::isfinite(score)) return;
  if (candidates_.size() == 2 * kMaxCandidates) keep_best();
  candidates_.push_back({*visible, std::min(score, 1.F), label_id, tag});
}

// Halving a list of twice the bound costs O(1) per candidate on average, a heap O(log n).
void DetectionCollector::keep_best() {
  if (candidates_.size() <= kMaxCandidates) return;
  const auto bound = candidates_.begin() + static_cast<std::ptrdiff_t>(kMaxCandidates);
  std::nth_element(candidates_.begin(), bound, candidates_.end(), ranks_before);
  candidates_.resize(kMaxCandidates);
}

void DetectionCollector::finish(std::vector<Detection>& out) {
  keep_best();
  nms(candidates_, nms_threshold_, max_detections_, across_labels_);
  out.assign(candidates_.begin(), candidates_.end());
}

Result<float> threshold_or(const std::optional<float>& user, float model, std::string_view option) {
  const float value = user.value_or(model);
  if (value >= 0 && value <= 1) return value;
  return Error{user ? Errc::kUsage : Errc::kModel, fmt::format("{} is {}; give a number from 0 to 1", option, value)};
}

}  // namespace posecam
