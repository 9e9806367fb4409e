#pragma once
// neuroninfer without GObject: takes frames and events from the sink pad's streaming thread, has frames analysed on any
// core, and pushes everything out in its old order from the source pad's task.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <variant>

#include <gst/gst.h>
#include <gst/video/video.h>

#include "elements/base/handles.h"
#include "elements/infer/infer_settings.h"
#include "elements/infer/infer_stats.h"
#include "elements/infer/lateness.h"
#include "elements/infer/query_relay.h"
#include "pipeline/engine/engine.h"
#include "pipeline/engine/sequencer.h"
#include "pipeline/image/preprocess.h"

namespace posecam::gst {

class InferElement {
 public:
  /// `self` owns the pads and this object.
  InferElement(GstElement* self, GstPad* sink, GstPad* src);

  /// Any thread. inference-interval and qos are heeded from the next frame on, the others from open() or prepare().
  InferSettings settings() const;
  void change_settings(const std::function<void(InferSettings&)>& change);

  /// NULL -> READY: finds the model, checks its weights, loads it.
  Result<void> open();
  /// READY -> PAUSED: loads anew if the settings are not those of open() any more.
  Result<void> prepare();
  /// READY -> NULL.
  void close();

  /// Activation of the source pad: starts its task, or stops it and drops what is pending.
  bool activate(bool active);

  /// The sink pad's streaming thread (flush events: any thread).
  GstFlowReturn push(BufferPtr buffer);
  bool handle_event(EventPtr event);
  bool handle_query(GstQuery* query);

  /// Any thread.
  bool handle_src_query(GstQuery* query);
  bool handle_src_event(EventPtr event);
  /// The caller frees the structure.
  GstStructure* stats() const;
  /// What the element adds to the latency of a live pipeline, in ns: a batch's wait and the way through the element.
  GstClockTime latency() const;

 private:
  using Clock = std::chrono::steady_clock;

  struct Frame {
    BufferPtr buffer;
    Size size;
    Clock::time_point arrived;
    Clock::time_point done;
    std::shared_ptr<const FrameResult> result;
  };
  using Item = std::variant<Frame, EventPtr, QueryPlace>;

  /// Where results of this stream arrive. The engine may hold it longer than the element.
  struct Stream final : RowClient {
    explicit Stream(std::size_t room) : items(room) {}
    void row_done(Ticket ticket, std::shared_ptr<const FrameResult> result) override;
    Sequencer<Item> items;
  };

  // Streaming thread.
  void keep_sticky(Item& item);
  Result<void> use_caps(GstCaps* caps);
  Result<void> adopt_engine(EnginePlan plan);
  void make_room();
  void set_engine(std::shared_ptr<Engine> engine);
  std::optional<FrameStatus> reason_to_pass(GstBuffer* buffer);
  bool too_late(GstBuffer* buffer);
  Result<void> analyse(BufferPtr buffer, std::stop_token stop);
  Result<void> analyse_regions(BufferPtr buffer, std::stop_token stop);
  float write_row(const Engine::Row& row, const ImageView& image, Letterbox& letterbox);
  void pass_through(BufferPtr buffer, FrameStatus status);
  GstFlowReturn report(const Error& error);

  // Source pad's task.
  void loop();
  GstFlowReturn forward(Frame frame);
  bool answer(GstQuery* query);
  void stop_after(GstFlowReturn flow);
  void fail_downstream(GstFlowReturn flow);
  void supervise();
  void post_stats();

  void start_flushing();
  void stop_flushing();
  void resume(std::optional<GstFlowReturn> after);  ///< only if the stream stands because of that; none: in any case
  std::stop_token token() const;
  std::shared_ptr<Engine> engine() const;
  Size frame_size() const { return {GST_VIDEO_INFO_WIDTH(&info_), GST_VIDEO_INFO_HEIGHT(&info_)}; }

  GstElement* const self_;
  GstPad* const sink_;
  GstPad* const src_;
  const std::shared_ptr<Stream> stream_;
  InferStats stats_;    // locks itself
  Lateness lateness_;   // locks itself
  QueryRelay queries_;  // locks itself

  mutable std::mutex mutex_;  // never held while pushing, posting or querying
  InferSettings settings_;
  std::stop_source stop_;
  bool active_pad_ = false;         ///< the source pad's task may run
  std::shared_ptr<Engine> engine_;  // written by the streaming thread or between states only

  std::atomic<GstFlowReturn> flow_ = GST_FLOW_FLUSHING;
  std::atomic<bool> eos_ = false;
  std::atomic<bool> failed_ = false;                                  ///< downstream's failure was posted
  std::atomic<GstClockTime> reported_latency_ = GST_CLOCK_TIME_NONE;  ///< as last told to a LATENCY query

  // Streaming thread only.
  InferSettings active_;
  InferSettings opened_;  ///< as set when active_ was made from them
  GstVideoInfo info_{};
  GstSegment segment_{};
  std::optional<Preprocessor> preprocessor_;
  std::uint64_t arrived_ = 0;

  // Source pad's task only.
  std::uint64_t supervised_ = 0;
  std::uint64_t losses_ = 0;
  bool told_refusal_ = false;
  Clock::time_point stats_posted_;
};

}  // namespace posecam::gst
