#pragma once
// NanoDet: an anchor-free head whose distances to the sides are distributions (Li et al. 2020, "Generalized Focal
// Loss").

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "models/spec/json_reader.h"
#include "postprocess/decode/boxes/box_rules.h"
#include "postprocess/decode/decoder.h"

namespace posecam {

/// Reads, for the cells of each stride in row-major order, a score for each label (sigmoids applied) and 4 x (reg_max +
/// 1) values: for left, top, right and bottom a distribution over 0..reg_max, whose softmax's expectation times the
/// stride is the distance in input pixels from the cell's centre, (column + centre) * stride. Sides that a stride does
/// not divide end with a cell that begins within the input. Either outputs for each stride (NanoDet-m: `levels`),
/// scores 1 x cells x labels and distances 1 x cells x 4 (reg_max + 1), or one `output` 1 x all cells x (labels + 4
/// (reg_max + 1)) (NanoDet-Plus).
struct NanoDetDecoder final : Decoder {
  struct Level {
    int stride = 8;         ///< input pixels per cell
    std::string scores;     ///< name of the output
    std::string distances;  ///< likewise; the same where there is one for all
  };
  std::vector<Level> levels;  ///< in the order of the cells
  bool joined = false;        ///< one output for all
  int reg_max = 7;            ///< NanoDet-m at 416: 10
  float centre = 0.5F;        ///< of a cell, in cells; NanoDet-Plus: 0
  BoxRules rules{.threshold = 0.4F, .nms_threshold = 0.6F, .max_detections = 100};  ///< its demo and its config

  /// As DecoderKind::read.
  static std::shared_ptr<const Decoder> read(const JsonNode& section, std::span<const std::string> outputs);
  std::string describe() const override;
  /// kModel: unknown output, no labels. kUsage: thresholds outside [0,1].
  Result<std::unique_ptr<Postprocessor>> make(const ModelSpec& spec, const DecodeOptions& options) const override;
};

}  // namespace posecam
