#pragma once
// The end of an engine whose device may hang while it is closed.

#include <chrono>
#include <memory>

#include "pipeline/engine/engine.h"

namespace posecam {

/// Gives one owner's part of an engine back, which may be null. kDevice: that ended the engine, and its device is not
/// closed within `limit`: it is left behind (Errand::any_left_behind()).
Result<void> let_go(std::shared_ptr<Engine> engine, std::chrono::milliseconds limit);

}  // namespace posecam
