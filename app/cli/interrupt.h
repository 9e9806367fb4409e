#pragma once
// Ctrl-C for commands that look now and then whether it came.

#include <atomic>

namespace posecam {

/// From now on the first SIGINT and the first SIGTERM make this true; the second of either ends the process as it does
/// by default.
const std::atomic<bool>& watch_interrupts();

}  // namespace posecam
