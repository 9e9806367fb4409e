#pragma once
// Whether frames flow, and with that the source pad's task: what downstream said last, flushes, activation, and the end
// of the stream.

#include <atomic>
#include <mutex>
#include <optional>
#include <stop_token>

#include <gst/gst.h>

namespace posecam::gst {

/// Thread-safe. Starts out, and is after deactivate(), as if flushing.
class StreamFlow {
 public:
  /// `loop(user)` is the turn of the task; it calls rest() when it was stopped.
  StreamFlow(GstElement* self, GstPad* src, GstTaskFunction loop, gpointer user);

  /// GST_FLOW_OK, GST_FLOW_FLUSHING, or what downstream said to an earlier frame.
  GstFlowReturn now() const { return flow_; }
  /// Of every wait of this stream, until it flows again.
  std::stop_token token() const;

  // Of the source pad; GStreamer calls them one at a time.
  /// Makes the task and lets frames flow.
  void activate();
  /// Ends every wait and joins the task.
  bool deactivate();

  // Whoever flushes.
  /// Ends every wait and waits until the task rests.
  void start_flushing();
  /// Frames flow again, unless the pad was deactivated.
  void stop_flushing();
  /// Downstream is linked again: flows on if it stands for want of that.
  void relinked();

  // The task.
  /// Downstream wants no more. Upstream learns of it with its next frame; after the end of the stream there is none, so
  /// an error is posted here, as queue does.
  void stop_after(GstFlowReturn flow);
  /// The task failed, and has said so on the bus.
  void stop_after_error();
  /// There is nothing to do until frames flow again.
  void rest();

  // The streaming thread.
  void begin_stream() { ended_ = false; }
  /// EOS has come. If downstream has failed, posts the error: no frame will follow that could carry it upstream.
  void end_stream();
  bool ended() const { return ended_; }  ///< after EOS, until a new stream, a flush or activation

 private:
  void resume(std::optional<GstFlowReturn> after);
  void begin();
  void stop(GstFlowReturn flow);
  void fail_downstream(GstFlowReturn flow);

  GstElement* const self_;
  GstPad* const src_;
  const GstTaskFunction loop_;
  const gpointer user_;

  /// Makes the task's state and `stop_` change in one step. Nobody reads properties with it, and the task exists while
  /// it is held: so GStreamer sets that state and no more, it posts nothing and waits for nobody.
  mutable std::mutex mutex_;
  std::stop_source stop_;
  bool active_ = false;  ///< the task may run

  std::atomic<GstFlowReturn> flow_ = GST_FLOW_FLUSHING;
  std::atomic<bool> ended_ = false;
  std::atomic<bool> told_ = false;  ///< a failure was posted
};

}  // namespace posecam::gst
