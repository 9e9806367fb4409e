#include "elements/infer_element.h"

#include <chrono>

#include "elements/element_error.h"
#include "elements/result_meta.h"
#include "pipeline/log.h"

namespace posecam::gst {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kSpareFrames = 2;  // analysed frames that may wait for a downstream that is slower for a moment

bool is_failure(GstFlowReturn flow) { return flow == GST_FLOW_NOT_LINKED || flow < GST_FLOW_EOS; }

}  // namespace

InferElement::InferElement(GstElement* self, GstPad* sink, GstPad* src)
    : self_(self), sink_(sink), src_(src), stream_(std::make_shared<Stream>(kSpareFrames)) {}

// --- settings and states ----------------------------------------------------------------------------------------

InferSettings InferElement::settings() const {
  std::lock_guard lock(mutex_);
  return settings_;
}

void InferElement::set_settings(const InferSettings& settings) {
  std::lock_guard lock(mutex_);
  settings_ = settings;
}

Result<void> InferElement::open() {
  active_ = settings();
  if (active_.model.empty()) {
    const DefaultModel standard = default_model(active_.device);
    active_.model = standard.name;
    if (!standard.note.empty()) logger().info(standard.note);
  }
  return adopt_engine(kUnknownVideo);
}

void InferElement::close() { set_engine(nullptr); }

/// The old engine, which joins its threads when it goes, goes outside the lock.
void InferElement::set_engine(std::shared_ptr<Engine> engine) {
  std::lock_guard lock(mutex_);
  engine_.swap(engine);
}

Result<void> InferElement::adopt_engine(Size video) {
  auto engine = acquire_engine(active_, video);
  if (!engine) return engine.error();
  preprocessor_.emplace((*engine)->model().input);
  stream_->items.set_room((*engine)->max_in_flight() + kSpareFrames);
  set_engine(std::move(*engine));
  return {};
}

bool InferElement::activate(bool active) {
  if (active) {
    arrived_ = 0;
    stats_.reset();
    stop_flushing();
    return true;
  }
  start_flushing();
  const bool stopped = gst_pad_stop_task(src_) != 0;
  stream_->items.clear([](Item&) {});
  return stopped;
}

std::stop_token InferElement::token() const {
  std::lock_guard lock(mutex_);
  return stop_.get_token();
}

/// Ends every wait of this stream; what is under way in the engine is forgotten when the stream is cleared.
void InferElement::start_flushing() {
  flow_ = GST_FLOW_FLUSHING;
  std::lock_guard lock(mutex_);
  stop_.request_stop();
}

void InferElement::stop_flushing() {
  {
    std::lock_guard lock(mutex_);
    stop_ = {};
  }
  eos_ = false;
  failed_ = false;
  flow_ = GST_FLOW_OK;
  gst_pad_start_task(
      src_, [](gpointer self) { static_cast<InferElement*>(self)->loop(); }, this, nullptr);
}

// --- sink side: the streaming thread ----------------------------------------------------------------------------

GstFlowReturn InferElement::push(BufferPtr buffer) {
  const std::stop_token stop = token();
  if (eos_) return GST_FLOW_EOS;
  if (GST_VIDEO_INFO_FORMAT(&info_) == GST_VIDEO_FORMAT_UNKNOWN) return GST_FLOW_NOT_NEGOTIATED;
  if (!stream_->items.wait_room(stop)) return flow_;

  if (arrived_++ % active_.inference_interval != 0 || GST_BUFFER_FLAG_IS_SET(buffer.get(), GST_BUFFER_FLAG_GAP)) {
    pass_through(std::move(buffer), FrameStatus::kSkipped);
  } else if (GST_BUFFER_FLAG_IS_SET(buffer.get(), GST_BUFFER_FLAG_CORRUPTED)) {
    pass_through(std::move(buffer), FrameStatus::kUnanalysed);
  } else if (const auto done = analyse(std::move(buffer), stop); !done) {
    return done.error().code == Errc::kCancelled ? flow_.load() : report(done.error());
  }
  return GST_FLOW_OK;
}

