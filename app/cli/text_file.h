#pragma once
// Small documents that a user names.

#include <filesystem>
#include <string>
#include <string_view>

#include "models/core/result.h"

namespace posecam {

/// A whole file of at most a megabyte. `what` says in messages what it should have been ("the prices"). Larger, no
/// file, cannot be read: kModel.
Result<std::string> read_text_file(const std::filesystem::path& path, std::string_view what);

}  // namespace posecam
