#pragma once
// What a run came to, per input, as it is printed at its end.

#include <string>
#include <vector>

#include "app/session/stats.h"

namespace posecam {

/// A few lines, the last one without newline: frames, people, FPS, stages, and the files that were `written`.
std::string format_summary(const std::string& input, const StreamStats& stats, const std::vector<std::string>& written);

}  // namespace posecam
