#pragma once
// SimCC (Li et al. 2022, "SimCC: a Simple Coordinate Classification Perspective for Human Pose Estimation"), as RTMPose
// has it: a row of bins for the x of each part, another for its y.

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "models/spec/json_reader.h"
#include "postprocess/decode/decoder.h"

namespace posecam {

/// Reads 1 x parts x (ratio * input width) and 1 x parts x (ratio * input height). A coordinate is the highest bin /
/// ratio, in input pixels. A part whose score is 0 or less is not found; the person's score is the mean of those of the
/// parts that are. At most one person; places outside the image as OnePerson::add says.
struct SimccDecoder final : Decoder {
  /// How two maxima become one score.
  enum class Score : std::uint8_t {
    kSmaller,  ///< the smaller one: MMPose
    kMean,     ///< their mean: rtmlib
  };
  std::string x;                  ///< output of the horizontal bins
  std::string y;                  ///< output of the vertical ones
  float ratio = 2;                ///< bins per input pixel: simcc_split_ratio of MMPose, 2 in RTMPose
  Score score = Score::kSmaller;  ///< of a keypoint
  float threshold = 0.3F;         ///< least score of a keypoint; what MMPose's demos draw from (kpt_thr)

  /// As DecoderKind::read.
  static std::shared_ptr<const Decoder> read(const JsonNode& section, std::span<const std::string> outputs);
  std::string describe() const override;
  /// kModel: no skeleton, an unknown output. kUsage: a threshold outside [0,1], max_people below 1.
  Result<std::unique_ptr<Postprocessor>> make(const ModelSpec& spec, const DecodeOptions& options) const override;
};

}  // namespace posecam
