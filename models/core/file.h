#pragma once
// Whole files in memory.

#include <cstddef>
#include <filesystem>
#include <limits>
#include <string>

#include "models/core/result.h"

namespace posecam {

/// The bytes of a file or pipe. kModel if it cannot be read or has more than `most` bytes; the message is the reason
/// only ("No such file or directory", "larger than 1048576 bytes"): the caller says which file, what for, and the
/// remedy.
Result<std::string> read_file(const std::filesystem::path& path,
                              std::size_t most = std::numeric_limits<std::size_t>::max());

}  // namespace posecam
