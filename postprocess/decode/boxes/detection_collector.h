#pragma once
// What every box decoder does once it has a box and a score: map, clip, bound, suppress, publish.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "models/core/geometry.h"
#include "models/core/result.h"
#include "models/spec/frame_result.h"

namespace posecam {

/// Corners of a box; unit and frame of reference are the caller's.
struct Corners {
  float x0 = 0;
  float y0 = 0;
  float x1 = 0;
  float y1 = 0;
};

/// The part of a box in network input pixels that is in the image. Empty if there is none, or if it is not finite.
std::optional<Box> visible_box(const Corners& box, const Letterbox& letterbox);

/// Collects the candidates of one frame. Memory is fixed at construction, whatever the network says: of more than
/// kMaxCandidates the best kMaxCandidates are kept, so that suppression costs at most their square (0.5 M overlaps).
/// Boxes are clipped before they suppress one another; published post-processing often suppresses them as they are, so
/// at the edge of the image, where clipped boxes overlap otherwise, it may keep one more or one less.
class DetectionCollector {
 public:
  static constexpr std::size_t kMaxCandidates =
      1000;  ///< before suppression; torchvision's pre-NMS default is the same

  /// `nms_threshold`: the most IoU of two boxes of a label that both stay (of any two, `across_labels`);
  /// `max_detections`: of a frame.
  DetectionCollector(float nms_threshold, int max_detections, bool across_labels = false);

  void clear() { candidates_.clear(); }  ///< before each frame

  /// Adds a box given in network input pixels. Clipped to the image; boxes that are empty then, and boxes and scores
  /// that are not finite, are dropped. Scores are limited to 1. `tag` is the caller's; finish() gives it back as the
  /// detection's id.
  void add(const Corners& box, float score, int label_id, const Letterbox& letterbox,
           std::optional<std::int64_t> tag = {});

  /// Suppresses and copies the survivors into `out`, best score first.
  void finish(std::vector<Detection>& out);

 private:
  void keep_best();

  float nms_threshold_;
  std::size_t max_detections_;
  bool across_labels_;
  std::vector<Detection> candidates_;
};

/// The user's threshold if there is one, else the model's; kUsage, naming `option`, outside [0,1].
Result<float> threshold_or(const std::optional<float>& user, float model, std::string_view option);

}  // namespace posecam
