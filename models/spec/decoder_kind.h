#pragma once
// What reading a descriptor needs to know of the decoders, which are further right (postprocess/decode): the list of
// them is handed in.

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "models/spec/json_reader.h"
#include "models/spec/model_spec.h"

namespace posecam {

/// One way of reading outputs, as descriptors name it.
struct DecoderKind {
  std::string_view name;  ///< "kind" in the decoder section
  Task task;              ///< of the models that may have it
  /// Reads the decoder section of a model with these outputs. Problems go to the node's document; never null.
  std::shared_ptr<const Decoder> (*read)(const JsonNode& section, std::span<const std::string> outputs);
};

}  // namespace posecam
