#pragma once
// posecam run: inputs -> people -> annotated video and JSON.

#include <string>
#include <vector>

namespace posecam {

/// `args` without program and command name. Results go to stdout where asked for (-), all else to stderr. Returns the
/// exit code.
int run_command(const std::vector<std::string>& args);

}  // namespace posecam
