#pragma once
// FastestDet (dog-qiuqiu): one box for each cell of a single grid.

#include <memory>
#include <span>
#include <string>

#include "models/spec/json_reader.h"
#include "postprocess/decode/boxes/box_rules.h"
#include "postprocess/decode/decoder.h"

namespace posecam {

/// Reads 1 x (1 + 4 + labels) x h x w: objectness (sigmoid applied), x, y, width, height, and the labels' scores
/// (softmax applied). As the project's own demos have it: score = objectness^0.6 * best label^0.4, centre =
/// ((column + tanh x) / w, (row + tanh y) / h), extent = sigmoid(width), sigmoid(height), as shares of the input.
struct FastestDetDecoder final : Decoder {
  std::string output;                                          ///< name of the tensor
  BoxRules rules{.threshold = 0.65F, .nms_threshold = 0.45F};  ///< of the project's demos

  /// As DecoderKind::read.
  static std::shared_ptr<const Decoder> read(const JsonNode& section, std::span<const std::string> outputs);
  std::string describe() const override;
  /// kModel: unknown output, no labels. kUsage: thresholds outside [0,1].
  Result<std::unique_ptr<Postprocessor>> make(const ModelSpec& spec, const DecodeOptions& options) const override;
};

}  // namespace posecam
