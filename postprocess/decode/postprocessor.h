#pragma once
// Tensors of one frame -> people, objects or classes, as one worker does it.

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "models/core/geometry.h"
#include "models/core/result.h"
#include "models/core/tensor.h"
#include "models/spec/frame_result.h"

namespace posecam {

/// Thresholds a user may set over the model's own. Absent: the model's.
struct DecodeOptions {
  enum class Mode : std::uint8_t { kFast, kReference };
  Mode mode = Mode::kFast;             ///< PAF models: our decoder, or tf-pose's own steps
  int smoothing_taps = 0;              ///< PAF models: Gaussian taps; 0 = the model's own (reference: 25)
  std::optional<float> threshold;      ///< least score, 0 to 1: of a peak, a box or a class
  std::optional<float> paf_threshold;  ///< PAF models: least dot product of a sample with its limb, 0 to 1
  std::optional<float> nms_threshold;  ///< boxes: most IoU of two of a class, 0 to 1
  std::optional<int> max_people;       ///< pose models: in a frame, 1 or more
  std::vector<std::uint8_t> labels;    ///< objects and classes: for each label id whether it is told; empty: all are
};

/// What Decoder::make() makes. Owns the scratch of one decoder: one per worker thread, not shared; after the first
/// frames of a size it allocates nothing. The result depends on nothing but the arguments.
class Postprocessor {
 public:
  virtual ~Postprocessor() = default;

  /// kModel for shapes that run() would refuse. Looks at no content: for before the first frame.
  virtual Result<void> check(std::span<const TensorView> outputs) const = 0;

  /// `outputs` in the order of ModelSpec::outputs, each one row (batch dimension 1) of f32. Fills poses, detections
  /// or classes of `result` (clears all three, keeps their capacity) and leaves its other fields alone. Any content is
  /// safe: NaN and infinities count as nothing found; shapes that do not fit are kModel.
  virtual Result<void> run(std::span<const TensorView> outputs, const Letterbox& letterbox, FrameResult& result) = 0;
};

}  // namespace posecam
