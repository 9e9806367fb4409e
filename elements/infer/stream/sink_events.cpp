// What comes in between frames: caps, segments, flushes, the end of the stream, queries.

#include "elements/base/element_error.h"
#include "elements/infer/stream/sink_side.h"
#include "models/core/names.h"

namespace posecam::gst {
namespace {

/// Finished frames that may wait for one on a slower core, as multiple of those under way and in bytes: with none, all
/// cores would be as slow as that one.
constexpr std::size_t kWaitingFrames = 3;
constexpr std::size_t kWaitingBytes = std::size_t{256} << 20;

/// A frame follows at once: it goes into the batch with those before, which a source that loses frames needs full.
bool announces_frame(GstEvent* event) {
  return GST_EVENT_TYPE(event) == GST_EVENT_CUSTOM_DOWNSTREAM && gst_event_has_name(event, kDroppedEvent);
}

}  // namespace

/// As many frames as keep the engine busy, also while one of them takes longer than the others.
void SinkSide::use_engine() {
  const Engine& engine = parts_.setup.current();
  preprocessor_.emplace(engine.model().input);
  follower_ = std::make_shared<PersonFollower>(parts_.stream);  // one of an engine that went may wait for its last row
  const std::size_t in_flight = engine.max_in_flight();
  const std::size_t affordable = kWaitingBytes / std::max<std::size_t>(1, GST_VIDEO_INFO_SIZE(&info_));
  const std::size_t waiting = engine.stats().cores > 1 ? std::min(kWaitingFrames * in_flight, affordable) : 0;
  parts_.stream->items.set_room(in_flight + kSpareFrames + waiting);
}

bool SinkSide::handle_event(EventPtr event) {
  if (GST_EVENT_TYPE(event.get()) == GST_EVENT_FLUSH_START) return start_flushing(std::move(event));
  if (GST_EVENT_TYPE(event.get()) == GST_EVENT_FLUSH_STOP) return stop_flushing(std::move(event));
  if (!heed(event.get())) return false;
  if (!GST_EVENT_IS_SERIALIZED(event.get())) return gst_pad_push_event(parts_.src, event.release()) != 0;
  if (parts_.flow.now() == GST_FLOW_FLUSHING) return false;
  if (!announces_frame(event.get())) {
    parts_.setup.drain();  // what is before the event must come out even if nothing follows it
  }
  if (begins_frames(event.get())) parts_.flow.begin_frames();
  parts_.stream->items.reserve(std::move(event), true);
  return true;
}

bool SinkSide::start_flushing(EventPtr event) {
  const bool forwarded = gst_pad_push_event(parts_.src, event.release()) != 0;
  parts_.flow.start_flushing();
  return forwarded;
}

/// What is under way in the engine is forgotten.
bool SinkSide::stop_flushing(EventPtr event) {
  parts_.stream->items.clear([this](InferItem& item) { keep_sticky(item); });
  gst_segment_init(&segment_, GST_FORMAT_TIME);
  parts_.lateness.reset();
  parts_.discontinuity = true;
  parts_.allocation.forget();
  arrived_ = 0;  // the first frame after a seek is one that is analysed
  const bool forwarded = gst_pad_push_event(parts_.src, event.release()) != 0;
  parts_.flow.stop_flushing();
  return forwarded;
}

/// A flush drops frames, not what a stream is: its start, caps and tags still hold for what follows.
void SinkSide::keep_sticky(InferItem& item) {
  const auto* event = std::get_if<EventPtr>(&item);
  if (!event || !GST_EVENT_IS_STICKY(event->get())) return;
  const GstEventType type = GST_EVENT_TYPE(event->get());
  if (type != GST_EVENT_SEGMENT && type != GST_EVENT_EOS) gst_pad_store_sticky_event(parts_.src, event->get());
}

/// What the event means for the frames behind it. False: nothing can follow it.
bool SinkSide::heed(GstEvent* event) {
  switch (GST_EVENT_TYPE(event)) {
    case GST_EVENT_CAPS: {
      GstCaps* caps = nullptr;
      gst_event_parse_caps(event, &caps);
      const auto used = use_caps(caps);
      if (!used) report(used.error());
      return static_cast<bool>(used);
    }
    case GST_EVENT_SEGMENT:
      gst_event_copy_segment(event, &segment_);
      follower_->forget();
      break;
    case GST_EVENT_STREAM_START: parts_.flow.begin_stream(); break;
    case GST_EVENT_EOS: parts_.flow.end_stream(); break;
    default: break;
  }
  return true;
}

Result<void> SinkSide::use_caps(GstCaps* caps) {
  GstVideoInfo info;
  if (!gst_video_info_from_caps(&info, caps) || !pixel_format(GST_VIDEO_INFO_FORMAT(&info))) {
    return Error{Errc::kMedia, "the caps are not raw video of a known format: put videoconvert before the element"};
  }
  info_ = info;
  parts_.allocation.forget();
  auto plan = parts_.setup.plan_for(display_size(frame_size(), pixel_aspect(info)));
  if (!plan) return plan.error();
  if (*plan) {
    parts_.setup.drain();
    parts_.stream->items.wait_ready(parts_.flow.token());  // an engine that goes takes rows not yet run with it
    if (auto adopted = parts_.setup.adopt(std::move(**plan)); !adopted) return adopted;
  }
  use_engine();
  return {};
}

/// Serialized queries take a place among the frames; this thread waits until the task has answered. One whose answer is
/// known need not wait for the frames.
bool SinkSide::handle_query(GstQuery* query) {
  if (!GST_QUERY_IS_SERIALIZED(query)) return gst_pad_query_default(parts_.sink, GST_OBJECT(parts_.self), query) != 0;
  if (parts_.flow.now() != GST_FLOW_OK) return false;
  if (GST_QUERY_TYPE(query) == GST_QUERY_ALLOCATION && parts_.allocation.answer(query)) return true;
  parts_.setup.drain();
  return parts_.queries.ask(query, parts_.flow.token(),
                            [this](const QueryPlace& place) { parts_.stream->items.reserve(place, true); });
}

GstFlowReturn SinkSide::report(const Error& error) {
  post_error(parts_.self, error);
  return GST_FLOW_ERROR;
}

}  // namespace posecam::gst
