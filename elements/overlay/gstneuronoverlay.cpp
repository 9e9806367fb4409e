/**
 * SECTION:element-neuronoverlay
 *
 * Draws what neuroninfer found into the frames: skeletons, boxes, labels, scores and ids, in place, in the frame's own
 * format; lines and letters follow the frame's size. With blur=face or blur=person it first makes people
 * unrecognisable. A frame on which nothing is to be drawn passes untouched, whoever else holds it.
 *
 * A clip to an annotated H.264 file:
 * |[
 * gst-launch-1.0 -e filesrc location=clip.mp4 ! decodebin ! videoconvert ! neuroninfer ! neuronoverlay ! \
 *   videoconvert ! openh264enc ! h264parse ! mp4mux ! filesink location=annotated.mp4
 * ]|
 * A test picture, blurred where people would be:
 * |[
 * gst-launch-1.0 videotestsrc num-buffers=100 ! neuroninfer inference-interval=5 ! \
 *   neuronoverlay blur=face ! videoconvert ! autovideosink
 * ]|
 *
 * Since: 0.1
 */

#include "elements/overlay/gstneuronoverlay.h"

#include <array>

#include "elements/base/element_error.h"
#include "elements/base/handles.h"
#include "elements/base/props.h"
#include "elements/overlay/overlay_element.h"

using posecam::gst::guard;
using posecam::gst::OverlayElement;
using posecam::gst::OverlaySettings;

struct _GstNeuronOverlay {
  GstBaseTransform parent;
  GstVideoInfo info;  // of set_caps(); streaming thread
  OverlayElement* impl;
  OverlaySettings* settings;  // object lock
};

GST_DEBUG_CATEGORY_STATIC(gst_neuron_overlay_debug);
#define GST_CAT_DEFAULT gst_neuron_overlay_debug
G_DEFINE_TYPE_WITH_CODE(GstNeuronOverlay, gst_neuron_overlay, GST_TYPE_BASE_TRANSFORM,
                        GST_DEBUG_CATEGORY_INIT(gst_neuron_overlay_debug, "neuronoverlay", 0, "Skeletons and boxes"))
GST_ELEMENT_REGISTER_DEFINE(neuronoverlay, "neuronoverlay", GST_RANK_NONE, GST_TYPE_NEURON_OVERLAY)

namespace {

GstStaticPadTemplate g_sink =
    GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS(POSECAM_VIDEO_CAPS));
GstStaticPadTemplate g_src =
    GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS(POSECAM_VIDEO_CAPS));

using S = OverlaySettings;
using posecam::OptionWord;
using posecam::gst::Mutable;
using Property = posecam::gst::Property<S>;

constexpr std::array kBlurWords{OptionWord{"none", "Nobody"}, OptionWord{"face", "Heads"},
                                OptionWord{"person", "Whole people"}};

constexpr std::array kProperties{
    Property{{.name = "render-threshold",
              .field = &S::render_threshold,
              .range = {0, 1},
              .help = "Least score of a keypoint that is drawn, 0 to 1. What is blurred does not depend on it. May "
                      "change at any time, with effect from the next frame"},
             Mutable::kPlaying},
    Property{
        {.name = "draw-labels",
         .field = &S::draw_labels,
         .help = "Write the label, score and id of an object above its box, the id of a person above the skeleton, "
                 "and the likeliest class of the whole picture into its corner. May change at any time, with "
                 "effect from the next frame"},
        Mutable::kPlaying},
    Property{
        {.name = "blur",
         .field = &S::blur,
         .words = kBlurWords,
         .help = "Who is made unrecognisable, before anything is drawn: coarse blocks replace the pixels for good. "
                 "face: around nose, eyes and ears, else above the shoulders, or the top of a person's box; "
                 "person: everything of every pose and every object labelled person. Unsure people count too. "
                 "Frames that were not analysed (inference-interval, qos, errors) are blurred where people were "
                 "last seen, until the next analysed frame; the whole frame while none was analysed since the "
                 "start or a seek. May change at any time, with effect from the next frame"},
        Mutable::kPlaying},
    Property{
        {.name = "hold-people",
         .field = &S::hold_people,
         .help = "Draw what was found last on frames that were not analysed (inference-interval, qos, errors), for "
                 "one second of the video at most, and not beyond a seek, a gap or new caps. May change at any "
                 "time, with effect from the next frame"},
        Mutable::kPlaying},
};
constexpr std::span<const Property> kTable = kProperties;

void set_property(GObject* self, guint id, const GValue* value, GParamSpec*) {
  GST_OBJECT_LOCK(self);
  posecam::gst::set_property(kTable, *GST_NEURON_OVERLAY(self)->settings, id, value);
  GST_OBJECT_UNLOCK(self);
}

void get_property(GObject* self, guint id, GValue* value, GParamSpec*) {
  GST_OBJECT_LOCK(self);
  posecam::gst::get_property(kTable, *GST_NEURON_OVERLAY(self)->settings, id, value);
  GST_OBJECT_UNLOCK(self);
}

