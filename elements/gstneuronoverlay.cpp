/**
 * SECTION:element-neuronoverlay
 *
 * Draws what neuroninfer found into the frames: skeletons, boxes, labels and ids, in place, in the frame's own format.
 *
 * |[
 * gst-launch-1.0 filesrc location=clip.mp4 ! decodebin ! neuroninfer model=openpose ! videoconvert ! neuronoverlay !
 * x264enc ! mp4mux ! filesink location=out.mp4
 * ]|
 *
 * Since: 0.1
 */

#include "elements/gstneuronoverlay.h"

#include <array>

#include "elements/element_error.h"
#include "elements/handles.h"
#include "elements/props.h"
#include "elements/result_meta.h"
#include "postprocess/draw.h"

using posecam::gst::guard;

namespace {

struct OverlaySettings {
  float render_threshold = 0.05F;
  bool draw_labels = true;
};

}  // namespace

struct _GstNeuronOverlay {
  GstVideoFilter parent{};
  OverlaySettings settings;  // object lock
};

G_DEFINE_TYPE(GstNeuronOverlay, gst_neuron_overlay, GST_TYPE_VIDEO_FILTER)
GST_ELEMENT_REGISTER_DEFINE(neuronoverlay, "neuronoverlay", GST_RANK_NONE, GST_TYPE_NEURON_OVERLAY)

namespace {

GstStaticPadTemplate g_sink =
    GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS(POSECAM_VIDEO_CAPS));
GstStaticPadTemplate g_src =
    GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS(POSECAM_VIDEO_CAPS));

using S = OverlaySettings;
constexpr std::array kProperties{
    posecam::gst::Property<S>{"render-threshold", &S::render_threshold, 0, 1,
                              "Least score of a keypoint that is drawn"},
    posecam::gst::Property<S>{"draw-labels", &S::draw_labels, 0, 0, "Write labels, scores and ids beside boxes"},
};
constexpr std::span<const posecam::gst::Property<S>> kTable = kProperties;

void set_property(GObject* self, guint id, const GValue* value, GParamSpec*) {
  GST_OBJECT_LOCK(self);
  posecam::gst::set_property(kTable, GST_NEURON_OVERLAY(self)->settings, id, value);
  GST_OBJECT_UNLOCK(self);
}

void get_property(GObject* self, guint id, GValue* value, GParamSpec*) {
  GST_OBJECT_LOCK(self);
  posecam::gst::get_property(kTable, GST_NEURON_OVERLAY(self)->settings, id, value);
  GST_OBJECT_UNLOCK(self);
}

GstFlowReturn transform_frame_ip(GstVideoFilter* self, GstVideoFrame* frame) {
  return guard(GST_ELEMENT(self), GST_FLOW_ERROR, [&] {
    const auto result = posecam::gst::get_result(frame->buffer);
    if (!result) return GST_FLOW_OK;
    if (!posecam::gst::rows_in_memory(*frame)) {
      const posecam::Error error{posecam::Errc::kMedia,
                                 "a frame's memory is smaller than its video meta says: put videoconvert before the "
                                 "element that made it"};
      posecam::gst::post_error(GST_ELEMENT(self), error);
      return GST_FLOW_ERROR;
    }
    GST_OBJECT_LOCK(self);
    const OverlaySettings settings = GST_NEURON_OVERLAY(self)->settings;
    GST_OBJECT_UNLOCK(self);
    posecam::DrawOptions options;
    options.min_score = settings.render_threshold;
    options.labels = settings.draw_labels;
    const auto drawn = posecam::draw(*result, options, posecam::gst::view_of(frame));
    if (!drawn) posecam::gst::post_error(GST_ELEMENT(self), drawn.error());
    return drawn ? GST_FLOW_OK : GST_FLOW_ERROR;
  });
}

}  // namespace

static void gst_neuron_overlay_class_init(GstNeuronOverlayClass* klass) {
  auto* object_class = G_OBJECT_CLASS(klass);
  object_class->set_property = set_property;
  object_class->get_property = get_property;
  posecam::gst::install_properties(object_class, kTable);
  GST_VIDEO_FILTER_CLASS(klass)->transform_frame_ip = transform_frame_ip;

  auto* element_class = GST_ELEMENT_CLASS(klass);
  gst_element_class_add_static_pad_template(element_class, &g_sink);
  gst_element_class_add_static_pad_template(element_class, &g_src);
  gst_element_class_set_static_metadata(element_class, "Skeleton and box overlay", "Filter/Editor/Video",
                                        "Draws the people and objects found on each frame", "The posecam authors");
}

static void gst_neuron_overlay_init(GstNeuronOverlay* self) { self->settings = OverlaySettings{}; }
