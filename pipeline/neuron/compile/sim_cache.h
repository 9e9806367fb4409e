#pragma once
// What the simulator compiles by itself: for a device that exists in software only, nobody should have to run a command
// first.

#include <filesystem>
#include <string>

#include "models/core/result.h"
#include "models/spec/model_spec.h"

namespace posecam {

/// The compiled descriptor of the model, at its resolution and batch, in a folder below `cache`, with its NEFF beside
/// it. Compiled where it is not there yet or damaged: `note` is then a line that says so, which the log has, too. Any
/// number of processes may ask for the same one; folders that were not used for the longest time go where all together
/// take too much. Blocks. `cache`: made for this user alone; who else may write to it could put any network there.
/// kModel, kOutput.
Result<ModelSpec> compiled_in_cache(const ModelSpec& spec, const std::filesystem::path& cache, std::string& note);

}  // namespace posecam
