#pragma once
// Lines on stderr in the manner of the real runtime, filtered by NEURON_RT_LOG_LEVEL.

#include <string_view>

#include <fmt/format.h>

namespace posecam::sim {

enum class Level { kQuiet, kError, kWarn, kInfo, kDebug };

/// ERROR (also for words nobody knows), WARN, INFO, DEBUG, TRACE or QUIET.
Level parse_level(std::string_view text);
void set_level(Level level);
bool enabled(Level level);
void write_line(Level level, std::string_view function, std::string_view message);

template <class... Args>
void log(Level level, std::string_view function, fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(level)) write_line(level, function, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace posecam::sim
