#pragma once
// The checksum that ties a file to its descriptor.

#include <filesystem>
#include <initializer_list>
#include <string>
#include <string_view>

#include "models/core/result.h"

namespace posecam {

/// SHA-256 of a file as 64 lower-case hex digits (about 10 ms for 16 MB). kModel if the file cannot be read.
Result<std::string> sha256_of(const std::filesystem::path& file);

/// Likewise of texts, one behind the other.
std::string sha256_of(std::initializer_list<std::string_view> texts);

}  // namespace posecam
