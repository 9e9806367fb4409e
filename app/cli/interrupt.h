#pragma once
// Ctrl-C as a stop that a command can ask for, wait for, or be called at.

#include <csignal>
#include <stop_token>

namespace posecam {

/// From now on the first SIGINT or SIGTERM requests the stop of the token that is returned; its callbacks run on a
/// thread of their own. The next of either ends the process: as the system does it, or as `again` says, which must be
/// safe in a signal handler. One per process: a second call returns the same token.
std::stop_token watch_interrupts(void (*again)(int) = SIG_DFL);

}  // namespace posecam
