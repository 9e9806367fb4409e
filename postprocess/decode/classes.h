#pragma once
// Classification: a value for each class of the whole image -> the most probable classes.

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "models/spec/json_reader.h"
#include "postprocess/decode/decoder.h"
#include "postprocess/decode/section.h"

namespace posecam {

/// Reads one value for each class: (classes before the first label) + labels of them, in a tensor of any rank.
struct ClassDecoder final : Decoder {
  enum class Values : std::uint8_t { kLogits, kProbabilities };  ///< logits still want a softmax
  ChannelRange scores;  ///< `first`: value of label 0; TensorFlow's ImageNet networks have "background" before it
  Values values = Values::kLogits;  ///< what the tensor holds
  float scale = 1;                  ///< a logit for each step of the output: networks with integer outputs give steps
  float threshold = 0;              ///< least probability of a class that is told
  int top = 5;                      ///< most classes that are told

  /// As DecoderKind::read.
  static std::shared_ptr<const Decoder> read(const JsonNode& section, std::span<const std::string> outputs);
  std::string describe() const override;
  /// kModel: unknown output, no labels. kUsage: a threshold outside [0,1].
  Result<std::unique_ptr<Postprocessor>> make(const ModelSpec& spec, const DecodeOptions& options) const override;
};

}  // namespace posecam
