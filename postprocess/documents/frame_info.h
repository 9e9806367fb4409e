#pragma once
// Where a frame came from: what the writers of results need beside the FrameResult.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "models/core/geometry.h"

namespace posecam {

/// The texts are borrowed for the call it is passed to. Any bytes are allowed in them.
struct FrameInfo {
  std::string_view stream_id;  ///< the user's name of the stream, "cam1"
  std::uint64_t frame_id = 0;  ///< counts the frames of the stream from 0; of pictures, the place among all
  /// Stream time: where the frame lies in its clip; absent for still images and streams without times. 0 is where the
  /// container says that the clip begins, which need not be its first frame.
  std::optional<std::int64_t> pts_ns;
  std::int64_t start_ns = 0;  ///< likewise of the first frame, with which a written video begins
  std::uint64_t dropped = 0;  ///< frames of the stream that a live source lost before this one
  std::optional<std::chrono::system_clock::time_point> wallclock;  ///< when the frame was taken, as far as known
  Size size;                                                       ///< source pixels, both > 0
  std::string_view name;  ///< file name of the clip or image without folder and extension; empty for live sources
  std::string_view file;  ///< of a still image: its name, extension and all; empty: not known
  bool still = false;     ///< the frame is all of its file: OpenPose then names its output without a frame number
  std::optional<std::int64_t> image_id;  ///< for COCO results; absent: frame_id
};

}  // namespace posecam
