#include "tests/system/live_stream.h"

#include <chrono>

#include <gst/base/gstbasesink.h>

namespace posecam::test {
namespace {

constexpr const char* kLatencyMs = "200";  // of the jitter buffer: what the sink waits at least

GstElement* find(GstElement* pipeline, const char* name) { return gst_bin_get_by_name(GST_BIN(pipeline), name); }

GstClockTime latency_at(GstElement* element, const char* pad_name) {
  GstPad* pad = gst_element_get_static_pad(element, pad_name);
  GstQuery* query = gst_query_new_latency();
  GstClockTime least = GST_CLOCK_TIME_NONE;
  const bool known =
      gst_pad_get_direction(pad) == GST_PAD_SRC ? gst_pad_query(pad, query) != 0 : gst_pad_peer_query(pad, query) != 0;
  if (known) gst_query_parse_latency(query, nullptr, &least, nullptr);
  gst_query_unref(query);
  gst_object_unref(pad);
  return least;
}

}  // namespace

LiveStream::LiveStream(const RtspServer& camera, const std::string& infer)
    : pipeline_(launch("rtspsrc name=camera protocols=tcp latency=" + std::string(kLatencyMs) +
                       " ! rtph264depay ! decodebin ! neuroninfer name=infer " + infer +
                       " ! queue name=queue max-size-time=0 max-size-bytes=0 max-size-buffers=100 ! "
                       "neuronjson location=/dev/null ! fakesink name=sink sync=true signal-handoffs=true")) {
  GstElement* source = find(pipeline_.get(), "camera");
  g_object_set(source, "location", camera.url().c_str(), "user-id", RtspServer::kUser, "user-pw", RtspServer::kPassword,
               nullptr);
  gst_object_unref(source);
  GstBus* bus = gst_element_get_bus(pipeline_.get());
  gst_bus_set_sync_handler(bus, see_message, this, nullptr);
  gst_object_unref(bus);
  watch("infer", "sink", Place::kInto);
  watch("infer", "src", Place::kOut);
  GstElement* sink = find(pipeline_.get(), "sink");
  g_signal_connect(sink, "handoff", G_CALLBACK(handoff), this);
  gst_object_unref(sink);
}

void LiveStream::give_password(const char* password) {
  GstElement* source = find(pipeline_.get(), "camera");
  g_object_set(source, "user-pw", password, nullptr);
  gst_object_unref(source);
}

LiveStream::~LiveStream() {
  stop();
  for (const auto& watch : watches_) {
    gst_pad_remove_probe(watch->pad, watch->probe);
    gst_object_unref(watch->pad);
  }
}

void LiveStream::watch(const char* element, const char* pad, Place place) {
  GstElement* found = find(pipeline_.get(), element);
  auto watch = std::make_unique<Watch>(Watch{this, place, gst_element_get_static_pad(found, pad), 0});
  watch->probe = gst_pad_add_probe(
      watch->pad, GST_PAD_PROBE_TYPE_BUFFER,
      [](GstPad* at, GstPadProbeInfo* info, gpointer data) {
        auto* w = static_cast<Watch*>(data);
        w->stream->see(w->place, at, GST_PAD_PROBE_INFO_BUFFER(info));
        return GST_PAD_PROBE_OK;
      },
      watch.get(), nullptr);
  watches_.push_back(std::move(watch));
  gst_object_unref(found);
}

/// What gst-launch and every application with a live pipeline must do: tell the sink of a latency that has changed.
GstBusSyncReply LiveStream::see_message(GstBus*, GstMessage* message, gpointer self) {
  if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_LATENCY) {
    gst_element_call_async(
        static_cast<LiveStream*>(self)->pipeline_.get(),
        [](GstElement* pipeline, gpointer) { gst_bin_recalculate_latency(GST_BIN(pipeline)); }, nullptr, nullptr);
  }
  return GST_BUS_PASS;
}

void LiveStream::handoff(GstElement*, GstBuffer* buffer, GstPad* pad, gpointer self) {
  static_cast<LiveStream*>(self)->see(Place::kShown, pad, buffer);
}

