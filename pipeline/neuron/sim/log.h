#pragma once
// Lines on stderr in the manner of the real runtime, filtered by NEURON_RT_LOG_LEVEL.

#include <string_view>

#include <fmt/format.h>

namespace posecam::sim {

/// In rising order of talk: a line is written if its level is at most the one that was set.
enum class Level { kQuiet, kError, kWarn, kInfo, kDebug };

/// ERROR (also for words nobody knows), WARN, INFO, DEBUG, TRACE or QUIET.
Level parse_level(std::string_view text);
/// For the whole process. Any thread, as all of these.
void set_level(Level level);
/// Whether a line of that level is written.
bool enabled(Level level);
/// With time, process and thread, in one write; whatever the level that was set.
void write_line(Level level, std::string_view function, std::string_view message);
/// Formats and writes the line if its level is enabled. `function`: the C function that speaks.

template <class... Args>
void log(Level level, std::string_view function, fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(level)) write_line(level, function, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace posecam::sim
