#pragma once
// Where the program's own data and the user's weights lie, without any environment variable being needed.

#include <filesystem>
#include <string_view>

#include "models/core/result.h"

namespace posecam {

/// "<prefix>/share/posecam", found by walking up from the file this code was loaded from: bin/posecam or
/// lib/gstreamer-1.0/libgstneuron.so, in a build tree or installed. Holds models/ (the zoo), schema/ and configs/.
Result<std::filesystem::path> share_dir();

/// The first parent of `start` that has share/posecam/models, with "share/posecam" appended.
Result<std::filesystem::path> find_share_dir(const std::filesystem::path& start);

/// "$XDG_DATA_HOME/posecam/models", else "~/.local/share/posecam/models" (XDG Base Directory 0.8: a relative value
/// is ignored). Need not exist yet.
Result<std::filesystem::path> default_store_dir();

/// "$XDG_CACHE_HOME/posecam/NAME", else "~/.cache/posecam/NAME" (XDG Base Directory 0.8: a relative value is ignored);
/// empty if there is neither. Need not exist yet.
std::filesystem::path cache_dir(std::string_view name);

/// Whether a descriptor of that path is one of the program's own.
bool in_zoo(const std::filesystem::path& descriptor);

}  // namespace posecam
