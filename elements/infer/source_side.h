#pragma once
// The source pad's task: takes frames, events and queries in their order, attaches results and pushes downstream.

#include <gst/gst.h>

#include "elements/infer/infer_parts.h"
#include "elements/infer/reports.h"

namespace posecam::gst {

class SourceSide {
 public:
  explicit SourceSide(InferParts& parts) : parts_(parts), reports_(parts) {}

  /// Between states: the stream starts anew.
  void start() { reports_.start(); }
  /// A turn of the task; `self` is a SourceSide.
  static void loop(gpointer self) { static_cast<SourceSide*>(self)->turn(); }
  /// Any thread: the pipeline was told of this latency.
  void told_latency(GstClockTime latency) { reports_.told_latency(latency); }

 private:
  void turn();
  GstFlowReturn forward(InferFrame frame);
  void forward(EventPtr event);
  bool answer(GstQuery* query);

  InferParts& parts_;
  Reports reports_;
};

}  // namespace posecam::gst
