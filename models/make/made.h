#pragma once
// Networks that nobody publishes because they are made: where their shape counts and their answers do not.

#include <string>

#include "models/spec/model_spec.h"

namespace posecam {

/// Gives the bytes of the one file of a network's weights: the same at every call, on every machine.
using Maker = std::string (*)();

/// Of a model of the zoo whose weights are made; null if they are pulled, or the descriptor is somebody's own.
Maker find_maker(const ModelSpec& spec);

}  // namespace posecam
