/**
 * SECTION:element-neuroninfer
 *
 * Runs a pose or detection network on every frame and attaches what it found as metadata. Frames of all elements with
 * one model-instance-id are batched together onto all cores of the device; each stream keeps its order. Frames are
 * never dropped, copied or changed.
 *
 * |[
 * gst-launch-1.0 -q filesrc location=clip.mp4 ! decodebin ! neuroninfer model=openpose-lite ! neuronjson location=- ! \
 *   fakesink
 * gst-launch-1.0 filesrc location=clip.mp4 ! decodebin ! neuroninfer model=openpose-lite ! neuronoverlay ! \
 *   videoconvert ! openh264enc ! h264parse ! mp4mux ! filesink location=out.mp4
 * ]|
 *
 * Since: 0.1
 */

#include "elements/infer/gstneuroninfer.h"

#include <array>

#include "elements/base/element_error.h"
#include "elements/base/props.h"
#include "elements/infer/infer_element.h"
#include "pipeline/settings/engine_options.h"

using posecam::gst::guard;
using posecam::gst::InferElement;
using posecam::gst::InferSettings;

GST_DEBUG_CATEGORY_STATIC(gst_neuron_infer_debug);
#define GST_CAT_DEFAULT gst_neuron_infer_debug
G_DEFINE_TYPE(GstNeuronInfer, gst_neuron_infer, GST_TYPE_ELEMENT)
GST_ELEMENT_REGISTER_DEFINE(neuroninfer, "neuroninfer", GST_RANK_NONE, GST_TYPE_NEURON_INFER)

namespace {

GstStaticPadTemplate g_sink =
    GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS(POSECAM_VIDEO_CAPS));
GstStaticPadTemplate g_src =
    GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS(POSECAM_VIDEO_CAPS));

using S = InferSettings;
using posecam::OptionWord;
using posecam::gst::Mutable;
using Property = posecam::gst::Property<S>;

constexpr std::array kRegionWords{
    OptionWord{"auto", "follow for a network that looks at one person, else full-frame"},
    OptionWord{"full-frame", "Every frame as a whole"},
    OptionWord{"follow",
               "What is about the person of the frame before; the whole frame at first and when the person is lost"},
    OptionWord{
        "roi-list",
        "Only the regions of interest that an element before marked on the frame, each as a picture of its own"}};

/// What the element adds to the options of an engine.
constexpr std::array kOwnProperties{
    Property{{.name = "model-instance-id",
              .field = &S::model_instance_id,
              .help = "Elements of this process with the same id share one loaded model, and their frames share "
                      "batches; their settings must agree. Empty: a model of its own"}},
    Property{{.name = "inference-interval",
              .field = &S::inference_interval,
              .range = {1, 1000000},
              .help = "Analyse every n-th frame (1: all of them); the others pass through, marked as skipped"},
             Mutable::kPlaying},
    Property{{.name = "inference-region",
              .field = &S::inference_region,
              .words = kRegionWords,
              .help = "What the network sees of a frame"}},
    Property{{.name = "object-class",
              .field = &S::object_class,
              .help = "With inference-region=roi-list: the class of the regions to analyse, as the element that marked "
                      "them calls it; empty: all"}},
    Property{
        {.name = "repeat-objects",
         .field = &S::repeat_objects,
         .help = "Frames that are left out (inference-interval) get the objects of the last frame that was not, marked "
                 "as repeated: for a detector before a network that looks at its regions"}},
    Property{
        {.name = "qos",
         .field = &S::qos,
         .help = "Pass frames on without analysis, marked as skipped, that would reach the sink too late; no frame "
                 "is dropped"},
        Mutable::kPlaying},
};

constexpr auto kProperties = [] {
  std::array<Property, posecam::kEngineOptions.size() + kOwnProperties.size()> all;
  std::size_t n = 0;
  for (const auto& option : posecam::kEngineOptions) all[n++] = {option.of<S>()};
  for (const Property& own : kOwnProperties) all[n++] = own;
  return all;
}();
constexpr std::span<const Property> kTable = kProperties;
constexpr guint kStats = kProperties.size() + 1;
constexpr guint kLatency = kStats + 1;

InferElement& impl_of(gpointer self) { return *GST_NEURON_INFER(self)->impl; }

void set_property(GObject* self, guint id, const GValue* value, GParamSpec*) {
  if (!posecam::gst::may_change(GST_ELEMENT(self), kTable, id)) return;
  impl_of(self).change_settings(
      [&](InferSettings& settings) { posecam::gst::set_property(kTable, settings, id, value); });
}

void get_property(GObject* self, guint id, GValue* value, GParamSpec*) {
  if (id == kStats) {
    g_value_take_boxed(value, impl_of(self).stats());
  } else if (id == kLatency) {
    g_value_set_uint64(value, impl_of(self).latency());
  } else {
    posecam::gst::get_property(kTable, impl_of(self).settings(), id, value);
  }
}

GstFlowReturn chain(GstPad*, GstObject* self, GstBuffer* buffer) {
  return guard(GST_ELEMENT(self), GST_FLOW_ERROR, [&] { return impl_of(self).push(posecam::gst::BufferPtr(buffer)); });
}

