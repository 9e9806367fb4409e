#pragma once
// neuroninfer without GObject: takes frames and events from the sink pad's streaming thread, has frames analysed on any
// core, and pushes everything out in its old order from the source pad's task.

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <variant>

#include <gst/gst.h>
#include <gst/video/video.h>

#include "elements/handles.h"
#include "elements/infer_settings.h"
#include "elements/infer_stats.h"
#include "pipeline/engine.h"
#include "pipeline/preprocess.h"
#include "pipeline/sequencer.h"

namespace posecam::gst {

class InferElement {
 public:
  /// `self` owns the pads and this object.
  InferElement(GstElement* self, GstPad* sink, GstPad* src);

  /// Any thread. Effective at the next NULL -> READY.
  InferSettings settings() const;
  void set_settings(const InferSettings& settings);

  /// NULL -> READY: finds the model, checks its weights, loads it.
  Result<void> open();
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
  /// The caller frees the structure.
  GstStructure* stats() const;

 private:
  struct Frame {
    BufferPtr buffer;
    Size size;
    std::shared_ptr<const FrameResult> result;
  };
  /// A serialized query whose streaming thread waits; its place among the frames.
  struct QueryPlace {
    GstQuery* query;
    std::uint64_t number;
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
  Result<void> adopt_engine(Size video);
  void set_engine(std::shared_ptr<Engine> engine);
  Result<void> analyse(BufferPtr buffer, std::stop_token stop);
  void pass_through(BufferPtr buffer, FrameStatus status);
  GstFlowReturn report(const Error& error);

  // Source pad's task.
  void loop();
  GstFlowReturn forward(Frame frame);
  void answer(const QueryPlace& place);
  void stop_after(GstFlowReturn flow);
  void fail_downstream(GstFlowReturn flow);

  void start_flushing();
  void stop_flushing();
  std::stop_token token() const;
  Size frame_size() const { return {GST_VIDEO_INFO_WIDTH(&info_), GST_VIDEO_INFO_HEIGHT(&info_)}; }

  GstElement* const self_;
  GstPad* const sink_;
  GstPad* const src_;
  const std::shared_ptr<Stream> stream_;
  InferStats stats_;  // locks itself

  mutable std::mutex mutex_;  // never held while pushing, posting or querying
  InferSettings settings_;
  std::stop_source stop_;
  std::shared_ptr<Engine> engine_;  // written by the streaming thread or between states only
  enum class QueryState : std::uint8_t { kIdle, kQueued, kAnswering, kAnswered };
  QueryState query_state_ = QueryState::kIdle;
  std::uint64_t query_number_ = 0;
  bool query_answer_ = false;
  std::condition_variable_any query_changed_;

  std::atomic<GstFlowReturn> flow_ = GST_FLOW_FLUSHING;
  std::atomic<bool> eos_ = false;
  std::atomic<bool> failed_ = false;  ///< downstream's failure was posted

  // Streaming thread only.
  InferSettings active_;
  GstVideoInfo info_{};
  std::optional<Preprocessor> preprocessor_;
  std::uint64_t arrived_ = 0;
};

}  // namespace posecam::gst
