#pragma once
// The list of all decoders, and models read with it.

#include <span>
#include <string_view>

#include "models/core/result.h"
#include "models/spec/decoder_kind.h"
#include "models/spec/model_spec.h"

namespace posecam {

/// Every kind of decoder that a descriptor may name, in the order in which messages list them. Static storage.
std::span<const DecoderKind> decoders();

/// The model of that zoo name or descriptor's path (find_descriptor). kModel as there and as ModelSpec::load.
Result<ModelSpec> find_model(std::string_view name_or_path);

}  // namespace posecam
