#include "elements/infer/source_side.h"

#include <utility>

#include "elements/meta/result_meta.h"
#include "postprocess/draw/regions.h"

namespace posecam::gst {

void SourceSide::turn() {
  auto item = parts_.stream->items.pop(parts_.flow.token());
  if (!item) {
    parts_.flow.rest();
  } else if (auto* frame = std::get_if<InferFrame>(&*item)) {
    if (const GstFlowReturn flow = forward(std::move(*frame)); flow != GST_FLOW_OK) parts_.flow.stop_after(flow);
  } else if (auto* event = std::get_if<EventPtr>(&*item)) {
    forward(std::move(*event));
  } else {
    parts_.queries.answer(std::get<QueryPlace>(*item), [this](GstQuery* query) { return answer(query); });
  }
}

GstFlowReturn SourceSide::forward(InferFrame frame) {
  parts_.stats.count(*frame.result, std::chrono::duration<float, std::milli>(frame.done - frame.arrived).count());
  reports_.see_frame();
  GstBuffer* buffer = gst_buffer_make_writable(frame.buffer.release());
  if (const auto before = get_result(buffer)) {
    frame.result = std::make_shared<const FrameResult>(merge(*before, *frame.result));
  }
  add_regions(buffer, *frame.result, frame.size.width, frame.size.height);
  add_result(buffer, std::move(frame.result));
  return gst_pad_push(parts_.src, buffer);
}

void SourceSide::forward(EventPtr event) {
  if (GST_EVENT_TYPE(event.get()) == GST_EVENT_EOS) reports_.end_stream();
  gst_pad_push_event(parts_.src, event.release());
}

bool SourceSide::answer(GstQuery* query) {
  const bool answered = gst_pad_peer_query(parts_.src, query) != 0;
  if (GST_QUERY_TYPE(query) != GST_QUERY_ALLOCATION) return answered;
  refuse_crop_meta(query);
  const auto engine = parts_.setup.engine();
  if (engine) ask_for_buffers(query, engine->max_in_flight() + kSpareFrames);
  return true;
}

}  // namespace posecam::gst
