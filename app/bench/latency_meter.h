#pragma once
// How long frames take through an element, over an interval of the caller's choice.

#include <chrono>
#include <cstdint>
#include <deque>
#include <mutex>

#include <gst/gst.h>

#include "pipeline/engine/histogram.h"

namespace posecam {

/// Thread-safe. For elements that let every frame out again, in order.
class LatencyMeter {
 public:
  using Clock = std::chrono::steady_clock;

  /// Watches the pads "sink" and "src" of the element, which must not run longer than the meter lives.
  void watch(GstElement* element);

  /// A frame went in.
  void arrived(Clock::time_point when);
  /// The frame that has been in there longest; nothing if there is none.
  void left(Clock::time_point when);
  /// Forgets what it measured. Frames that are in there now count when they leave.
  void restart();
  /// In milliseconds, of the frames that left since restart().
  Histogram latencies() const;
  /// That left since restart().
  std::uint64_t frames() const;

 private:
  mutable std::mutex mutex_;
  std::deque<Clock::time_point> inside_;
  Histogram latencies_;
};

}  // namespace posecam
