#include "app/session/graph/repeat.h"

namespace posecam {
namespace {

struct Pass {
  bool has_frames = false;
};

GstPadProbeReturn look(GstPad* pad, GstPadProbeInfo* info, gpointer data) {
  auto& pass = *static_cast<Pass*>(data);
  if ((GST_PAD_PROBE_INFO_TYPE(info) & GST_PAD_PROBE_TYPE_BUFFER) != 0) {
    pass.has_frames = true;
    return GST_PAD_PROBE_OK;
  }
  if (GST_EVENT_TYPE(GST_PAD_PROBE_INFO_EVENT(info)) != GST_EVENT_EOS || !pass.has_frames) return GST_PAD_PROBE_OK;
  GstElement* source = gst_pad_get_parent_element(pad);
  if (source == nullptr) return GST_PAD_PROBE_OK;
  gst_element_post_message(source, gst_message_new_element(GST_OBJECT(source), gst_structure_new_empty(kClipEnded)));
  gst_object_unref(source);
  return GST_PAD_PROBE_DROP;
}

/// Each opening has pads of its own.
void watch(GstElement*, GstPad* pad, gpointer) {
  if (gst_pad_is_linked(pad) == FALSE) return;  // another stream of the clip
  const auto what = static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM);
  gst_pad_add_probe(pad, what, look, new Pass, [](gpointer pass) { delete static_cast<Pass*>(pass); });
}

}  // namespace

void catch_clip_end(GstElement* source) { g_signal_connect(source, "pad-added", G_CALLBACK(watch), nullptr); }

void restart_clip(GstElement* source) {
  gst_element_set_state(source, GST_STATE_READY);
  gst_element_sync_state_with_parent(source);
}

}  // namespace posecam