OverlayElement& impl(gpointer self) { return *GST_NEURON_OVERLAY(self)->impl; }

gboolean start(GstBaseTransform* self) {
  impl(self).start();
  return TRUE;
}

gboolean sink_event(GstBaseTransform* self, GstEvent* event) {
  if (GST_EVENT_TYPE(event) == GST_EVENT_FLUSH_STOP || GST_EVENT_TYPE(event) == GST_EVENT_STREAM_START) {
    impl(self).forget();
  }
  return GST_BASE_TRANSFORM_CLASS(gst_neuron_overlay_parent_class)->sink_event(self, event);
}

gboolean set_caps(GstBaseTransform* self, GstCaps* caps, GstCaps*) {
  GstVideoInfo& info = GST_NEURON_OVERLAY(self)->info;
  if (!gst_video_info_from_caps(&info, caps)) return FALSE;
  impl(self).use(info);
  return TRUE;
}

/// Frames are drawn on where downstream wants to have them: its pool, its strides.
gboolean propose_allocation(GstBaseTransform* self, GstQuery*, GstQuery* query) {
  const gboolean answered =
      GST_BASE_TRANSFORM_CLASS(gst_neuron_overlay_parent_class)->propose_allocation(self, nullptr, query);
  posecam::gst::refuse_crop_meta(query);
  return answered;
}

/// Only a frame that will change is made writable; it copies its pixels when it is mapped, if somebody else holds them.
GstFlowReturn prepare_output_buffer(GstBaseTransform* self, GstBuffer* in, GstBuffer** out) {
  return guard(GST_ELEMENT(self), GST_FLOW_ERROR, [&] {
    GST_OBJECT_LOCK(self);
    const OverlaySettings settings = *GST_NEURON_OVERLAY(self)->settings;
    GST_OBJECT_UNLOCK(self);
    const bool changes = impl(self).plan(in, settings);
    GST_LOG_OBJECT(self, "%" GST_PTR_FORMAT " %s", static_cast<void*>(in), changes ? "changes" : "passes untouched");
    *out = changes && !gst_buffer_is_writable(in) ? gst_buffer_copy(in) : in;
    return GST_FLOW_OK;
  });
}

/// A frame that should change and cannot is an error: it must not go on with the people on it unblurred.
GstFlowReturn transform_ip(GstBaseTransform* self, GstBuffer* buffer) {
  if (!impl(self).changes()) return GST_FLOW_OK;
  return guard(GST_ELEMENT(self), GST_FLOW_ERROR, [&] {
    posecam::gst::MappedFrame frame(GST_NEURON_OVERLAY(self)->info, buffer, GST_MAP_READWRITE);
    const auto done = frame ? impl(self).apply(frame.view()) : posecam::gst::unusable_frame();
    if (!done) posecam::gst::post_error(GST_ELEMENT(self), done.error());
    return done ? GST_FLOW_OK : GST_FLOW_ERROR;
  });
}

void finalize(GObject* self) {
  delete GST_NEURON_OVERLAY(self)->impl;
  delete GST_NEURON_OVERLAY(self)->settings;
  G_OBJECT_CLASS(gst_neuron_overlay_parent_class)->finalize(self);
}

}  // namespace

static void gst_neuron_overlay_class_init(GstNeuronOverlayClass* klass) {
  auto* object_class = G_OBJECT_CLASS(klass);
  object_class->set_property = set_property;
  object_class->get_property = get_property;
  object_class->finalize = finalize;
  posecam::gst::install_properties(object_class, kTable, "GstNeuron");

  auto* transform_class = GST_BASE_TRANSFORM_CLASS(klass);
  transform_class->start = GST_DEBUG_FUNCPTR(start);
  transform_class->set_caps = GST_DEBUG_FUNCPTR(set_caps);
  transform_class->sink_event = GST_DEBUG_FUNCPTR(sink_event);
  transform_class->propose_allocation = GST_DEBUG_FUNCPTR(propose_allocation);
  transform_class->prepare_output_buffer = GST_DEBUG_FUNCPTR(prepare_output_buffer);
  transform_class->transform_ip = GST_DEBUG_FUNCPTR(transform_ip);

  auto* element_class = GST_ELEMENT_CLASS(klass);
  gst_element_class_add_static_pad_template(element_class, &g_sink);
  gst_element_class_add_static_pad_template(element_class, &g_src);
  gst_element_class_set_static_metadata(element_class, "Skeleton and box overlay", "Filter/Editor/Video",
                                        "Draws the people and objects found on each frame", "The posecam authors");
}

static void gst_neuron_overlay_init(GstNeuronOverlay* self) {
  self->impl = new OverlayElement(GST_ELEMENT(self));
  self->settings = new OverlaySettings;
  // A late frame is drawn on like others: another branch of a tee may want it, and who was seen on it must be known.
  gst_base_transform_set_qos_enabled(GST_BASE_TRANSFORM(self), FALSE);
}
