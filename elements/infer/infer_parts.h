#pragma once
// What the two sides of the element share.

#include <atomic>
#include <memory>

#include <gst/gst.h>

#include "elements/infer/infer_setup.h"
#include "elements/infer/infer_stats.h"
#include "elements/infer/stream/infer_stream.h"
#include "elements/infer/stream/known_allocation.h"
#include "elements/infer/stream/lateness.h"
#include "elements/infer/stream/query_relay.h"
#include "elements/infer/stream/stream_flow.h"

namespace posecam::gst {

/// Analysed frames that may wait for a downstream that is slower for a moment.
inline constexpr std::size_t kSpareFrames = 2;

/// A segment or a stream: who had enough of the one before may want frames again.
inline bool begins_frames(GstEvent* event) {
  return GST_EVENT_TYPE(event) == GST_EVENT_SEGMENT || GST_EVENT_TYPE(event) == GST_EVENT_STREAM_START;
}

/// Each part locks itself.
struct InferParts {
  InferParts(GstElement* element, GstPad* sink_pad, GstPad* src_pad, GstTaskFunction loop, gpointer user)
      : self(element), sink(sink_pad), src(src_pad), setup(element), flow(element, src_pad, loop, user) {}

  /// What the element adds to the latency of a live pipeline, in ns: a batch's wait and the way through the element.
  GstClockTime latency() const { return stats.latency() + setup.max_batch_delay_ms() * GST_MSECOND; }

  GstElement* const self;  ///< owns all of this, and the pads
  GstPad* const sink;      ///< owned by `self`, as `src`
  GstPad* const src;
  InferSetup setup;                                                             ///< settings and engine
  const std::shared_ptr<InferStream> stream = std::make_shared<InferStream>();  ///< what is under way
  InferStats stats;                                                             ///< figures for the application
  Lateness lateness;                                                            ///< what the sink says of late frames
  QueryRelay queries;                                                           ///< serialized queries
  KnownAllocation allocation;                                                   ///< answers to some of them
  StreamFlow flow;                                                              ///< the task, and whether frames flow
  /// The next frame does not continue those before. Set by whoever learns of it, taken by the source pad's task.
  std::atomic<bool> discontinuity = true;
};

}  // namespace posecam::gst
