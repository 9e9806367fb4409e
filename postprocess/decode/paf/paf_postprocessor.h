#pragma once
// The PAF decoders behind the Postprocessor interface: finds the channels, maps people into the image.

#include <memory>

#include "models/core/result.h"
#include "models/spec/model_spec.h"
#include "postprocess/decode/postprocessor.h"

namespace posecam {

/// A person's score is half of tf-pose's (its mean heatmap value plus limb score a part, so up to about 2), within
/// [0,1]. Keypoints in the padding of the letterbox are moved to the nearest edge of the image when they are within
/// half a heatmap cell of it, and dropped beyond; a person without any is dropped. kModel: no skeleton with PAF limbs,
/// outputs the model lacks, a stride below 1. kUsage: thresholds outside [0,1], taps outside 0..kMaxTaps,
/// max_people below 1.
Result<std::unique_ptr<Postprocessor>> make_paf_postprocessor(const ModelSpec& spec, const PafDecoder& decoder,
                                                              const DecodeOptions& options);

}  // namespace posecam
