#pragma once
// CenterNet ("Objects as Points", Zhou et al. 2019): an object is a peak of its class's heatmap.

#include <memory>
#include <optional>
#include <span>
#include <string>

#include "models/spec/json_reader.h"
#include "postprocess/decode/boxes/box_rules.h"
#include "postprocess/decode/decoder.h"

namespace posecam {

/// Reads one of two:
///   `detections`: 1xNx6 of x0, y0, x1, y1 in input pixels, score, label, where the network looks for peaks itself;
///   maps of hxw cells, NCHW: `heatmap` 1 x labels x h x w (sigmoids applied), `size` 1x2xhxw (width, height in cells),
///   `offset` 1x2xhxw (x, y of the centre in its cell). A peak is no less than its eight neighbours; the box is
///   (column + x, row + y) * stride +- (width, height) * stride / 2, stride = input / cells.
/// Peaks need no suppression by overlap, so nms_threshold is 1 (none) unless it is set.
struct CenterNetDecoder final : Decoder {
  struct Maps {
    std::string heatmap;  ///< names of the outputs
    std::string size;     ///< likewise
    std::string offset;   ///< likewise
  };
  std::string detections;    ///< name of the output, if there are no maps
  std::optional<Maps> maps;  ///< the raw heads
  BoxRules rules{.nms_threshold = 1, .max_detections = 100};

  /// As DecoderKind::read.
  static std::shared_ptr<const Decoder> read(const JsonNode& section, std::span<const std::string> outputs);
  std::string describe() const override;
  /// kModel: unknown output, no labels. kUsage: thresholds outside [0,1].
  Result<std::unique_ptr<Postprocessor>> make(const ModelSpec& spec, const DecodeOptions& options) const override;
};

}  // namespace posecam
