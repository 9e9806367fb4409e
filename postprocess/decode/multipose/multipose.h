#pragma once
// MoveNet (Google, 2021: MultiPose v1 and SinglePose v4; TensorFlow Hub's pages describe the outputs): people by their
// centres, from the network's maps or from the rows that its own post-processing makes of them.

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "models/spec/json_reader.h"
#include "postprocess/decode/decoder.h"
#include "postprocess/decode/multipose/heads.h"

namespace posecam {

/// Names of the outputs that are maps (Heads says what they hold), f32 of 1 x channels x height x width or
/// 1 x height x width x channels at 1/stride of the input.
struct HeadOutputs {
  std::string centers;
  std::string regressions;
  std::string heatmaps;
  std::string offsets;
  std::string box_sizes;    ///< empty for HeadPeople::kOne
  std::string box_offsets;  ///< likewise
};

/// A person's score is the network's (MultiPose) or the mean of the keypoints' (SinglePose: HeadPeople). Keypoints
/// outside the image are moved to its nearest edge when they are within `stride` input pixels of it (baked: 4,
/// MoveNet's stride), and dropped beyond; a person without any is dropped. MultiPose's people have their own boxes,
/// clipped to the image.
struct MultiposeDecoder final : Decoder {
  enum class Form : std::uint8_t {
    kBaked,  ///< 1 x people x (keypoints * (y, x, score), ymin, xmin, ymax, xmax, score), coordinates 0..1 of the input
    kHeads,  ///< the maps before that: any batch, and no limit of six people
  };
  Form form = Form::kBaked;
  std::string output;                     ///< baked: name of the tensor
  HeadOutputs heads;                      ///< heads: names of the tensors
  HeadPeople people = HeadPeople::kMany;  ///< heads
  Layout layout = Layout::kNchw;          ///< heads: order of their dimensions
  int stride = 4;                         ///< heads: input pixels per cell
  float threshold = 0.1F;                 ///< least score of a person
  float keypoint_threshold = 0;           ///< least score of a keypoint; 0: all that score at all
  int max_people = 30;                    ///< in a frame; 1 for HeadPeople::kOne

  /// As DecoderKind::read.
  static std::shared_ptr<const Decoder> read(const JsonNode& section, std::span<const std::string> outputs);
  std::string describe() const override;
  /// kModel: no skeleton, outputs the model lacks, a stride that does not divide the input. kUsage: thresholds outside
  /// [0,1], max_people below 1.
  Result<std::unique_ptr<Postprocessor>> make(const ModelSpec& spec, const DecodeOptions& options) const override;
};

}  // namespace posecam
