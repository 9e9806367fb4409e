#pragma once
// What the name of an output leads to.

#include <string>

#include "models/core/result.h"

namespace posecam {

/// The file that `location` names by way of links, which is what gets written: else it would take the place of the
/// link. It need not be there. Names of devices and of descriptors (/dev/stdout) stay as they are. kUsage for a link of
/// neither this user nor root, which others lay where they may write, and for links that lead nowhere.
Result<std::string> follow_links(const std::string& location);

/// Whether it leads to a descriptor of a process, such as /dev/stdout and /dev/fd/3.
bool names_descriptor(const std::string& location);

}  // namespace posecam
