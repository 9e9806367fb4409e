#pragma once
// Lines for people who run the program, on standard error: standard output belongs to results.

#include <spdlog/logger.h>

namespace posecam {

/// Thread-safe. Not spdlog's default logger, which writes to standard output and belongs to the application.
spdlog::logger& logger();

}  // namespace posecam