Result<void> InferElement::analyse(BufferPtr buffer, std::stop_token stop) {
  auto row = engine_->reserve(std::move(stop));
  if (!row) return row.error();

  const auto started = Clock::now();
  Letterbox letterbox;
  {
    MappedFrame frame(info_, buffer.get(), GST_MAP_READ);
    if (!frame) return Error{Errc::kMedia, "a frame's memory cannot be read: put videoconvert before the element"};
    letterbox = preprocessor_->write(as_const(view_of(frame.get())), row->input());
  }
  const float spent = std::chrono::duration<float, std::milli>(Clock::now() - started).count();

  const Ticket ticket = stream_->items.reserve(Frame{std::move(buffer), frame_size(), nullptr});
  row->commit(stream_, ticket, letterbox, spent);
  return {};
}

void InferElement::pass_through(BufferPtr buffer, FrameStatus status) {
  stream_->items.reserve(Frame{std::move(buffer), frame_size(), engine_->empty_result(status)}, true);
}

bool InferElement::handle_event(EventPtr event) {
  switch (GST_EVENT_TYPE(event.get())) {
    case GST_EVENT_FLUSH_START: {
      const bool forwarded = gst_pad_push_event(src_, event.release()) != 0;
      start_flushing();
      gst_pad_pause_task(src_);
      return forwarded;
    }
    case GST_EVENT_FLUSH_STOP: {
      stream_->items.clear([this](Item& item) { keep_sticky(item); });
      const bool forwarded = gst_pad_push_event(src_, event.release()) != 0;
      stop_flushing();
      return forwarded;
    }
    case GST_EVENT_CAPS: {
      GstCaps* caps = nullptr;
      gst_event_parse_caps(event.get(), &caps);
      if (const auto used = use_caps(caps); !used) {
        report(used.error());
        return false;
      }
      break;
    }
    case GST_EVENT_STREAM_START: eos_ = false; break;
    case GST_EVENT_EOS:
      eos_ = true;
      if (const GstFlowReturn flow = flow_; is_failure(flow)) fail_downstream(flow);  // no frame will carry it upstream
      break;
    default: break;
  }
  if (!GST_EVENT_IS_SERIALIZED(event.get())) return gst_pad_push_event(src_, event.release()) != 0;
  if (flow_ == GST_FLOW_FLUSHING) return false;
  if (engine_) engine_->drain();  // what is before the event must come out even if nothing follows it
  stream_->items.reserve(std::move(event), true);
  return true;
}

/// A flush drops frames, not what a stream is: its start, caps and tags still hold for what follows.
void InferElement::keep_sticky(Item& item) {
  const auto* event = std::get_if<EventPtr>(&item);
  if (!event || !GST_EVENT_IS_STICKY(event->get())) return;
  const GstEventType type = GST_EVENT_TYPE(event->get());
  if (type != GST_EVENT_SEGMENT && type != GST_EVENT_EOS) gst_pad_store_sticky_event(src_, event->get());
}

Result<void> InferElement::use_caps(GstCaps* caps) {
  GstVideoInfo info;
  if (!gst_video_info_from_caps(&info, caps) || !pixel_format(GST_VIDEO_INFO_FORMAT(&info))) {
    return Error{Errc::kMedia, "the caps are not raw video of a known format: put videoconvert before the element"};
  }
  info_ = info;
  if (active_.net_resolution.empty()) return {};
  const auto spec = resolve_model(active_, frame_size());
  if (!spec) return spec.error();
  if (spec->input.size == engine_->model().input.size) return {};
  engine_->drain();
  stream_->items.wait_ready(token());  // an engine that goes takes rows not yet run with it
  return adopt_engine(frame_size());
}

/// Serialized queries take a place among the frames; this thread waits until the task has answered.
bool InferElement::handle_query(GstQuery* query) {
  if (!GST_QUERY_IS_SERIALIZED(query)) return gst_pad_query_default(sink_, GST_OBJECT(self_), query) != 0;
  if (flow_ != GST_FLOW_OK) return false;
  if (engine_) engine_->drain();
  std::unique_lock lock(mutex_);
  const std::stop_token stop = stop_.get_token();
  const QueryPlace place{query, ++query_number_};
  query_state_ = QueryState::kQueued;
  lock.unlock();
  stream_->items.reserve(place, true);
  lock.lock();
  const auto answered = [&] { return query_state_ == QueryState::kAnswered; };
  query_changed_.wait(lock, stop, answered);
  // Flushing: withdraw the query, unless the task has it in hand; downstream is flushing too and lets go of it soon.
  if (query_state_ == QueryState::kAnswering) query_changed_.wait(lock, answered);
  return std::exchange(query_state_, QueryState::kIdle) == QueryState::kAnswered && query_answer_;
}

