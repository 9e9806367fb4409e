/**
 * SECTION:element-neuronjson
 *
 * Writes what neuroninfer found on each frame as JSON and passes the frames on untouched: it neither copies nor maps
 * them. When the output fails (a full disk, a reader that went away) it posts one error and stops the stream.
 *
 * Lines on standard output as the frames come:
 * |[
 * gst-launch-1.0 -q filesrc location=clip.mp4 ! decodebin ! videoconvert ! neuroninfer ! neuronjson ! \
 *   fakesink sync=false
 * ]|
 * An annotated video and a document a frame beside it:
 * |[
 * gst-launch-1.0 -e filesrc location=clip.mp4 ! decodebin ! videoconvert ! neuroninfer ! \
 *   neuronjson format=openpose location=people clip-name=clip ! neuronoverlay ! videoconvert ! openh264enc ! \
 *   h264parse ! mp4mux ! filesink location=annotated.mp4
 * ]|
 *
 * Since: 0.1
 */

#include "elements/json/gstneuronjson.h"

#include <array>
#include <cstdint>
#include <limits>

#include "elements/base/element_error.h"
#include "elements/base/handles.h"
#include "elements/base/props.h"
#include "elements/json/json_element.h"
#include "models/core/names.h"

using posecam::gst::guard;
using posecam::gst::JsonElement;
using posecam::gst::JsonSettings;

struct _GstNeuronJson {
  GstBaseTransform parent;
  JsonElement* impl;
  JsonSettings* settings;  // object lock
};

GST_DEBUG_CATEGORY_STATIC(gst_neuron_json_debug);
#define GST_CAT_DEFAULT gst_neuron_json_debug
G_DEFINE_TYPE_WITH_CODE(GstNeuronJson, gst_neuron_json, GST_TYPE_BASE_TRANSFORM,
                        GST_DEBUG_CATEGORY_INIT(gst_neuron_json_debug, "neuronjson", 0, "Results as JSON"))
GST_ELEMENT_REGISTER_DEFINE(neuronjson, "neuronjson", GST_RANK_NONE, GST_TYPE_NEURON_JSON)

namespace {

GstStaticPadTemplate g_sink =
    GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS("video/x-raw"));
GstStaticPadTemplate g_src =
    GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS("video/x-raw"));

using S = JsonSettings;
using posecam::OptionWord;
using Property = posecam::gst::Property<S>;

constexpr std::array kFormatWords{OptionWord{"ndjson", "One line of JSON a frame, written at once"},
                                  OptionWord{"openpose", "OpenPose's documents, one file a frame"},
                                  OptionWord{"coco", "One array of COCO results: keypoints, or a detector's boxes"},
                                  OptionWord{"motion", "Frame by frame the keypoints of the clip's main person"}};

constexpr std::array kProperties{
    Property{{.name = "format",
              .field = &S::format,
              .words = kFormatWords,
              .help = "What is written. Results of motion are known only at the end of the stream. May change in NULL "
                      "and READY"}},
    Property{{.name = "location",
              .field = &S::location,
              .help = "File to write, a folder for format=openpose, or - for standard output. A regular file is called "
                      "LOCATION.part until the stream ends, whole lines of ndjson can be read from it meanwhile; "
                      "devices, pipes and sockets are written straight. May change in NULL and READY"}},
    Property{{.name = "fd",
              .field = &S::fd,
              .range = {-1, std::numeric_limits<std::int32_t>::max()},
              .help =
                  "Descriptor of a regular file that the application opened for writing, emptied, and gives its name "
                  "when the stream has ended; location is then its name in messages. -1: none. May change in NULL "
                  "and READY"}},
    Property{{.name = "stream-id",
              .field = &S::stream_id,
              .help = "Name of the stream in each line of ndjson. May change in NULL and READY"}},
    Property{{.name = "clip-name",
              .field = &S::clip_name,
              .help = "Name of the clip, with which the files of format=openpose begin. May change in NULL and READY"}},
    Property{{.name = "names",
              .field = &S::names,
              .help = "Names of still images, one a line: of their files with format=openpose; the last number in each "
                      "is the image id with format=coco. A buffer's offset, if it has one, is the place of its name, "
                      "else they are in the order of the frames. May change in NULL and READY"}},
    Property{{.name = "files",
              .field = &S::files,
              .help = "Names of the files of still images, one a line, in the order of names: file in each line of "
                      "ndjson. May change in NULL and READY"}},
};
constexpr std::span<const Property> kTable = kProperties;
constexpr guint kHealth = kProperties.size() + 1;

