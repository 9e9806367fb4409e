#pragma once
// The part of a descriptor that says how outputs are read.

#include <string>
#include <vector>

#include "models/spec/json_reader.h"
#include "models/spec/model_spec.h"

namespace posecam {

/// The decoder of a model for `task`, whose outputs have these names. Problems go to the node's document.
DecoderSpec read_decoder(const JsonNode& node, Task task, const std::vector<std::string>& outputs);

}  // namespace posecam
