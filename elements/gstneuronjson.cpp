/**
 * SECTION:element-neuronjson
 *
 * Writes what neuroninfer found on each frame as JSON and passes the frames on untouched.
 *
 * |[
 * gst-launch-1.0 -q filesrc location=clip.mp4 ! decodebin ! neuroninfer model=openpose ! neuronjson location=- !
 * fakesink
 * ]|
 *
 * Since: 0.1
 */

#include "elements/gstneuronjson.h"

#include <array>

#include "elements/element_error.h"
#include "elements/handles.h"
#include "elements/json_element.h"
#include "elements/props.h"

using posecam::gst::guard;
using posecam::gst::JsonElement;
using posecam::gst::JsonSettings;

struct _GstNeuronJson {
  GstBaseTransform parent;
  JsonElement* impl;
  JsonSettings* settings;  // object lock
};

G_DEFINE_TYPE(GstNeuronJson, gst_neuron_json, GST_TYPE_BASE_TRANSFORM)
GST_ELEMENT_REGISTER_DEFINE(neuronjson, "neuronjson", GST_RANK_NONE, GST_TYPE_NEURON_JSON)

namespace {

GstStaticPadTemplate g_sink =
    GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS("video/x-raw"));
GstStaticPadTemplate g_src =
    GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS("video/x-raw"));

using S = JsonSettings;
constexpr std::array kProperties{
    posecam::gst::Property<S>{"format", &S::format, 0, 0,
                              "ndjson: a line a frame; openpose: a file a frame; coco: keypoint results; motion: the "
                              "main person's keypoints"},
    posecam::gst::Property<S>{"location", &S::location, 0, 0,
                              "File to write, a folder for format=openpose, or - for standard output"},
    posecam::gst::Property<S>{"stream-id", &S::stream_id, 0, 0, "Name of the stream in the JSON"},
    posecam::gst::Property<S>{"clip-name", &S::clip_name, 0, 0, "Name of the clip, for the files of format=openpose"},
    posecam::gst::Property<S>{"names", &S::names, 0, 0,
                              "Names of still images, one a line, in the order of the frames"},
};
constexpr std::span<const posecam::gst::Property<S>> kTable = kProperties;

void set_property(GObject* self, guint id, const GValue* value, GParamSpec*) {
  GST_OBJECT_LOCK(self);
  posecam::gst::set_property(kTable, *GST_NEURON_JSON(self)->settings, id, value);
  GST_OBJECT_UNLOCK(self);
}

void get_property(GObject* self, guint id, GValue* value, GParamSpec*) {
  GST_OBJECT_LOCK(self);
  posecam::gst::get_property(kTable, *GST_NEURON_JSON(self)->settings, id, value);
  GST_OBJECT_UNLOCK(self);
}

/// Posts the failure of `step`, if it failed.
template <class Step>
bool succeed(gpointer self, Step&& step) {
  return guard(GST_ELEMENT(self), false, [&] {
    const posecam::Result<void> done = step();
    if (!done) posecam::gst::post_error(GST_ELEMENT(self), done.error());
    return static_cast<bool>(done);
  });
}

gboolean start(GstBaseTransform* self) {
  GST_OBJECT_LOCK(self);
  const JsonSettings settings = *GST_NEURON_JSON(self)->settings;
  GST_OBJECT_UNLOCK(self);
  return succeed(self, [&] { return GST_NEURON_JSON(self)->impl->start(settings); });
}

gboolean stop(GstBaseTransform* self) {
  GST_NEURON_JSON(self)->impl->stop();
  return TRUE;
}

gboolean set_caps(GstBaseTransform* self, GstCaps* caps, GstCaps*) {
  GstVideoInfo info;
  if (!gst_video_info_from_caps(&info, caps)) return FALSE;
  GST_NEURON_JSON(self)->impl->set_info(info);
  return TRUE;
}

GstFlowReturn transform_ip(GstBaseTransform* self, GstBuffer* buffer) {
  return succeed(self, [&] { return GST_NEURON_JSON(self)->impl->write(buffer, self->segment); }) ? GST_FLOW_OK
                                                                                                  : GST_FLOW_ERROR;
}

gboolean sink_event(GstBaseTransform* self, GstEvent* event) {
  if (GST_EVENT_TYPE(event) == GST_EVENT_EOS) succeed(self, [&] { return GST_NEURON_JSON(self)->impl->finish(); });
  return GST_BASE_TRANSFORM_CLASS(gst_neuron_json_parent_class)->sink_event(self, event);
}

void finalize(GObject* self) {
  delete GST_NEURON_JSON(self)->impl;
  delete GST_NEURON_JSON(self)->settings;
  G_OBJECT_CLASS(gst_neuron_json_parent_class)->finalize(self);
}

}  // namespace

static void gst_neuron_json_class_init(GstNeuronJsonClass* klass) {
  auto* object_class = G_OBJECT_CLASS(klass);
  object_class->set_property = set_property;
  object_class->get_property = get_property;
  object_class->finalize = finalize;
  posecam::gst::install_properties(object_class, kTable);

  auto* transform_class = GST_BASE_TRANSFORM_CLASS(klass);
  transform_class->start = start;
  transform_class->stop = stop;
  transform_class->set_caps = set_caps;
  transform_class->transform_ip = transform_ip;
  transform_class->sink_event = sink_event;
  transform_class->transform_ip_on_passthrough = TRUE;

  auto* element_class = GST_ELEMENT_CLASS(klass);
  gst_element_class_add_static_pad_template(element_class, &g_sink);
  gst_element_class_add_static_pad_template(element_class, &g_src);
  gst_element_class_set_static_metadata(element_class, "Keypoints and objects as JSON", "Filter/Metadata",
                                        "Writes the people and objects found on each frame as JSON",
                                        "The posecam authors");
}

static void gst_neuron_json_init(GstNeuronJson* self) {
  self->impl = new JsonElement;
  self->settings = new JsonSettings;
  gst_base_transform_set_passthrough(GST_BASE_TRANSFORM(self), TRUE);
}
