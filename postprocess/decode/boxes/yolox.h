#pragma once
// YOLOX (Ge et al. 2021, "YOLOX: Exceeding YOLO Series in 2021"): anchor-free head, one prediction per grid cell.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "models/spec/json_reader.h"
#include "postprocess/decode/boxes/box_rules.h"
#include "postprocess/decode/decoder.h"

namespace posecam {

/// Reads 1 x cells x (4 + 1 + labels): per cell (x, y, w, h, objectness, classes...), sigmoids applied by the network,
/// cells in the order of `strides`, each grid row-major. Score = objectness * best class; one class per cell. Of more
/// than DetectionCollector::kMaxCandidates cells over the threshold the best are looked at.
/// With kPixels this is also the list of YOLOv5 and YOLOv7 (1 x N x 85), whose three anchors a cell make it three times
/// as long: "strides" then names each stride three times.
struct YoloxDecoder final : Decoder {
  /// Exports differ in whether the network itself has turned the box of a cell into pixels.
  enum class Boxes : std::uint8_t {
    kCells,   ///< centre = (x + column, y + row) * stride, extent = exp(w, h) * stride
    kPixels,  ///< centre and extent in input pixels
  };
  std::string output;                   ///< name of the tensor
  Boxes boxes = Boxes::kCells;          ///< what the four box values are
  std::vector<int> strides{8, 16, 32};  ///< input pixels per cell, of each grid
  BoxRules rules;

  /// As DecoderKind::read.
  static std::shared_ptr<const Decoder> read(const JsonNode& section, std::span<const std::string> outputs);
  std::string describe() const override;
  /// kModel: unknown output, no labels, strides that do not divide the input. kUsage: thresholds outside [0,1].
  Result<std::unique_ptr<Postprocessor>> make(const ModelSpec& spec, const DecodeOptions& options) const override;
};

}  // namespace posecam