gboolean sink_event(GstPad*, GstObject* self, GstEvent* event) {
  return guard(GST_ELEMENT(self), FALSE, [&] { return impl_of(self).handle_event(posecam::gst::EventPtr(event)); });
}

gboolean sink_query(GstPad*, GstObject* self, GstQuery* query) {
  return guard(GST_ELEMENT(self), FALSE, [&] { return impl_of(self).handle_query(query); });
}

gboolean src_query(GstPad*, GstObject* self, GstQuery* query) {
  return guard(GST_ELEMENT(self), FALSE, [&] { return impl_of(self).handle_src_query(query); });
}

gboolean src_event(GstPad*, GstObject* self, GstEvent* event) {
  return guard(GST_ELEMENT(self), FALSE, [&] { return impl_of(self).handle_src_event(posecam::gst::EventPtr(event)); });
}

gboolean activate_src(GstPad*, GstObject* self, GstPadMode mode, gboolean active) {
  if (mode != GST_PAD_MODE_PUSH) return FALSE;
  return guard(GST_ELEMENT(self), FALSE, [&] { return impl_of(self).activate(active != 0); });
}

/// Posts the failure of `step`, if it failed.
template <class Step>
bool succeed(GstElement* self, Step&& step) {
  return guard(self, false, [&] {
    const posecam::Result<void> done = step();
    if (!done) posecam::gst::post_error(self, done.error());
    return static_cast<bool>(done);
  });
}

GstStateChangeReturn change_state(GstElement* self, GstStateChange change) {
  if (change == GST_STATE_CHANGE_NULL_TO_READY && !succeed(self, [&] { return impl_of(self).open(); })) {
    return GST_STATE_CHANGE_FAILURE;
  }
  if (change == GST_STATE_CHANGE_READY_TO_PAUSED && !succeed(self, [&] { return impl_of(self).prepare(); })) {
    return GST_STATE_CHANGE_FAILURE;
  }
  const auto changed = GST_ELEMENT_CLASS(gst_neuron_infer_parent_class)->change_state(self, change);
  if (change == GST_STATE_CHANGE_READY_TO_NULL) impl_of(self).close();
  return changed;
}

void finalize(GObject* self) {
  delete GST_NEURON_INFER(self)->impl;
  G_OBJECT_CLASS(gst_neuron_infer_parent_class)->finalize(self);
}

}  // namespace

static void gst_neuron_infer_class_init(GstNeuronInferClass* klass) {
  GST_DEBUG_CATEGORY_INIT(gst_neuron_infer_debug, "neuroninfer", 0, "pose estimation and detection");
  auto* object_class = G_OBJECT_CLASS(klass);
  object_class->set_property = set_property;
  object_class->get_property = get_property;
  object_class->finalize = finalize;
  posecam::gst::install_properties(object_class, kTable, "GstNeuron");
  g_object_class_install_property(
      object_class, kStats,
      g_param_spec_boxed("stats", "stats",
                         "Frames by outcome, people, batches, cores lost, and median, p90 and p99 of each stage",
                         GST_TYPE_STRUCTURE, static_cast<GParamFlags>(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS)));
  g_object_class_install_property(
      object_class, kLatency,
      g_param_spec_uint64(
          "latency", "latency",
          "What the element adds to the latency of a live pipeline, in ns: max-batch-delay and the 99th "
          "percentile of a frame's way through the element",
          0, G_MAXUINT64, 0, static_cast<GParamFlags>(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS)));

  auto* element_class = GST_ELEMENT_CLASS(klass);
  element_class->change_state = change_state;
  gst_element_class_add_static_pad_template(element_class, &g_sink);
  gst_element_class_add_static_pad_template(element_class, &g_src);
  gst_element_class_set_static_metadata(element_class, "Pose estimation and detection", "Filter/Video",
                                        "Finds people and objects in video and attaches them to the frames",
                                        "The posecam authors");
}

static void gst_neuron_infer_init(GstNeuronInfer* self) {
  GstPad* sink = gst_pad_new_from_static_template(&g_sink, "sink");
  gst_pad_set_chain_function(sink, GST_DEBUG_FUNCPTR(chain));
  gst_pad_set_event_function(sink, GST_DEBUG_FUNCPTR(sink_event));
  gst_pad_set_query_function(sink, GST_DEBUG_FUNCPTR(sink_query));
  GST_PAD_SET_PROXY_CAPS(sink);
  gst_element_add_pad(GST_ELEMENT(self), sink);

  GstPad* src = gst_pad_new_from_static_template(&g_src, "src");
  gst_pad_set_query_function(src, GST_DEBUG_FUNCPTR(src_query));
  gst_pad_set_event_function(src, GST_DEBUG_FUNCPTR(src_event));
  gst_pad_set_activatemode_function(src, GST_DEBUG_FUNCPTR(activate_src));
  GST_PAD_SET_PROXY_CAPS(src);
  gst_element_add_pad(GST_ELEMENT(self), src);

  self->impl = new InferElement(GST_ELEMENT(self), sink, src);
}
