#pragma once
// Whether frames flow, and with that the turns of the source pad's task: what downstream said last, flushes,
// activation, and the end of the stream.
//
// The task runs from activation to deactivation. While nothing flows it waits here: so nobody but activation starts,
// pauses or stops it, and no lock is held in a call to GStreamer, which may tell an application within that call.

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <thread>

#include <gst/gst.h>

#include "models/core/own_mutex.h"

namespace posecam::gst {

/// Thread-safe. Starts out, and is after deactivate(), as if flushing.
class StreamFlow {
 public:
  /// `loop(user)` is what the task repeats: a turn between begin_turn() and end_turn().
  StreamFlow(GstElement* self, GstPad* src, GstTaskFunction loop, gpointer user);

  /// What a frame that comes now is answered: GST_FLOW_OK, GST_FLOW_FLUSHING, or what downstream said to an earlier
  /// one; EOS only until a new segment or stream has begun, as queue has it.
  GstFlowReturn now() const;
  /// Of every wait of this stream, until it flows again.
  std::stop_token token() const;

  // Of the source pad; GStreamer calls them one at a time.
  /// Lets frames flow and starts the task.
  void activate();
  /// Ends every wait and joins the task.
  bool deactivate();

  // Whoever flushes.
  /// Ends every wait, and waits until the task's turn is over, unless that is what calls.
  void start_flushing();
  /// Frames flow again, unless the pad was deactivated.
  void stop_flushing();
  /// Downstream is linked again: flows on if it stands for want of that.
  void relinked();

  // The task.
  /// Waits until frames flow. The token of the turn; none if the pad was deactivated, and there is no turn.
  std::optional<std::stop_token> begin_turn();
  void end_turn();
  /// Downstream took no frame of this turn; nothing if a flush has ended the turn. EOS: it wants none, but all else,
  /// until a segment or a stream begins. Otherwise the stream stands and upstream learns of it with its next frame;
  /// after the end of the stream there is none, so an error is posted here, as queue does.
  void stop_after(GstFlowReturn flow, const std::stop_token& turn);
  /// The task failed, and has said so on the bus.
  void stop_after_error(const std::stop_token& turn);
  /// Whether downstream wants no frames.
  bool refused() const;
  /// A segment or a stream that begin_frames() was told of has been pushed.
  void passed_beginning();

  // The streaming thread.
  void begin_stream() { ended_ = false; }
  /// A segment or a stream begins: downstream may want frames again.
  void begin_frames();
  /// EOS has come. If downstream has failed, posts the error: no frame will follow that could carry it upstream.
  void end_stream();
  bool ended() const { return ended_; }  ///< after EOS, until a new stream, a flush or activation

 private:
  void begin(std::optional<GstFlowReturn> after);
  void stop(GstFlowReturn flow);
  void stop_locked(GstFlowReturn flow);
  void fail_downstream(GstFlowReturn flow);

  GstElement* const self_;
  GstPad* const src_;
  const GstTaskFunction loop_;
  const gpointer user_;

  mutable OwnMutex mutex_;  // never held while calling out
  std::condition_variable_any changed_;
  std::stop_source stop_;
  GstFlowReturn flow_ = GST_FLOW_FLUSHING;
  bool active_ = false;   ///< the pad is
  std::thread::id turn_;  ///< of the task, while it has one

  // Segments and streams that came in and went out since the last flush, and after which of them downstream refused.
  std::uint64_t begun_ = 0;
  std::uint64_t passed_ = 0;
  std::optional<std::uint64_t> refused_;

  std::atomic<bool> ended_ = false;
  std::atomic<bool> told_ = false;  ///< a failure was posted
};

}  // namespace posecam::gst