void set_property(GObject* self, guint id, const GValue* value, GParamSpec*) {
  if (!posecam::gst::may_change(GST_ELEMENT(self), kTable, id)) return;
  GST_OBJECT_LOCK(self);
  posecam::gst::set_property(kTable, *GST_NEURON_JSON(self)->settings, id, value);
  GST_OBJECT_UNLOCK(self);
}

/// The caller frees it.
GstStructure* to_structure(const posecam::SinkHealth& health, std::uint64_t source_dropped) {
  return gst_structure_new("neuron-sink-health", "state", G_TYPE_STRING, std::string(to_string(health.state)).c_str(),
                           "written", G_TYPE_UINT64, health.written, "dropped", G_TYPE_UINT64, health.dropped,
                           "source-dropped", G_TYPE_UINT64, source_dropped, "last-error", G_TYPE_STRING,
                           health.last_error.c_str(), nullptr);
}

void get_property(GObject* self, guint id, GValue* value, GParamSpec*) {
  if (id == kHealth) {
    const JsonElement& impl = *GST_NEURON_JSON(self)->impl;
    g_value_take_boxed(value, to_structure(impl.health(), impl.source_dropped()));
    return;
  }
  GST_OBJECT_LOCK(self);
  posecam::gst::get_property(kTable, *GST_NEURON_JSON(self)->settings, id, value);
  GST_OBJECT_UNLOCK(self);
}

/// Posts the failure of `step`, unless it was told before.
template <class Step>
bool succeed(gpointer self, Step&& step) {
  return guard(GST_ELEMENT(self), false, [&] {
    const posecam::Result<void> done = step();
    if (!done && done.error().code != posecam::Errc::kCancelled) {
      posecam::gst::post_error(GST_ELEMENT(self), done.error());
    }
    return static_cast<bool>(done);
  });
}

gboolean start(GstBaseTransform* self) {
  GST_OBJECT_LOCK(self);
  const JsonSettings settings = *GST_NEURON_JSON(self)->settings;
  GST_OBJECT_UNLOCK(self);
  GST_DEBUG_OBJECT(self, "writing %s to %s", settings.format.c_str(), settings.location.c_str());
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

/// Frames that its source has lost, if the event is one that says so.
std::uint64_t dropped_frames(GstEvent* event) {
  const GstStructure* what = gst_event_get_structure(event);
  guint64 frames = 0;
  if (what && gst_structure_has_name(what, posecam::kDroppedEvent)) {
    gst_structure_get_uint64(what, posecam::kDroppedFrames, &frames);
  }
  return frames;
}

gboolean sink_event(GstBaseTransform* self, GstEvent* event) {
  if (GST_EVENT_TYPE(event) == GST_EVENT_CUSTOM_DOWNSTREAM) {
    GST_NEURON_JSON(self)->impl->note_dropped(dropped_frames(event));
  }
  if (GST_EVENT_TYPE(event) == GST_EVENT_EOS) succeed(self, [&] { return GST_NEURON_JSON(self)->impl->finish(); });
  return GST_BASE_TRANSFORM_CLASS(gst_neuron_json_parent_class)->sink_event(self, event);
}

GstStateChangeReturn change_state(GstElement* self, GstStateChange change) {
  if (change == GST_STATE_CHANGE_PAUSED_TO_READY) GST_NEURON_JSON(self)->impl->unlock();
  return GST_ELEMENT_CLASS(gst_neuron_json_parent_class)->change_state(self, change);
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
  posecam::gst::install_properties(object_class, kTable, "GstNeuronJson");
  g_object_class_install_property(
      object_class, kHealth,
      g_param_spec_boxed("health", "health",
                         "How the output is: its state (open, failed or closed), results written and dropped, frames "
                         "that a live source lost (source-dropped), and the last error",
                         GST_TYPE_STRUCTURE, static_cast<GParamFlags>(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS)));

  auto* transform_class = GST_BASE_TRANSFORM_CLASS(klass);
  transform_class->start = GST_DEBUG_FUNCPTR(start);
  transform_class->stop = GST_DEBUG_FUNCPTR(stop);
  transform_class->set_caps = GST_DEBUG_FUNCPTR(set_caps);
  transform_class->transform_ip = GST_DEBUG_FUNCPTR(transform_ip);
  transform_class->sink_event = GST_DEBUG_FUNCPTR(sink_event);
  transform_class->transform_ip_on_passthrough = TRUE;

  auto* element_class = GST_ELEMENT_CLASS(klass);
  element_class->change_state = change_state;
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
