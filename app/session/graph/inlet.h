#pragma once
// Where decoded frames enter: counted, with times that rise and durations, upright, and no more of them than were asked
// for.

#include <atomic>
#include <cstdint>

#include <gst/gst.h>

#include "app/session/graph/builder.h"

namespace posecam {

/// What passes between source and network. Written by streaming threads, read by any.
struct Gate {
  std::uint64_t limit = 0;                                    ///< frames to let through; 0: all
  std::atomic<std::uint64_t> arrived = 0;                     ///< from the source
  std::atomic<std::uint64_t> frames = 0;                      ///< let through so far
  std::atomic<std::uint64_t> dropped = 0;                     ///< of a live source: older than what could wait
  std::atomic<std::int64_t> last_arrival_us = 0;              ///< monotonic time, 0 before
  std::atomic<std::int64_t> first_frame_us = 0;               ///< monotonic time, 0 before
  std::atomic<double> fps = 0;                                ///< of the clip, 0 if unknown
  std::atomic<GstClockTime> last_time = GST_CLOCK_TIME_NONE;  ///< running time of the last frame, ns
  std::atomic<bool> ended = false;                            ///< the end has passed, behind the last frame
  std::atomic<bool> live = false;                             ///< frames come at their own pace

  // The streaming thread behind the queue.
  GstSegment segment{};
  GstClockTime step = GST_CLOCK_TIME_NONE;  ///< between the last two frames
  unsigned standing = 0;                    ///< frames in a row whose times did not rise
  std::uint64_t last_number = 0;            ///< of the last frame, from 1
};

/// The inlet of a pipeline behind `build.last`, if that is known yet. Returns its first element, nullptr if it could
/// not be made. `may_be_turned`: frames lie on their side when a tag says so. `gate` outlives the pipeline.
GstElement* add_inlet(Builder& build, bool may_be_turned, Gate& gate);

/// A live source does not wait: what the network is too slow for is dropped, the oldest first, and counted. Before any
/// frame has come.
void make_live(GstElement* inlet, Gate& gate);

/// True if the next frame would have come through by now, had the source sent one: none waits.
bool is_starving(GstElement* inlet);

}  // namespace posecam
