#include "app/session/graph/inlet.h"

#include <algorithm>
#include <string_view>

#include <gst/base/gstbasetransform.h>

#include "app/session/handles.h"
#include "models/core/names.h"

namespace posecam {
namespace {

/// Decoded frames that wait for the network: enough to keep it busy while the decoder works on a large frame.
constexpr guint kInletFrames = 8;
constexpr guint kInletBytes = 256U << 20;  // of pictures it may be one
/// Frames of a live source that wait: the newest are worth most.
constexpr guint kLiveFrames = 2;
constexpr double kUnknownRate = 25;  // frames a second, of a clip that says nothing
/// After a frame of the same or an earlier time. Muxers round to a millisecond (Matroska) or less.
constexpr GstClockTime kLeastStep = GST_MSECOND;

/// Numbers the frames of a live source, so that one that is missing behind the queue is noticed.
GstPadProbeReturn count_arrival(GstPad*, GstPadProbeInfo* info, gpointer data) {
  auto& gate = *static_cast<Gate*>(data);
  gate.last_arrival_us = g_get_monotonic_time();
  const std::uint64_t number = ++gate.arrived;
  if (!gate.live) return GST_PAD_PROBE_OK;
  GstBuffer* buffer = gst_buffer_make_writable(GST_PAD_PROBE_INFO_BUFFER(info));
  GST_BUFFER_OFFSET(buffer) = number;
  GST_PAD_PROBE_INFO_DATA(info) = buffer;
  return GST_PAD_PROBE_OK;
}

/// Tells those behind it how many frames are missing before this one.
void tell_dropped(GstPad* pad, Gate& gate, std::uint64_t number) {
  if (number <= gate.last_number || number > gate.arrived) return;  // came before it was known that the source is live
  const std::uint64_t missing = number - gate.last_number - 1;
  gate.last_number = number;
  if (missing == 0) return;
  gate.dropped += missing;
  gst_pad_push_event(
      pad, gst_event_new_custom(GST_EVENT_CUSTOM_DOWNSTREAM,
                                gst_structure_new(kDroppedEvent, kDroppedFrames, G_TYPE_UINT64, missing, nullptr)));
}

GstClockTime frame_time(const Gate& gate) {
  const double fps = gate.fps > 0 ? gate.fps.load() : kUnknownRate;
  return static_cast<GstClockTime>(static_cast<double>(GST_SECOND) / fps);
}

/// The running time of a frame whose own does not rise: the smallest step that keeps the order, so that the true times
/// go on behind it. Frames without a time, and more than two of one time, are a frame apart.
GstClockTime risen(const Gate& gate, bool has_time) {
  if (gate.last_time == GST_CLOCK_TIME_NONE) return 0;
  const GstClockTime frame = frame_time(gate);
  return gate.last_time + (has_time && gate.standing == 0 ? std::min(kLeastStep, frame / 2) : frame);
}

/// Muxers and readers of results count on times that rise, in running time: a chained file begins its own anew. The
/// last frame of a video is shown as long as its duration says; without one, muxers leave it out.
GstBuffer* with_rising_time(GstBuffer* buffer, Gate& gate) {
  GstClockTime time = gst_segment_to_running_time(&gate.segment, GST_FORMAT_TIME, GST_BUFFER_PTS(buffer));
  const bool has_time = GST_CLOCK_TIME_IS_VALID(time);
  const bool rises = has_time && (gate.last_time == GST_CLOCK_TIME_NONE || time > gate.last_time);
  const bool lasts = GST_BUFFER_DURATION_IS_VALID(buffer) && GST_BUFFER_DURATION(buffer) > 0;
  if (!rises || !lasts) buffer = gst_buffer_make_writable(buffer);
  if (!rises) {
    time = risen(gate, has_time);
    const GstClockTime position = gst_segment_position_from_running_time(&gate.segment, GST_FORMAT_TIME, time);
    GST_BUFFER_PTS(buffer) = GST_CLOCK_TIME_IS_VALID(position) ? position : gate.segment.stop;  // there is none behind
  }
  gate.standing = rises ? 0 : gate.standing + 1;
  if (rises && gate.last_time != GST_CLOCK_TIME_NONE) gate.step = time - gate.last_time;
  if (!lasts) {
    const bool known = gate.fps > 0 || gate.step == GST_CLOCK_TIME_NONE;
    GST_BUFFER_DURATION(buffer) = known ? frame_time(gate) : gate.step;
  }
  gate.last_time = time;
  return buffer;
}

/// Heeds what is said of the frames to come. True if the event goes on.
bool heed(GstPad* pad, GstEvent* event, Gate& gate) {
  switch (GST_EVENT_TYPE(event)) {
    case GST_EVENT_SEGMENT: gst_event_copy_segment(event, &gate.segment); return true;
    case GST_EVENT_CAPS: {
      GstCaps* caps = nullptr;
      gst_event_parse_caps(event, &caps);
      int n = 0;
      int d = 1;
      if (gst_structure_get_fraction(gst_caps_get_structure(caps, 0), "framerate", &n, &d) != FALSE && d > 0) {
        gate.fps = static_cast<double>(n) / d;
      }
      return true;
    }
    case GST_EVENT_EOS: {
      gate.ended = gate.frames > 0;
      if (gate.ended) return true;
      // An end without a frame is a failure: nothing behind the gate may take it for a complete output.
      GstElement* inlet = gst_pad_get_parent_element(pad);
      gst_element_post_message(inlet, gst_message_new_element(GST_OBJECT(inlet), gst_structure_new_empty("no-frames")));
      gst_object_unref(inlet);
      return false;
    }
    default: return true;
  }
}

/// Counts frames, and ends the stream after the last one that was asked for.
GstPadProbeReturn pass_gate(GstPad* pad, GstPadProbeInfo* info, gpointer data) {
  auto& gate = *static_cast<Gate*>(data);
  if ((GST_PAD_PROBE_INFO_TYPE(info) & GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM) != 0) {
    return heed(pad, GST_PAD_PROBE_INFO_EVENT(info), gate) ? GST_PAD_PROBE_OK : GST_PAD_PROBE_DROP;
  }
  GstBuffer* buffer = GST_PAD_PROBE_INFO_BUFFER(info);
  if (gate.limit > 0 && gate.frames == gate.limit) {
    gst_pad_push_event(pad, gst_event_new_eos());
    gst_buffer_unref(buffer);
    GST_PAD_PROBE_INFO_FLOW_RETURN(info) = GST_FLOW_EOS;
    return GST_PAD_PROBE_HANDLED;
  }
  if (gate.live) tell_dropped(pad, gate, GST_BUFFER_OFFSET(buffer));
  if (gate.frames++ == 0) gate.first_frame_us = g_get_monotonic_time();
  GST_PAD_PROBE_INFO_DATA(info) = with_rising_time(buffer, gate);
  return GST_PAD_PROBE_OK;
}

/// Wakes the turner when the clip says that it lies on its side.
GstPadProbeReturn watch_orientation(GstPad*, GstPadProbeInfo* info, gpointer flip) {
  GstEvent* event = GST_PAD_PROBE_INFO_EVENT(info);
  if (GST_EVENT_TYPE(event) != GST_EVENT_TAG) return GST_PAD_PROBE_OK;
  GstTagList* tags = nullptr;
  gst_event_parse_tag(event, &tags);
  gchar* orientation = nullptr;
  if (gst_tag_list_get_string(tags, GST_TAG_IMAGE_ORIENTATION, &orientation) != FALSE) {
    gst_base_transform_set_passthrough(GST_BASE_TRANSFORM(flip), std::string_view(orientation) == "rotate-0");
    g_free(orientation);
  }
  return GST_PAD_PROBE_OK;
}

/// Phones store video lying on its side; it is turned before the network. videoflip copies every frame even when there
/// is nothing to turn (1.22), hence the passthrough until a tag asks for it. It takes fewer formats than decoders make,
/// so it stands behind the converter.
void add_turner(Builder& build, GstElement* inlet) {
  GstElement* flip = build.append("videoflip");
  if (flip == nullptr || inlet == nullptr) return;
  set_word(flip, "video-direction", "auto");
  gst_base_transform_set_passthrough(GST_BASE_TRANSFORM(flip), TRUE);
  probe(inlet, "src", GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, watch_orientation, flip);
}

}  // namespace

GstElement* add_inlet(Builder& build, bool may_be_turned, Gate& gate) {
  GstElement* inlet = build.append("queue");
  set(inlet, "max-size-bytes", kInletBytes, "max-size-time", guint64{0}, "max-size-buffers", kInletFrames);
  gst_segment_init(&gate.segment, GST_FORMAT_TIME);
  probe(inlet, "sink", GST_PAD_PROBE_TYPE_BUFFER, count_arrival, &gate);
  const auto what = static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM);
  probe(inlet, "src", what, pass_gate, &gate);
  set(build.append("videoconvert"), "n-threads", 0U);
  if (may_be_turned) add_turner(build, inlet);
  return inlet;
}

void make_live(GstElement* inlet, Gate& gate) {
  gate.live = true;
  set_word(inlet, "leaky", "downstream");
  set(inlet, "max-size-buffers", kLiveFrames);
}

bool is_starving(GstElement* inlet) {
  guint waiting = 0;
  g_object_get(inlet, "current-level-buffers", &waiting, nullptr);
  return waiting == 0;
}

}  // namespace posecam
