#pragma once
// What all decoders of boxes have in common: the rules of their sections, and the way from tensors to a list of
// objects.

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "models/spec/json_reader.h"
#include "postprocess/decode/boxes/detection_collector.h"
#include "postprocess/decode/decoder.h"

namespace posecam {

/// Which boxes of a frame are told; a user's DecodeOptions go first. The thresholds are those of YOLOX's demo
/// (demo/ONNXRuntime/onnx_inference.py), the number is Ultralytics' max_det.
struct BoxRules {
  float threshold = 0.3F;          ///< least score
  float nms_threshold = 0.45F;     ///< most IoU of two boxes that both stay; 1: none goes
  int max_detections = 300;        ///< in a frame
  bool nms_across_labels = false;  ///< boxes of other labels suppress one another, too
};

/// Of a section: threshold, nms_threshold, max_detections, nms_across_labels, each optional. `rules` keeps its own
/// values without them.
void read_box_rules(const JsonNode& section, BoxRules& rules);

/// "threshold 0.3, NMS at IoU 0.45": the end of what describe() says.
std::string describe(const BoxRules& rules);

/// What one worker needs to turn boxes and scores into a list.
struct BoxFinder {
  float threshold = 0;               ///< least score
  std::vector<std::uint8_t> wanted;  ///< for each label id whether its boxes are told
  DetectionCollector collector;

  /// Whether a box is told, whatever its values are: a label that the model has and the user wants, a score above 0 and
  /// not below the threshold. NaN is neither.
  bool takes(int label, float score) const {
    return label >= 0 && static_cast<std::size_t>(label) < wanted.size() &&
           wanted[static_cast<std::size_t>(label)] != 0 && score > 0 && score >= threshold;
  }
  /// The same of a label that stands in a tensor; its fraction is cut off.
  bool takes(float label, float score) const {
    return label >= 0 && label < static_cast<float>(wanted.size()) && takes(static_cast<int>(label), score);
  }
};

/// `kind` as messages call it. kModel: no labels. kUsage: thresholds outside [0,1].
Result<BoxFinder> make_box_finder(std::string_view kind, const ModelSpec& spec, const DecodeOptions& options,
                                  const BoxRules& rules);

/// The best of the scores of one place, one for each label.
struct BestLabel {
  int label = 0;
  float score = 0;  ///< 0: none is above it. NaN never wins
};
/// `scores` from label 0 on.
BestLabel best_label(std::span<const float> scores);

/// The same of places that lie side by side, in planes of one label each: planes are walked along, a block at a time.
class BestLabels {
 public:
  static constexpr std::size_t kPlaces = 256;  ///< of a block: 16 lines of each plane, 2 KiB for the best

  /// For `places` <= kPlaces from the first of `scores` on; label l of place p is at l * step + p.
  void find(std::span<const float> scores, std::size_t labels, std::size_t step, std::size_t places);
  BestLabel operator[](std::size_t place) const { return {static_cast<int>(labels_[place]), scores_[place]}; }

 private:
  std::array<float, kPlaces> scores_{};
  std::array<std::uint32_t, kPlaces> labels_{};
};

/// Largest logarithm of an extent that is followed: exp(10) = 22026 cells, or times an anchor, are beyond any input of
/// 4096 pixels. Keeps exp() finite and changes no box that is clipped later.
inline constexpr float kMaxLogExtent = 10;

/// Box by its centre and extent, in any unit.
inline Corners around(float x, float y, float width, float height) {
  return {x - width / 2, y - height / 2, x + width / 2, y + height / 2};
}

/// The steps of a Postprocessor that finds boxes; a family fills in what its tensors look like.
class BoxPostprocessor : public Postprocessor {
 public:
  explicit BoxPostprocessor(BoxFinder finder) : finder_(std::move(finder)) {}
  Result<void> run(std::span<const TensorView> outputs, const Letterbox& letterbox, FrameResult& result) final;

 protected:
  /// Adds the boxes of a frame whose tensors passed check().
  virtual void find(std::span<const TensorView> outputs, const Letterbox& letterbox, BoxFinder& finder) = 0;
  std::size_t labels() const { return finder_.wanted.size(); }  ///< of the model

 private:
  BoxFinder finder_;
};

/// kModel unless output `index` is f32 of that shape; -1 in `expected` is any extent. `kind` and `what` are for the
/// message, `remedy` its end.
Result<void> expect_output(std::span<const TensorView> outputs, std::size_t index,
                           std::initializer_list<std::int64_t> expected, std::string_view kind,
                           std::string_view remedy);

}  // namespace posecam
