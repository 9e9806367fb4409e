#pragma once
// SSD (Liu et al. 2016), as Caffe's and OpenVINO's DetectionOutput layer leaves it: boxes decoded, a list per image.

#include <memory>
#include <span>
#include <string>

#include "models/spec/json_reader.h"
#include "postprocess/decode/boxes/box_rules.h"
#include "postprocess/decode/decoder.h"

namespace posecam {

/// Reads 1x1xNx7: rows of (image, label, confidence, x0, y0, x1, y1), corners normalised to the network input; a
/// negative image ends the list. The label is an index into the model's labels (with "background" as 0 where the
/// network counts it); rows with other labels are dropped.
/// DetectionOutput joins all images of a batch in one list, so such a list is no tensor row of a frame: these models
/// run with batch 1, and rows of other images than 0 are dropped.
struct SsdDecoder final : Decoder {
  std::string output;  ///< name of the list
  /// IoU and number: Liu et al. 2016, section 3.1; the threshold is posecam's own.
  BoxRules rules{.threshold = 0.5F, .nms_threshold = 0.45F, .max_detections = 200};

  /// As DecoderKind::read.
  static std::shared_ptr<const Decoder> read(const JsonNode& section, std::span<const std::string> outputs);
  std::string describe() const override;
  /// kModel: unknown output, no labels, batch above 1. kUsage: thresholds outside [0,1].
  Result<std::unique_ptr<Postprocessor>> make(const ModelSpec& spec, const DecodeOptions& options) const override;
};

}  // namespace posecam
