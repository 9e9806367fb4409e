#pragma once
// Names that parts of the program which do not know each other agree on.

namespace posecam {

/// A serialized custom event downstream: its source could not keep so many frames (kDroppedFrames, uint64) between the
/// frame before it and the one behind it.
inline constexpr const char* kDroppedEvent = "posecam-dropped";
inline constexpr const char* kDroppedFrames = "frames";

}  // namespace posecam