GstFlowReturn InferElement::report(const Error& error) {
  post_error(self_, error);
  return GST_FLOW_ERROR;
}

// --- source side: the task --------------------------------------------------------------------------------------

void InferElement::Stream::row_done(Ticket ticket, std::shared_ptr<const FrameResult> result) {
  items.complete(ticket, [&](Item& item) { std::get<Frame>(item).result = std::move(result); });
}

void InferElement::loop() {
  auto item = stream_->items.pop(token());
  if (!item) {
    gst_pad_pause_task(src_);
  } else if (auto* frame = std::get_if<Frame>(&*item)) {
    if (const GstFlowReturn flow = forward(std::move(*frame)); flow != GST_FLOW_OK) stop_after(flow);
  } else if (auto* event = std::get_if<EventPtr>(&*item)) {
    gst_pad_push_event(src_, event->release());
  } else {
    answer(std::get<QueryPlace>(*item));
  }
}

GstFlowReturn InferElement::forward(Frame frame) {
  stats_.count(*frame.result);
  GstBuffer* buffer = gst_buffer_make_writable(frame.buffer.release());
  add_regions(buffer, *frame.result, frame.size.width, frame.size.height);
  add_result(buffer, std::move(frame.result));
  return gst_pad_push(src_, buffer);
}

/// Downstream wants no more. Upstream learns of it with its next frame; after EOS there is none, so an error is posted
/// here, as queue does.
void InferElement::stop_after(GstFlowReturn flow) {
  flow_ = flow;
  {
    std::lock_guard lock(mutex_);
    stop_.request_stop();
  }
  gst_pad_pause_task(src_);
  if (eos_ && is_failure(flow)) fail_downstream(flow);
}

void InferElement::fail_downstream(GstFlowReturn flow) {
  if (failed_.exchange(true)) return;
  GST_ELEMENT_FLOW_ERROR(self_, flow);
  gst_pad_push_event(src_, gst_event_new_eos());
}

void InferElement::answer(const QueryPlace& place) {
  {
    std::lock_guard lock(mutex_);
    if (query_state_ != QueryState::kQueued || query_number_ != place.number) return;  // withdrawn
    query_state_ = QueryState::kAnswering;
  }
  const bool done = gst_pad_peer_query(src_, place.query) != 0;
  if (done && GST_QUERY_TYPE(place.query) == GST_QUERY_ALLOCATION) {
    ask_for_buffers(place.query, engine_ ? engine_->max_in_flight() + kSpareFrames : kSpareFrames);
  }
  {
    std::lock_guard lock(mutex_);
    query_answer_ = done;
    query_state_ = QueryState::kAnswered;
  }
  query_changed_.notify_all();
}

// --- queries ----------------------------------------------------------------------------------------------------

bool InferElement::handle_src_query(GstQuery* query) {
  if (GST_QUERY_TYPE(query) != GST_QUERY_LATENCY) return gst_pad_query_default(src_, GST_OBJECT(self_), query) != 0;
  if (!gst_pad_peer_query(sink_, query)) return false;
  gboolean live = FALSE;
  GstClockTime min = 0;
  GstClockTime max = 0;
  gst_query_parse_latency(query, &live, &min, &max);
  const GstClockTime own = stats_.latency() + settings().max_batch_delay_ms * GST_MSECOND;
  gst_query_set_latency(query, live, min + own, max == GST_CLOCK_TIME_NONE ? max : max + own);
  return true;
}

GstStructure* InferElement::stats() const {
  std::shared_ptr<Engine> engine;
  {
    std::lock_guard lock(mutex_);
    engine = engine_;
  }
  return stats_.to_structure(engine.get());
}

}  // namespace posecam::gst
