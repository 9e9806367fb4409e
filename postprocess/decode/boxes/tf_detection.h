#pragma once
// What TensorFlow's Object Detection API exports (SSD, Faster R-CNN, EfficientDet): four outputs, all done in the
// network.

#include <memory>
#include <span>
#include <string>

#include "models/spec/json_reader.h"
#include "postprocess/decode/boxes/box_rules.h"
#include "postprocess/decode/decoder.h"

namespace posecam {

/// Reads boxes 1xNx4 (ymin, xmin, ymax, xmax; 0..1 of the network's input), classes 1xN, scores 1xN and a count of one
/// value, in whatever order the network has them. Rows from the count on are padding; so are those whose class has no
/// label. Suppression is in the network, so nms_threshold is 1 (no more of it) unless it is set. N is fixed: graphs
/// that suppress in loops of no fixed length, or give as many rows as they find, run on no device.
struct TfDetectionDecoder final : Decoder {
  std::string boxes;    ///< names of the outputs
  std::string classes;  ///< likewise
  std::string scores;   ///< likewise
  std::string count;    ///< likewise
  int first_class = 1;  ///< class of label 0: 1 in frozen graphs and saved models, 0 in TensorFlow Lite
  BoxRules rules{.nms_threshold = 1, .max_detections = 100};

  /// As DecoderKind::read.
  static std::shared_ptr<const Decoder> read(const JsonNode& section, std::span<const std::string> outputs);
  std::string describe() const override;
  /// kModel: unknown output, no labels. kUsage: thresholds outside [0,1].
  Result<std::unique_ptr<Postprocessor>> make(const ModelSpec& spec, const DecodeOptions& options) const override;
};

}  // namespace posecam
