#pragma once
// Networks that nobody publishes because they are made: where their shape counts and their answers do not.

#include <string_view>
#include <vector>

#include "models/model_spec.h"
#include "models/result.h"
#include "models/store.h"

namespace posecam {

/// Whether a model of the zoo is made, not pulled.
bool is_made(std::string_view model);

/// Makes the weights of a model, unless they are there, and brings them into the store: checked, locked and told as by
/// ModelStore::pull(). kUsage for models that are not made; kOutput if there is no room to
/// make them; and those of pull().
Result<std::vector<FileReport>> make_weights(const ModelStore& store, const ModelSpec& spec, PullOptions options);

}  // namespace posecam
