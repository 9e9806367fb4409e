#pragma once
// Lines for people who run the program, on standard error: standard output belongs to results.

#include <functional>
#include <string_view>

#include <spdlog/logger.h>

namespace posecam {

/// Thread-safe. Not spdlog's default logger, which writes to standard output and belongs to the application.
spdlog::logger& logger();

/// From now on lines go there, without a prefix, instead of to standard error: for a host with a log of its own. Call
/// it before other threads log.
void log_to(std::function<void(spdlog::level::level_enum level, std::string_view line)> host);

}  // namespace posecam