void LiveStream::see(Place place, GstPad* pad, GstBuffer* buffer) {
  GstEvent* event = gst_pad_get_sticky_event(pad, GST_EVENT_SEGMENT, 0);
  const GstSegment* segment = nullptr;
  gst_event_parse_segment(event, &segment);
  const GstClockTime pts = GST_BUFFER_PTS(buffer);
  const GstClockTime time = gst_segment_to_running_time(segment, GST_FORMAT_TIME, pts);
  gst_event_unref(event);
  const auto due = place == Place::kShown
                       ? static_cast<GstClockTimeDiff>(gst_base_sink_get_latency(GST_BASE_SINK(GST_PAD_PARENT(pad))))
                       : 0;
  const auto late = GST_CLOCK_DIFF(time, gst_element_get_current_running_time(pipeline_.get()));
  {
    std::lock_guard lock(mutex_);
    switch (place) {
      case Place::kInto:
        under_way_[pts] = {.into = late, .time = time};
        ++in_;
        break;
      case Place::kOut:
        under_way_[pts].out = late;
        ++out_;
        break;
      case Place::kShown: {
        Passage passage = under_way_[pts];
        under_way_.erase(pts);
        passage.shown = late;
        passage.due = due;
        shown_.push_back(passage);
        break;
      }
    }
  }
  changed_.notify_all();
}

bool LiveStream::wait_frames(std::size_t frames, int seconds) {
  std::unique_lock lock(mutex_);
  const std::size_t wanted = shown_.size() + frames;
  return changed_.wait_for(lock, std::chrono::seconds(seconds), [&] { return shown_.size() >= wanted; });
}

bool LiveStream::wait_all_out(int seconds) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, std::chrono::seconds(seconds), [&] { return out_ == in_; });
}

bool LiveStream::finish() {
  gst_element_send_event(pipeline_.get(), gst_event_new_eos());
  return wait_end(10) == "eos";
}

std::string LiveStream::wait_end(int seconds) {
  GstBus* bus = gst_element_get_bus(pipeline_.get());
  GstMessage* message = gst_bus_timed_pop_filtered(bus, static_cast<GstClockTime>(seconds) * GST_SECOND,
                                                   static_cast<GstMessageType>(GST_MESSAGE_ERROR | GST_MESSAGE_EOS));
  gst_object_unref(bus);
  if (!message) return {};
  std::string text = "eos";
  if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR) {
    GError* error = nullptr;
    gst_message_parse_error(message, &error, nullptr);
    text = error->message;
    g_error_free(error);
  }
  gst_message_unref(message);
  return text;
}

std::size_t LiveStream::frames_in() const {
  std::lock_guard lock(mutex_);
  return in_;
}

std::size_t LiveStream::frames_out() const {
  std::lock_guard lock(mutex_);
  return out_;
}

std::vector<Passage> LiveStream::passages(std::size_t first) const {
  std::lock_guard lock(mutex_);
  return {shown_.begin() + static_cast<std::ptrdiff_t>(first), shown_.end()};
}

std::size_t LiveStream::shown() const {
  std::lock_guard lock(mutex_);
  return shown_.size();
}

GstClockTime LiveStream::reported_latency() const {
  GstElement* infer = find(pipeline_.get(), "infer");
  const GstClockTime latency = latency_at(infer, "src") - latency_at(infer, "sink");
  gst_object_unref(infer);
  return latency;
}

GstClockTime LiveStream::pipeline_latency() const {
  GstElement* sink = find(pipeline_.get(), "sink");
  const GstClockTime latency = latency_at(sink, "sink");
  gst_object_unref(sink);
  return latency;
}

unsigned LiveStream::queue_level() const {
  GstElement* queue = find(pipeline_.get(), "queue");
  guint level = 0;
  g_object_get(queue, "current-level-buffers", &level, nullptr);
  gst_object_unref(queue);
  return level;
}

}  // namespace posecam::test
