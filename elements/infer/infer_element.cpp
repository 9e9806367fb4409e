#include "elements/infer/infer_element.h"

#include <utility>

#include <fmt/format.h>

#include "elements/base/element_error.h"
#include "elements/infer/regions_of_interest.h"
#include "elements/meta/result_meta.h"
#include "models/core/stage_log.h"
#include "pipeline/engine/region_gather.h"

namespace posecam::gst {
namespace {

constexpr std::size_t kSpareFrames = 2;  // analysed frames that may wait for a downstream that is slower for a moment
/// Finished frames that may wait for one on a slower core, as multiple of those under way and in bytes: with none, all
/// cores would be as slow as that one.
constexpr std::size_t kWaitingFrames = 3;
constexpr std::size_t kWaitingBytes = std::size_t{256} << 20;
constexpr std::uint64_t kSuperviseEvery = 32;  // frames
constexpr std::chrono::seconds kStatsEvery{5};
constexpr double kFullQuality = 1e6;  // as GStreamer scales the quality of QOS messages

bool is_failure(GstFlowReturn flow) { return flow == GST_FLOW_NOT_LINKED || flow < GST_FLOW_EOS; }

}  // namespace

InferElement::InferElement(GstElement* self, GstPad* sink, GstPad* src)
    : self_(self), sink_(sink), src_(src), stream_(std::make_shared<Stream>(kSpareFrames)) {}

// --- settings and states ----------------------------------------------------------------------------------------

InferSettings InferElement::settings() const {
  std::lock_guard lock(mutex_);
  return settings_;
}

void InferElement::change_settings(const std::function<void(InferSettings&)>& change) {
  std::lock_guard lock(mutex_);
  change(settings_);
}

Result<void> InferElement::open() {
  const InferSettings wanted = settings();
  active_ = wanted;
  auto plan = plan_engine(active_, kUnknownVideo);
  if (!plan) return plan.error();
  active_.model = plan->model_name;
  if (!plan->note.empty()) GST_ELEMENT_INFO(self_, RESOURCE, SETTINGS, ("%s", plan->note.c_str()), (nullptr));
  auto adopted = adopt_engine(std::move(*plan));
  if (adopted) opened_ = wanted;
  return adopted;
}

Result<void> InferElement::prepare() {
  if (engine_ && settings() == opened_) return {};
  set_engine(nullptr);  // the device may not have room for both
  return open();
}

void InferElement::close() { set_engine(nullptr); }

/// The old engine, which joins its threads when it goes, goes outside the lock.
void InferElement::set_engine(std::shared_ptr<Engine> engine) {
  std::lock_guard lock(mutex_);
  engine_.swap(engine);
}

Result<void> InferElement::adopt_engine(EnginePlan plan) {
  if (active_.inference_region != "full-frame" && plan.model.task == Task::kClassification) {
    return Error{Errc::kUsage,
                 fmt::format("inference-region={}: model {} says what a whole picture shows; use full-frame",
                             active_.inference_region, plan.model.name)};
  }
  auto engine = acquire_engine(active_, std::move(plan));
  if (!engine) return engine.error();
  preprocessor_.emplace((*engine)->model().input);
  set_engine(std::move(*engine));
  make_room();
  return {};
}

/// As many frames as keep the engine busy, also while one of them takes longer than the others.
void InferElement::make_room() {
  const std::size_t in_flight = engine_->max_in_flight();
  const std::size_t affordable = kWaitingBytes / std::max<std::size_t>(1, GST_VIDEO_INFO_SIZE(&info_));
  const std::size_t waiting = engine_->stats().cores > 1 ? std::min(kWaitingFrames * in_flight, affordable) : 0;
  stream_->items.set_room(in_flight + kSpareFrames + waiting);
}

bool InferElement::activate(bool active) {
  {
    std::lock_guard lock(mutex_);
    active_pad_ = active;
  }
  if (active) {
    stream_->items.clear([](Item&) {});  // the streaming thread may have added some since the task was stopped
    arrived_ = 0;
    told_refusal_ = false;
    losses_ = engine_ ? engine_->stats().losses : 0;
    gst_segment_init(&segment_, GST_FORMAT_TIME);
    stats_.reset();
    stats_posted_ = Clock::now();
    lateness_.reset();
    reported_latency_ = GST_CLOCK_TIME_NONE;
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

std::shared_ptr<Engine> InferElement::engine() const {
  std::lock_guard lock(mutex_);
  return engine_;
}

/// Ends every wait of this stream; what is under way in the engine is forgotten when the stream is cleared.
void InferElement::start_flushing() {
  std::lock_guard lock(mutex_);
  flow_ = GST_FLOW_FLUSHING;
  stop_.request_stop();
}

void InferElement::stop_flushing() {
  eos_ = false;
  failed_ = false;
  resume({});
}

/// The task starts with the lock held: it must not start once the pad was deactivated, since nobody would stop it then.
void InferElement::resume(std::optional<GstFlowReturn> after) {
  std::lock_guard lock(mutex_);
  if (!active_pad_ || (after && flow_ != *after)) return;
  stop_ = {};
  flow_ = GST_FLOW_OK;
  gst_pad_start_task(
      src_, [](gpointer self) { static_cast<InferElement*>(self)->loop(); }, this, nullptr);
}

// --- sink side: the streaming thread ----------------------------------------------------------------------------

GstFlowReturn InferElement::push(BufferPtr buffer) {
  const std::stop_token stop = token();
  if (eos_) return GST_FLOW_EOS;
  if (const GstFlowReturn flow = flow_; flow != GST_FLOW_OK) return flow;  // what downstream said to an earlier frame
  if (GST_VIDEO_INFO_FORMAT(&info_) == GST_VIDEO_FORMAT_UNKNOWN) return GST_FLOW_NOT_NEGOTIATED;
  if (!stream_->items.wait_room(stop)) return flow_;

  if (const auto status = reason_to_pass(buffer.get())) {
    pass_through(std::move(buffer), *status);
    return GST_FLOW_OK;
  }
  const bool whole = active_.inference_region == "full-frame";
  const auto done = whole ? analyse(std::move(buffer), stop) : analyse_regions(std::move(buffer), stop);
  if (done) return GST_FLOW_OK;
  return done.error().code == Errc::kCancelled ? flow_.load() : report(done.error());
}

/// The status of a frame that is not to be analysed.
std::optional<FrameStatus> InferElement::reason_to_pass(GstBuffer* buffer) {
  std::unique_lock lock(mutex_);
  const std::uint32_t interval = settings_.inference_interval;
  const bool qos = settings_.qos;
  lock.unlock();
  if (GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_CORRUPTED)) return FrameStatus::kUnanalysed;
  if (arrived_++ % interval != 0 || GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_GAP)) return FrameStatus::kSkipped;
  if (qos && too_late(buffer)) return FrameStatus::kSkipped;
  return {};
}

bool InferElement::too_late(GstBuffer* buffer) {
  if (segment_.format != GST_FORMAT_TIME) return false;
  const GstClockTime running = gst_segment_to_running_time(&segment_, GST_FORMAT_TIME, GST_BUFFER_PTS(buffer));
  const auto late = lateness_.judge(running);
  if (!late) return false;
  stats_.count_late();
  const GstClockTime stream = gst_segment_to_stream_time(&segment_, GST_FORMAT_TIME, GST_BUFFER_PTS(buffer));
  GstMessage* message = gst_message_new_qos(GST_OBJECT(self_), FALSE, running, stream, GST_BUFFER_PTS(buffer),
                                            GST_BUFFER_DURATION(buffer));
  gst_message_set_qos_values(message, late->jitter, late->proportion, static_cast<gint>(kFullQuality));
  gst_message_set_qos_stats(message, GST_FORMAT_BUFFERS, late->done, late->dropped);
  gst_element_post_message(self_, message);
  return true;
}

Result<void> InferElement::analyse(BufferPtr buffer, std::stop_token stop) {
  const auto arrived = Clock::now();
  auto row = engine_->reserve(std::move(stop));
  if (!row) return row.error();
  Letterbox letterbox;
  float spent_ms = 0;
  {
    MappedFrame frame(info_, buffer.get(), GST_MAP_READ);
    if (!frame) return unusable_frame();
    spent_ms = write_row(*row, as_const(frame.view()), letterbox);
  }
  const Ticket ticket = stream_->items.reserve(Frame{std::move(buffer), frame_size(), arrived, {}, nullptr});
  row->commit(stream_, ticket, letterbox, spent_ms);
  return {};
}

/// Every region of interest is a row of its own. One is committed before the next is reserved: so a frame may have more
/// of them than the engine has rows.
Result<void> InferElement::analyse_regions(BufferPtr buffer, std::stop_token stop) {
  const auto arrived = Clock::now();
  auto regions = regions_of_interest(buffer.get(), active_.object_class, frame_size());
  if (regions.empty()) {  // nobody is there, if who looked for them did look
    const auto before = get_result(buffer.get());
    pass_through(std::move(buffer), before ? before->status : FrameStatus::kAnalysed);
    return {};
  }
  const auto gather = std::make_shared<RegionGather>(std::move(regions), frame_size(), stream_);
  for (Ticket i = 0; i < gather->regions().size(); ++i) {
    auto row = engine_->reserve(stop);  // waits: the frame is not mapped meanwhile
    if (!row) return row.error();
    MappedFrame frame(info_, buffer.get(), GST_MAP_READ);
    if (!frame) return unusable_frame();
    Letterbox letterbox;
    const float spent_ms = write_row(*row, crop(as_const(frame.view()), gather->regions()[i].crop), letterbox);
    row->commit(gather, i, letterbox, spent_ms);
  }
  gather->finish(stream_->items.reserve(Frame{std::move(buffer), frame_size(), arrived, {}, nullptr}));
  return {};
}

/// Returns how long it took, in ms.
float InferElement::write_row(const Engine::Row& row, const ImageView& image, Letterbox& letterbox) {
  StageTimer timer(Stage::kPreprocess);
  letterbox = preprocessor_->write(image, row.input());
  return timer.stop();
}

void InferElement::pass_through(BufferPtr buffer, FrameStatus status) {
  const auto now = Clock::now();
  stream_->items.reserve(Frame{std::move(buffer), frame_size(), now, now, engine_->empty_result(status)}, true);
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
      gst_segment_init(&segment_, GST_FORMAT_TIME);
      lateness_.reset();
      arrived_ = 0;  // the first frame after a seek is one that is analysed
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
    case GST_EVENT_SEGMENT: gst_event_copy_segment(event.get(), &segment_); break;
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
  make_room();
  if (active_.net_resolution.empty()) return {};
  auto plan = plan_engine(active_, frame_size());
  if (!plan) return plan.error();
  if (plan->model.input.size == engine_->model().input.size) return {};
  engine_->drain();
  stream_->items.wait_ready(token());  // an engine that goes takes rows not yet run with it
  return adopt_engine(std::move(*plan));
}

/// Serialized queries take a place among the frames; this thread waits until the task has answered.
bool InferElement::handle_query(GstQuery* query) {
  if (!GST_QUERY_IS_SERIALIZED(query)) return gst_pad_query_default(sink_, GST_OBJECT(self_), query) != 0;
  if (flow_ != GST_FLOW_OK) return false;
  if (engine_) engine_->drain();
  return queries_.ask(query, token(), [this](const QueryPlace& place) { stream_->items.reserve(place, true); });
}

GstFlowReturn InferElement::report(const Error& error) {
  post_error(self_, error);
  return GST_FLOW_ERROR;
}

// --- source side: the task --------------------------------------------------------------------------------------

void InferElement::Stream::row_done(Ticket ticket, std::shared_ptr<const FrameResult> result) {
  items.complete(ticket, [&](Item& item) {
    auto& frame = std::get<Frame>(item);
    frame.result = std::move(result);
    frame.done = Clock::now();
  });
}

void InferElement::loop() {
  auto item = stream_->items.pop(token());
  if (!item) {
    gst_pad_pause_task(src_);
  } else if (auto* frame = std::get_if<Frame>(&*item)) {
    if (const GstFlowReturn flow = forward(std::move(*frame)); flow != GST_FLOW_OK) stop_after(flow);
  } else if (auto* event = std::get_if<EventPtr>(&*item)) {
    if (GST_EVENT_TYPE(event->get()) == GST_EVENT_EOS) {
      stats_posted_ = Clock::now();  // once is enough
      supervise();
      post_stats();
    }
    gst_pad_push_event(src_, event->release());
  } else {
    queries_.answer(std::get<QueryPlace>(*item), [this](GstQuery* query) { return answer(query); });
  }
}

GstFlowReturn InferElement::forward(Frame frame) {
  stats_.count(*frame.result, std::chrono::duration<float, std::milli>(frame.done - frame.arrived).count());
  if (++supervised_ % kSuperviseEvery == 0) supervise();
  GstBuffer* buffer = gst_buffer_make_writable(frame.buffer.release());
  if (const auto before = get_result(buffer)) {
    frame.result = std::make_shared<const FrameResult>(merge(*before, *frame.result));
  }
  add_regions(buffer, *frame.result, frame.size.width, frame.size.height);
  add_result(buffer, std::move(frame.result));
  return gst_pad_push(src_, buffer);
}

/// Now and then: has a core gone, is the latency another one than the pipeline was told?
void InferElement::supervise() {
  const auto engine = this->engine();
  if (!engine) return;
  const EngineStats stats = engine->stats();
  if (stats.losses > std::exchange(losses_, stats.losses)) post_core_lost(self_, engine->backend_name(), stats.cores);
  if (const std::string why = engine->first_refusal(); !why.empty() && !std::exchange(told_refusal_, true)) {
    GST_ELEMENT_WARNING(self_, STREAM, FAILED, ("frames stay unanalysed: %s", why.c_str()), (nullptr));
  }
  if (Clock::now() - stats_posted_ > kStatsEvery) post_stats();
  const GstClockTime told = reported_latency_;
  if (!GST_CLOCK_TIME_IS_VALID(told)) return;
  const GstClockTime now = latency();
  if (now > told + told / 4 || now < told / 2) {
    reported_latency_ = now;
    gst_element_post_message(self_, gst_message_new_latency(GST_OBJECT(self_)));
  }
}

void InferElement::post_stats() {
  stats_posted_ = Clock::now();
  gst_element_post_message(self_, gst_message_new_element(GST_OBJECT(self_), stats()));
}

/// Downstream wants no more. Upstream learns of it with its next frame; after EOS there is none, so an error is posted
/// here, as queue does.
void InferElement::stop_after(GstFlowReturn flow) {
  {
    std::lock_guard lock(mutex_);  // one step, or a resume() in between would be undone
    flow_ = flow;
    stop_.request_stop();
    gst_pad_pause_task(src_);
  }
  if (eos_ && is_failure(flow)) fail_downstream(flow);
}

void InferElement::fail_downstream(GstFlowReturn flow) {
  if (failed_.exchange(true)) return;
  GST_ELEMENT_FLOW_ERROR(self_, flow);
  gst_pad_push_event(src_, gst_event_new_eos());
}

bool InferElement::answer(GstQuery* query) {
  const bool answered = gst_pad_peer_query(src_, query) != 0;
  if (GST_QUERY_TYPE(query) != GST_QUERY_ALLOCATION) return answered;
  refuse_crop_meta(query);
  const auto engine = this->engine();
  if (engine) ask_for_buffers(query, engine->max_in_flight() + kSpareFrames);
  return true;
}

// --- any thread ----------------------------------------------------------------------------------------------------

bool InferElement::handle_src_query(GstQuery* query) {
  if (GST_QUERY_TYPE(query) != GST_QUERY_LATENCY) return gst_pad_query_default(src_, GST_OBJECT(self_), query) != 0;
  if (!gst_pad_peer_query(sink_, query)) return false;
  gboolean live = FALSE;
  GstClockTime min = 0;
  GstClockTime max = 0;
  gst_query_parse_latency(query, &live, &min, &max);
  const GstClockTime own = latency();
  reported_latency_ = own;
  gst_query_set_latency(query, live, min + own, max == GST_CLOCK_TIME_NONE ? max : max + own);
  return true;
}

GstClockTime InferElement::latency() const { return stats_.latency() + settings().max_batch_delay_ms * GST_MSECOND; }

bool InferElement::handle_src_event(EventPtr event) {
  if (GST_EVENT_TYPE(event.get()) == GST_EVENT_QOS) lateness_.heed(event.get());
  if (GST_EVENT_TYPE(event.get()) == GST_EVENT_RECONFIGURE) resume(GST_FLOW_NOT_LINKED);  // linked again
  return gst_pad_event_default(src_, GST_OBJECT(self_), event.release()) != 0;
}

GstStructure* InferElement::stats() const { return stats_.to_structure(engine().get()); }

}  // namespace posecam::gst
