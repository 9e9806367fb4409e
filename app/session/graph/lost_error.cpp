#include "app/session/graph/lost_error.h"

#include "app/session/handles.h"

namespace posecam {
namespace {

bool is_demuxer(GstElement* element) {
  GstElementFactory* factory = gst_element_get_factory(element);
  return factory != nullptr && gst_element_factory_list_is_type(factory, GST_ELEMENT_FACTORY_TYPE_DEMUXER) != FALSE;
}

/// A task that paused itself: those of elements that wait for room, or for the clock, are running all the while. A
/// demuxer that reached the end of its file had outputs.
bool has_stopped(GstElement* demuxer) {
  const PadPtr sink(gst_element_get_static_pad(demuxer, "sink"));
  return sink != nullptr && gst_pad_get_task_state(sink.get()) == GST_TASK_PAUSED;
}

bool has_outputs(GstElement* element) {
  GST_OBJECT_LOCK(element);
  const bool any = element->numsrcpads > 0;
  GST_OBJECT_UNLOCK(element);
  return any;
}

void report_if_stopped(const GValue* item, gpointer) {
  auto* element = GST_ELEMENT(g_value_get_object(item));
  if (!is_demuxer(element) || has_outputs(element) || !has_stopped(element)) return;
  GST_ELEMENT_ERROR(element, STREAM, DEMUX, ("it has no stream that can be read"), ("its own error was lost"));
}

}  // namespace

void report_lost_error(GstElement* source) {
  if (GST_IS_BIN(source) == FALSE) return;
  GstIterator* all = gst_bin_iterate_recurse(GST_BIN(source));
  while (gst_iterator_foreach(all, report_if_stopped, nullptr) == GST_ITERATOR_RESYNC) gst_iterator_resync(all);
  gst_iterator_free(all);
}

}  // namespace posecam
