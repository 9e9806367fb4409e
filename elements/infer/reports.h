#pragma once
// What the element tells the pipeline now and then: statistics, a core that is lost, frames that were refused, another
// latency than it said.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>

#include <gst/gst.h>

#include "elements/infer/infer_parts.h"

namespace posecam::gst {

/// The source pad's task, except where told.
class Reports {
 public:
  explicit Reports(InferParts& parts) : parts_(parts) {}

  /// Between states: the stream starts anew.
  void start();
  /// A frame goes out: now and then, looks whether there is something to tell.
  void see_frame();
  /// Tells what there is, and the statistics whatever the time.
  void end_stream();
  /// Any thread: the pipeline was told of this latency.
  void told_latency(GstClockTime latency) { told_latency_ = latency; }

 private:
  using Clock = std::chrono::steady_clock;
  void look();
  void tell_notes(const std::shared_ptr<Engine>& engine);
  void look_at_latency();
  void post_stats();

  InferParts& parts_;
  std::uint64_t frames_ = 0;
  std::uint64_t notes_ = 0;        ///< of the engine that were told
  std::weak_ptr<Engine> told_of_;  ///< which that was
  bool told_refusal_ = false;
  Clock::time_point stats_posted_;
  std::atomic<GstClockTime> told_latency_ = GST_CLOCK_TIME_NONE;
};

}  // namespace posecam::gst
