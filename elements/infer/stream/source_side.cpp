#include "elements/infer/stream/source_side.h"

#include <utility>

#include "elements/base/element_error.h"
#include "elements/meta/result_meta.h"
#include "postprocess/draw/regions.h"

namespace posecam::gst {

SourceSide::SourceSide(InferParts& parts) : parts_(parts), reports_(parts) {
  gst_segment_init(&segment_, GST_FORMAT_TIME);
}

void SourceSide::start() {
  reports_.start();
  gst_segment_init(&segment_, GST_FORMAT_TIME);
  parts_.discontinuity = true;
  repeat_.reset();
  if (parts_.setup.settings().repeat_objects) repeat_.emplace();
}

void SourceSide::loop(gpointer self) {
  auto& side = *static_cast<SourceSide*>(self);
  const auto stop = side.parts_.flow.begin_turn();
  if (!stop) return;
  const bool done = guard(side.parts_.self, false, [&] {
    side.turn(*stop);
    return true;
  });
  if (!done) side.parts_.flow.stop_after_error(*stop);
  side.parts_.flow.end_turn();
}

void SourceSide::turn(const std::stop_token& stop) {
  auto item = parts_.stream->items.pop(stop);
  if (!item) return;
  if (auto* frame = std::get_if<InferFrame>(&*item)) {
    if (parts_.flow.refused()) return;
    if (const GstFlowReturn flow = forward(std::move(*frame)); flow != GST_FLOW_OK) parts_.flow.stop_after(flow, stop);
  } else if (auto* event = std::get_if<EventPtr>(&*item)) {
    forward(std::move(*event));
  } else {
    parts_.queries.answer(std::get<QueryPlace>(*item), [this](GstQuery* query) { return answer(query); });
  }
}

GstFlowReturn SourceSide::forward(InferFrame frame) {
  parts_.stats.count(*frame.result, std::chrono::duration<float, std::milli>(frame.done - frame.arrived).count());
  reports_.see_frame();
  BufferPtr buffer(gst_buffer_make_writable(frame.buffer.release()));
  FrameResult& result = *frame.result;
  if (const auto before = get_result(buffer.get())) result = merge(*before, std::move(result));
  if (repeat_ || !stages_.empty()) run_stages(buffer.get(), frame.size, result);
  add_regions(buffer.get(), result, frame.size.width, frame.size.height);
  add_result(buffer.get(), std::move(frame.result));  // from here on nobody changes it
  return gst_pad_push(parts_.src, buffer.release());
}

void SourceSide::run_stages(GstBuffer* buffer, Size size, FrameResult& result) {
  if (parts_.discontinuity.exchange(false) || GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_DISCONT)) {
    if (repeat_) repeat_->reset();
    for (const auto& stage : stages_) stage->reset();
  }
  const StageFrame frame{stream_time_ns(segment_, buffer), size};
  if (repeat_) repeat_->process(frame, result);
  for (const auto& stage : stages_) stage->process(frame, result);
}

/// What the event means for the frames behind it.
void SourceSide::heed(GstEvent* event) {
  switch (GST_EVENT_TYPE(event)) {
    case GST_EVENT_STREAM_START:
    case GST_EVENT_CAPS: parts_.discontinuity = true; break;
    case GST_EVENT_SEGMENT: {
      const GstSegment* segment = nullptr;
      gst_event_parse_segment(event, &segment);
      if (!gst_segment_is_equal(segment, &segment_)) parts_.discontinuity = true;
      gst_segment_copy_into(segment, &segment_);
      break;
    }
    default: break;
  }
}

void SourceSide::forward(EventPtr event) {
  heed(event.get());
  if (GST_EVENT_TYPE(event.get()) == GST_EVENT_EOS) reports_.end_stream();
  const bool beginning = begins_frames(event.get());
  gst_pad_push_event(parts_.src, event.release());
  if (beginning) parts_.flow.passed_beginning();
}

bool SourceSide::answer(GstQuery* query) {
  const std::uint64_t changes = parts_.allocation.changes();
  const bool answered = gst_pad_peer_query(parts_.src, query) != 0;
  if (GST_QUERY_TYPE(query) != GST_QUERY_ALLOCATION) return answered;
  refuse_crop_meta(query);
  const auto engine = parts_.setup.engine();
  if (engine) ask_for_buffers(query, engine->max_in_flight() + kSpareFrames);
  parts_.allocation.remember(query, changes);
  return true;
}

}  // namespace posecam::gst
