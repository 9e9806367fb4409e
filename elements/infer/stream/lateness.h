#pragma once
// Quality of service: from what the sink says of late frames to which ones are not worth analysing any more.

#include <cstdint>
#include <mutex>
#include <optional>

#include <gst/gst.h>

#include "models/core/own_mutex.h"

namespace posecam::gst {

/// Thread-safe. Running times in ns.
class Lateness {
 public:
  /// Forgets what was said: the stream starts anew.
  void reset() {
    std::lock_guard lock(mutex_);
    earliest_ = 0;
    done_ = 0;
    dropped_ = 0;
  }

  /// What downstream says in a QOS event. A sink that is late by some time will be late again unless that time is made
  /// up for, hence twice the lateness (as GstBaseTransform and the video decoders have it).
  void heed(GstEvent* qos) {
    GstQOSType type = GST_QOS_TYPE_UNDERFLOW;
    GstClockTimeDiff late = 0;
    GstClockTime time = 0;
    gdouble proportion = 1;
    gst_event_parse_qos(qos, &type, &proportion, &late, &time);
    if (!GST_CLOCK_TIME_IS_VALID(time)) return;
    const GstClockTimeDiff ahead = type == GST_QOS_TYPE_THROTTLE ? late : late > 0 ? 2 * late : late;
    const bool before_zero = ahead < 0 && static_cast<GstClockTime>(-ahead) > time;
    std::lock_guard lock(mutex_);
    earliest_ = before_zero ? 0 : time + static_cast<GstClockTime>(ahead);
    proportion_ = proportion;
  }

  /// A frame that will not be analysed because it would come too late.
  struct Late {
    GstClockTimeDiff jitter;  ///< how late
    double proportion;        ///< the sink's long-term figure of how much too slow the stream is
    std::uint64_t done;       ///< frames of this stream analysed so far
    std::uint64_t dropped;    ///< and left out for being late, this one included
  };

  /// Judges a frame by its running time and counts it.
  std::optional<Late> judge(GstClockTime running_time) {
    std::lock_guard lock(mutex_);
    if (!GST_CLOCK_TIME_IS_VALID(running_time) || running_time >= earliest_) {
      ++done_;
      return {};
    }
    return Late{GST_CLOCK_DIFF(running_time, earliest_), proportion_, done_, ++dropped_};
  }

 private:
  OwnMutex mutex_;
  GstClockTime earliest_ = 0;
  double proportion_ = 1;
  std::uint64_t done_ = 0;
  std::uint64_t dropped_ = 0;
};

}  // namespace posecam::gst
