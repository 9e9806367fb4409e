#pragma once
// Ctrl-C as a stop that a command can ask for, wait for, or be called at.

#include <stop_token>

namespace posecam {

/// First thing in main(): until watch_interrupts() SIGINT and SIGTERM end the process at once, with the exit code of
/// kCancelled. Also where whoever started it had them ignored, as scripts do with what they leave in the background.
void leave_when_interrupted();

/// From now on the first of them requests the stop of the token that is returned; its callbacks run on a thread of
/// their own. The next of either ends the process at once. One per process: a second call returns the same token.
std::stop_token watch_interrupts();

}  // namespace posecam
