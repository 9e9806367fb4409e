#pragma once
// A short-lived helper program, without a shell.

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "models/core/result.h"

namespace posecam {

/// How much of its output is wanted.
enum class Until : std::uint8_t {
  kExit,     ///< all that it writes
  kOneLine,  ///< the first line; the program is ended then
};

/// What a program wrote to its standard output (at most 16 MiB; its standard error is dropped). `command`: its name,
/// looked for in PATH unless it has a slash, then its arguments. It is killed when the time is over. Blocks that long.
/// kDevice: it does not exist, failed, or took too long.
Result<std::string> read_tool(const std::vector<std::string>& command, std::chrono::milliseconds time, Until until);

}  // namespace posecam
