#pragma once
// SSD in front of its post-processing: a box for each anchor, encoded, and a score for each label. What TensorFlow
// Lite's detection operator gets (TFLite_Detection_PostProcess), and what compilers for accelerators are given.

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "models/spec/json_reader.h"
#include "postprocess/decode/boxes/box_rules.h"
#include "postprocess/decode/boxes/ssd_anchors.h"
#include "postprocess/decode/decoder.h"
#include "postprocess/decode/section.h"

namespace posecam {

/// Reads boxes 1 x anchors x 4 (y, x, height, width, encoded) and scores 1 x anchors x classes. With an anchor (ax, ay,
/// aw, ah): centre = y / scale[0] * ah + ay, x / scale[1] * aw + ax; extent = exp(h / scale[2]) * ah, exp(w / scale[3])
/// * aw (Ren et al. 2015, as the API's faster_rcnn_box_coder has it). One label an anchor, the best.
struct SsdRawDecoder final : Decoder {
  enum class Values : std::uint8_t { kLogits, kProbabilities };  ///< logits still want a sigmoid
  std::string boxes;                                             ///< name of the output
  ChannelRange scores;  ///< `first`: value of label 0; these networks have "background" before it
  Values values = Values::kProbabilities;
  SsdAnchorRule anchors;
  std::array<float, 4> box_scales{10, 10, 5, 5};  ///< of y, x, height, width
  BoxRules rules{.nms_threshold = 0.6F, .max_detections = 100};

  /// As DecoderKind::read.
  static std::shared_ptr<const Decoder> read(const JsonNode& section, std::span<const std::string> outputs);
  std::string describe() const override;
  /// kModel: unknown output, no labels, more than a million anchors. kUsage: thresholds outside [0,1].
  Result<std::unique_ptr<Postprocessor>> make(const ModelSpec& spec, const DecodeOptions& options) const override;
};

}  // namespace posecam
