#include "elements/infer/infer_element.h"

#include <utility>

namespace posecam::gst {

InferElement::InferElement(GstElement* self, GstPad* sink, GstPad* src)
    : parts_(self, sink, src, SourceSide::loop, &source_), sink_(parts_), source_(parts_) {}

Result<void> InferElement::open() {
  auto opened = parts_.setup.open();
  if (opened) sink_.use_engine();
  return opened;
}

Result<void> InferElement::prepare() {
  auto prepared = parts_.setup.prepare();
  if (prepared) sink_.use_engine();
  return prepared;
}

bool InferElement::activate(bool active) {
  if (!active) {
    const bool stopped = parts_.flow.deactivate();
    parts_.allocation.forget();  // it holds a pool of frames
    parts_.stream->items.clear([](InferItem&) {});
    return stopped;
  }
  parts_.stream->items.clear([](InferItem&) {});  // the streaming thread may have added some since the task was stopped
  parts_.stats.reset();
  parts_.lateness.reset();
  parts_.allocation.forget();
  sink_.start();
  source_.start();
  parts_.flow.activate();
  return true;
}

bool InferElement::handle_src_query(GstQuery* query) {
  if (GST_QUERY_TYPE(query) != GST_QUERY_LATENCY) {
    return gst_pad_query_default(parts_.src, GST_OBJECT(parts_.self), query) != 0;
  }
  if (!gst_pad_peer_query(parts_.sink, query)) return false;
  gboolean live = FALSE;
  GstClockTime min = 0;
  GstClockTime max = 0;
  gst_query_parse_latency(query, &live, &min, &max);
  const GstClockTime own = latency();
  source_.told_latency(own);
  gst_query_set_latency(query, live, min + own, max == GST_CLOCK_TIME_NONE ? max : max + own);
  return true;
}

bool InferElement::handle_src_event(EventPtr event) {
  if (GST_EVENT_TYPE(event.get()) == GST_EVENT_QOS) parts_.lateness.heed(event.get());
  if (GST_EVENT_TYPE(event.get()) == GST_EVENT_RECONFIGURE) {
    parts_.allocation.forget();
    parts_.flow.relinked();
  }
  return gst_pad_event_default(parts_.src, GST_OBJECT(parts_.self), event.release()) != 0;
}

}  // namespace posecam::gst
