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

using posecam::gst::guard;
using posecam::gst::InferElement;
using posecam::gst::InferSettings;

struct _GstNeuronInfer {
  GstElement parent;
  InferElement* impl;
};

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
using posecam::gst::Choice;
using posecam::gst::Mutable;
using posecam::gst::register_choices;

GType precision_type() {
  static const GType type =
      register_choices("GstNeuronPrecision", {{0, "bf16 where the CPU calculates with it, else f32", "auto"},
                                              {1, "32 bit floating point", "f32"},
                                              {2, "bfloat16", "bf16"}});
  return type;
}
GType scheduling_type() {
  static const GType type = register_choices(
      "GstNeuronSchedulingPolicy", {{0, "Most frames a second: every core works on its own batch", "throughput"},
                                    {1, "Shortest way of a frame: all cores work on one batch", "latency"}});
  return type;
}
GType decode_type() {
  static const GType type = register_choices(
      "GstNeuronDecode", {{0, "Peaks near the heatmaps' own resolution, refined", "fast"},
                          {1, "tf-pose's own steps, many times slower, to compare with", "reference"}});
  return type;
}
GType region_type() {
  static const GType type = register_choices(
      "GstNeuronInferenceRegion",
      {{0, "Every frame as a whole", "full-frame"},
       {1, "Only the regions of interest that an element before marked on the frame, each as a picture of its own",
        "roi-list"}});
  return type;
}

constexpr std::array kProperties{
    posecam::gst::Property<S>{
        "model", &S::model, 0, 0,
        "Model to run: a name from `posecam models list`, or the path of a descriptor (.json); empty: openpose if "
        "it was pulled, else openpose-lite"},
    posecam::gst::Property<S>{
        "model-instance-id", &S::model_instance_id, 0, 0,
        "Elements of this process with the same id share one loaded model, and their frames share "
        "batches; their settings must agree. Empty: a model of its own"},
    posecam::gst::Property<S>{"device", &S::device, 0, 0,
                              "Where to run: auto, neuron, neuron-sim, openvino or opencv (see `posecam devices`)"},
    posecam::gst::Property<S>{
        "cores", &S::cores, 0, 0,
        "Cores to use: all, or a list such as 0-3 or 0,2; NeuronCores of the instance, or of those that "
        "NEURON_RT_VISIBLE_CORES leaves. On a CPU only their number counts"},
    posecam::gst::Property<S>{"net-resolution", &S::net_resolution, 0, 0,
                              "Network input as WIDTHxHEIGHT in pixels, one of them -1 to follow the video's aspect; "
                              "empty: the model's own"},
    posecam::gst::Property<S>{"precision", Choice<S>{&S::precision, precision_type}, 0, 0,
                              "Arithmetic of float networks (INT8 networks run as INT8)"},
    posecam::gst::Property<S>{"scheduling-policy", Choice<S>{&S::scheduling_policy, scheduling_type}, 0, 0,
                              "What the cores of the device work for"},
    posecam::gst::Property<S>{"decode", Choice<S>{&S::decode, decode_type}, 0, 0, "How maps become people"},
    posecam::gst::Property<S>{
        "labels-file", &S::labels_file, 0, 0,
        "Names of a detector's or classifier's classes in place of the model's own: a text file, one a line, in "
        "the order of the class numbers"},
    posecam::gst::Property<S>{"batch-size", &S::batch_size, 0, 64, "Frames in a batch; 0: the model's own"},
    posecam::gst::Property<S>{"max-batch-delay", &S::max_batch_delay_ms, 0, 10000,
                              "How long a frame may wait for others to fill its batch while its core is idle, in ms"},
    posecam::gst::Property<S>{"max-in-flight", &S::max_in_flight, 0, 65536,
                              "Frames under way in the engine at once, rounded to one or more batches for each core; "
                              "0: two batches each. Up to "
                              "three times as many, of 256 MB at most, wait for one that a slower core has"},
    posecam::gst::Property<S>{"dynamic-batch-size", &S::dynamic_batch_size, 0, 0,
                              "On neuron: run short batches too, padded to a compiled size. Off: batch-size must be a "
                              "compiled one, and the frames of a shorter batch are passed on marked as unanalysed"},
    posecam::gst::Property<S>{"core-retry", &S::core_retry_s, 0, 86400,
                              "Seconds after which a core that was lost is set up again; 0: never"},
    posecam::gst::Property<S>{"inference-interval", &S::inference_interval, 1, 1000000,
                              "Analyse every n-th frame (1: all of them); the others pass through, marked as skipped",
                              Mutable::kPlaying},
    posecam::gst::Property<S>{"inference-region", Choice<S>{&S::inference_region, region_type}, 0, 0,
                              "What the network sees of a frame"},
    posecam::gst::Property<S>{
        "object-class", &S::object_class, 0, 0,
        "With inference-region=roi-list: the class of the regions to analyse, as the element that "
        "marked them calls it; empty: all"},
    posecam::gst::Property<S>{"taps", &S::taps, 0, 99,
                              "Taps of the Gaussian that smooths heatmaps; 0: the model's own (decode=reference: 25)"},
    posecam::gst::Property<S>{"max-people", &S::max_people, -1, 1000, "Most people in a frame; -1: the model's own"},
    posecam::gst::Property<S>{"threshold", &S::threshold, -1, 1,
                              "Least confidence of a keypoint, object or class; -1: the model's own"},
    posecam::gst::Property<S>{"paf-threshold", &S::paf_threshold, -1, 1,
                              "Least agreement of a limb with its part affinity field; -1: the model's own"},
    posecam::gst::Property<S>{"nms-threshold", &S::nms_threshold, -1, 1,
                              "Overlap above which the weaker of two boxes is dropped; -1: the model's own"},
    posecam::gst::Property<S>{"qos", &S::qos, 0, 0,
                              "Pass frames on without analysis, marked as skipped, that would reach the sink too late; "
                              "no frame is dropped",
                              Mutable::kPlaying},
};
constexpr std::span<const posecam::gst::Property<S>> kTable = kProperties;
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
  posecam::gst::install_properties(object_class, kTable);
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
