#pragma once
// What `posecam run` was asked for, as sessions.

#include <string>
#include <vector>

#include "app/commands/run_options.h"
#include "app/session/input/inputs.h"
#include "app/session/spec.h"
#include "models/core/result.h"

namespace posecam {

/// "out.mp4" for input "clip" of several: "out-clip.mp4". Standard output, devices and pipes have no such names.
std::string with_stem(const std::string& file, const std::string& name);

/// One for each input, with outputs named after it if there are several, and one model for all. Those of check_specs().
Result<std::vector<SessionSpec>> make_specs(RunOptions options, const std::vector<Input>& inputs);

}  // namespace posecam
