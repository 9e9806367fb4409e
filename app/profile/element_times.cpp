// GStreamer's tracer interface is declared unstable; these two hooks are as they have been since 1.8.
#define GST_USE_UNSTABLE_API

#include "app/profile/element_times.h"

#include <array>
#include <chrono>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include <gst/gst.h>
#include <gst/gsttracer.h>

#include "models/core/stage_log.h"

namespace posecam {
namespace {

using Clock = StageSpan::Clock;

/// A push that has not come back yet.
struct Push {
  std::optional<Stage> stage;
  Clock::time_point begin;
  Clock::duration nested{};  ///< spent in what it pushed on into elements of other stages
};
thread_local std::vector<Push> pushes;

/// What an element does, by its factory: by name for those that have no class of their own.
std::optional<Stage> stage_of(GstElement* element) {
  GstElementFactory* factory = gst_element_get_factory(element);
  if (!factory) return {};
  constexpr std::array<std::pair<std::string_view, Stage>, 6> kByName{{{"neuronoverlay", Stage::kDraw},
                                                                       {"neuronjson", Stage::kPublish},
                                                                       {"videoflip", Stage::kConvert},
                                                                       {"filesink", Stage::kPublish},
                                                                       {"fdsink", Stage::kPublish},
                                                                       {"h264parse", Stage::kPublish}}};
  const std::string_view name = GST_OBJECT_NAME(factory);
  for (const auto& [known, stage] : kByName) {
    if (name == known) return stage;
  }
  const gchar* text = gst_element_factory_get_metadata(factory, GST_ELEMENT_METADATA_KLASS);
  const std::string_view klass = text ? text : "";
  const auto is = [klass](std::string_view word) { return klass.find(word) != std::string_view::npos; };
  if (is("Decoder") && is("Video") && !is("Bin")) return Stage::kDecode;
  if (is("Encoder")) return Stage::kEncode;
  if (is("Muxer")) return Stage::kPublish;
  if (is("Converter") || is("Scaler")) return Stage::kConvert;
  return {};
}

/// Asked for every push: remembered with the element.
std::optional<Stage> known_stage_of(GstElement* element) {
  static const GQuark quark = g_quark_from_static_string("posecam-stage");
  constexpr int kNone = 1;
  int known = GPOINTER_TO_INT(g_object_get_qdata(G_OBJECT(element), quark));
  if (known == 0) {
    const auto stage = stage_of(element);
    known = stage ? static_cast<int>(*stage) + kNone + 1 : kNone;
    g_object_set_qdata(G_OBJECT(element), quark, GINT_TO_POINTER(known));
  }
  return known == kNone ? std::nullopt : std::optional(static_cast<Stage>(known - kNone - 1));
}

/// The element behind a source pad, through the borders of bins.
GstElement* receiver_of(GstPad* pad) {
  GstPad* peer = gst_pad_get_peer(pad);
  GstElement* element = peer && !GST_IS_PROXY_PAD(peer) ? gst_pad_get_parent_element(peer) : nullptr;
  if (peer) gst_object_unref(peer);
  return element;
}

void push_begins(GObject*, GstClockTime, GstPad* pad, GstBuffer*) {
  Push push;
  if (GstElement* element = receiver_of(pad)) {
    push.stage = known_stage_of(element);
    gst_object_unref(element);
  }
  push.begin = Clock::now();
  pushes.push_back(push);
}

void push_ends(GObject*, GstClockTime, GstPad*, GstFlowReturn) {
  if (pushes.empty()) return;  // it began before anybody listened
  const Push push = pushes.back();
  pushes.pop_back();
  const auto whole = Clock::now() - push.begin;
  if (!pushes.empty() && pushes.back().stage == push.stage) {  // one span for neighbours of one stage
    pushes.back().nested += push.nested;
    return;
  }
  if (push.stage) StageLog::add({*push.stage, 1, -1, push.begin, push.begin + whole, push.nested});
  if (!pushes.empty()) pushes.back().nested += whole;
}

struct Listener {
  GstTracer parent;
};
struct ListenerClass {
  GstTracerClass parent;
};
G_DEFINE_TYPE(Listener, posecam_listener, GST_TYPE_TRACER)
void posecam_listener_class_init(ListenerClass*) {}
void posecam_listener_init(Listener* self) {
  gst_tracing_register_hook(&self->parent, "pad-push-pre", G_CALLBACK(push_begins));
  gst_tracing_register_hook(&self->parent, "pad-push-post", G_CALLBACK(push_ends));
}

}  // namespace

void log_element_times() {
  static GObject* const listener = G_OBJECT(g_object_new(posecam_listener_get_type(), nullptr));  // hooks are for ever
  (void)listener;
}

}  // namespace posecam
