#pragma once
// Part affinity fields (Cao et al. 2018) as a decoder: finds the channels, maps people into the image.

#include <memory>
#include <span>
#include <string>

#include "models/spec/json_reader.h"
#include "postprocess/decode/decoder.h"
#include "postprocess/decode/section.h"

namespace posecam {

/// Reads heatmaps and PAFs at 1/stride of the input, the channels of a skeleton in NCHW. A person's score is half of
/// tf-pose's (its mean heatmap value plus limb score a part, so up to about 2), within [0,1]. Keypoints in the padding
/// of the letterbox are moved to the nearest edge of the image when they are within half a heatmap cell of it, and
/// dropped beyond; a person without any is dropped.
struct PafDecoder final : Decoder {
  ChannelRange heatmaps;        ///< one a keypoint
  ChannelRange pafs;            ///< two a limb, as the skeleton numbers them
  int stride = 8;               ///< input pixels per cell
  float threshold = 0.05F;      ///< least heatmap value of a peak
  float paf_threshold = 0.05F;  ///< least dot product of a PAF sample with its limb
  int max_people = 127;         ///< in a frame
  int taps = 25;  ///< Gaussian on tf-pose's enlarged map that suits the network's maps; fewer keep more detail

  /// As DecoderKind::read.
  static std::shared_ptr<const Decoder> read(const JsonNode& section, std::span<const std::string> outputs);
  std::string describe() const override;
  /// kModel: no skeleton with PAF limbs, outputs the model lacks, a stride below 1. kUsage: thresholds outside [0,1],
  /// taps outside 0..kMaxTaps, max_people below 1.
  Result<std::unique_ptr<Postprocessor>> make(const ModelSpec& spec, const DecodeOptions& options) const override;
};

}  // namespace posecam
