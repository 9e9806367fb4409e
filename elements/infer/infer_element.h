#pragma once
// neuroninfer without GObject: takes frames and events from the sink pad's streaming thread, has frames analysed on any
// core, and pushes everything out in its old order from the source pad's task. Here are its states and what any thread
// may ask; sink_side.h and source_side.h do the work.

#include <functional>
#include <memory>
#include <utility>

#include <gst/gst.h>

#include "elements/base/handles.h"
#include "elements/infer/infer_parts.h"
#include "elements/infer/stream/sink_side.h"
#include "elements/infer/stream/source_side.h"

namespace posecam::gst {

/// One of these for each GstNeuronInfer, which owns it.
class InferElement {
 public:
  /// `self` owns the pads and this object.
  InferElement(GstElement* self, GstPad* sink, GstPad* src);

  /// Any thread. inference-interval and qos are heeded from the next frame on, the others from open() or prepare().
  InferSettings settings() const { return parts_.setup.settings(); }
  void change_settings(const std::function<void(InferSettings&)>& change) { parts_.setup.change(change); }

  /// Below PAUSED: a stage that sees results behind those that were added before.
  void add_stage(std::unique_ptr<ResultStage> stage) { source_.add_stage(std::move(stage)); }

  /// NULL -> READY: finds the model, checks its weights, loads it.
  Result<void> open();
  /// READY -> PAUSED: loads anew if the settings are not those of open() any more.
  Result<void> prepare();
  /// READY -> NULL.
  void close() { parts_.setup.close(); }

  /// Activation of the source pad: starts its task, or stops it and drops what is pending.
  bool activate(bool active);

  /// The sink pad's streaming thread (flush events: any thread).
  GstFlowReturn push(BufferPtr buffer) { return sink_.push(std::move(buffer)); }
  bool handle_event(EventPtr event) { return sink_.handle_event(std::move(event)); }
  bool handle_query(GstQuery* query) { return sink_.handle_query(query); }

  /// Any thread.
  bool handle_src_query(GstQuery* query);
  bool handle_src_event(EventPtr event);
  /// The caller frees the structure.
  GstStructure* stats() const { return parts_.stats.to_structure(parts_.setup.engine().get()); }
  /// What the element adds to the latency of a live pipeline, in ns: a batch's wait and the way through the element.
  GstClockTime latency() const { return parts_.latency(); }

 private:
  InferParts parts_;
  SinkSide sink_;
  SourceSide source_;
};

}  // namespace posecam::gst
