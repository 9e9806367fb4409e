#pragma once
// YOLOX (Ge et al. 2021, "YOLOX: Exceeding YOLO Series in 2021"): anchor-free head, one prediction per grid cell.

#include <memory>

#include "models/core/result.h"
#include "models/spec/model_spec.h"
#include "postprocess/decode/postprocessor.h"

namespace posecam {

/// Decodes 1 x cells x (4 + 1 + labels): per cell (x, y, w, h, objectness, classes...), sigmoids applied by the
/// network, cells in the order of `decoder.strides`, each grid row-major. Boxes in cells: centre = (x + column,
/// y + row) * stride, extent = exp(w, h) * stride; boxes in pixels are centre and extent as they stand. Score =
/// objectness * best class; one class per cell. Of more than DetectionCollector::kMaxCandidates cells over the
/// threshold the best are looked at. kModel: unknown output, no labels, strides that do not divide the input.
/// kUsage: thresholds outside [0,1].
Result<std::unique_ptr<Postprocessor>> make_yolox_postprocessor(const ModelSpec& spec, const YoloxDecoder& decoder,
                                                                const DecodeOptions& options);

}  // namespace posecam
