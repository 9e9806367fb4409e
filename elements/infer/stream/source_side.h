#pragma once
// The source pad's task: takes frames, events and queries in their order, has the stages see each result, attaches it
// and pushes downstream.

#include <memory>
#include <optional>
#include <stop_token>
#include <vector>

#include <gst/gst.h>

#include "elements/infer/infer_parts.h"
#include "elements/infer/reports.h"
#include "postprocess/stage/repeat_objects.h"
#include "postprocess/stage/result_stage.h"

namespace posecam::gst {

/// Each group of functions says who may call it.
class SourceSide {
 public:
  explicit SourceSide(InferParts& parts);

  // Between states.
  /// Sees results behind those that were added before.
  void add_stage(std::unique_ptr<ResultStage> stage) { stages_.push_back(std::move(stage)); }
  /// The stream starts anew.
  void start();

  /// A turn of the task; `self` is a SourceSide. An exception ends the stream with an error.
  static void loop(gpointer self);
  /// Any thread: the pipeline was told of this latency.
  void told_latency(GstClockTime latency) { reports_.told_latency(latency); }

 private:
  void turn(const std::stop_token& stop);
  GstFlowReturn forward(InferFrame frame);
  void run_stages(GstBuffer* buffer, Size size, FrameResult& result);
  void forward(EventPtr event);
  void heed(GstEvent* event);
  bool answer(GstQuery* query);

  InferParts& parts_;
  Reports reports_;
  std::optional<RepeatObjects> repeat_;  ///< before all other stages, where the property asked for it at start()
  std::vector<std::unique_ptr<ResultStage>> stages_;
  GstSegment segment_{};
};

}  // namespace posecam::gst
