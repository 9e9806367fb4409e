#pragma once
// posecam brings its own plugin: the one beside this program, whatever else is installed or cached.

#include <filesystem>

#include "models/core/result.h"

namespace posecam {

/// "libgstneuron.so" that belongs to the program at `executable`: ../lib/gstreamer-1.0 in the build tree, the library
/// folder of the installation (multiarch included) otherwise. Empty if there is none.
std::filesystem::path find_plugin(const std::filesystem::path& executable);

/// Loads that plugin of the running program in place of any other of its name. After gst_init. Without one of its own
/// the program takes what GStreamer finds; kUsage if that is nothing.
Result<void> load_plugin();

}  // namespace posecam
