#pragma once
// A decoder as a value: what a descriptor says of how a network's outputs are read.

#include <memory>
#include <string>

#include "models/core/result.h"
#include "models/spec/model_spec.h"
#include "postprocess/decode/postprocessor.h"

namespace posecam {

/// The decoder section of one descriptor. A family derives its own with its parameters; immutable once a ModelSpec has
/// it, so any thread may use it.
struct Decoder {
  virtual ~Decoder() = default;

  /// For people, in one line that starts with the kind: "ssd: boxes, threshold 0.5, NMS at IoU 0.45".
  virtual std::string describe() const = 0;
  /// What works for one worker. `spec` is the model that has this decoder, with the input size that
  /// will run. kModel when they do not fit together, kUsage
  /// for options out of range.
  virtual Result<std::unique_ptr<Postprocessor>> make(const ModelSpec& spec, const DecodeOptions& options) const = 0;
};

}  // namespace posecam
