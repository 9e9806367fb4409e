#pragma once
// SSD (Liu et al. 2016), as Caffe's and OpenVINO's DetectionOutput layer leaves it: boxes decoded, a list per image.

#include <memory>

#include "models/core/result.h"
#include "models/spec/model_spec.h"
#include "postprocess/decode/postprocessor.h"

namespace posecam {

/// Decodes 1x1xNx7: rows of (image, label, confidence, x0, y0, x1, y1), corners normalised to the network input; a
/// negative image ends the list. The label is an index into the model's labels (with "background" as 0 where the
/// network counts it); rows with other labels are dropped.
/// DetectionOutput joins all images of a batch in one list, so such a list is no tensor row of a frame: these models
/// run with batch 1, and rows of other images than 0 are dropped.
/// kModel: unknown output, no labels, batch above 1. kUsage: thresholds outside [0,1].
Result<std::unique_ptr<Postprocessor>> make_ssd_postprocessor(const ModelSpec& spec, const SsdDecoder& decoder,
                                                              const DecodeOptions& options);

}  // namespace posecam
