#include "app/session/stream.h"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "app/session/repeat.h"
#include "models/core/text.h"
#include "pipeline/output/result_file.h"

namespace posecam {
namespace {

/// True for the elements before the network: what they fail at ends the input, not its outputs.
bool is_within(GstObject* object, GstElement* bin) {
  return object == GST_OBJECT(bin) || gst_object_has_as_ancestor(object, GST_OBJECT(bin)) != FALSE;
}

/// Why nothing in the input can be decoded, from decodebin's debug text: "Missing decoder: NAME (CAPS)" lines.
std::string without_decoder(std::string_view debug) {
  constexpr std::string_view kMarker = "Missing decoder: ";
  std::size_t at = debug.find(kMarker);
  for (; at != debug.npos; at = debug.find(kMarker, at)) {
    at += kMarker.size();
    const std::string_view line = debug.substr(at, debug.find('\n', at) - at);
    if (line.find("(audio/") != line.npos) continue;  // not wanted, hence not looked for
    return fmt::format("no decoder for {} is installed; try: apt install gstreamer1.0-libav",
                       line.substr(0, line.rfind(" (", line.find("/x-"))));
  }
  return "no video in it";
}

/// Our own elements say which kind of error it is.
std::optional<Errc> own_code(GstMessage* message) {
  const GstStructure* details = nullptr;
  gst_message_parse_error_details(message, &details);
  int code = 0;
  if (details == nullptr || gst_structure_get_int(details, "posecam-code", &code) == FALSE) return {};
  return static_cast<Errc>(code);
}

}  // namespace

Stream::Stream(Topology topology, Input input, Outputs outputs, std::function<void()> on_finished,
               std::function<void(const std::string&)> warn)
    : topology_(std::move(topology)),
      input_(std::move(input)),
      outputs_(std::move(outputs)),
      on_finished_(std::move(on_finished)),
      warn_(std::move(warn)) {
  GstBus* bus = gst_element_get_bus(topology_.pipeline.get());
  watch_ = gst_bus_add_watch(bus, on_message, this);
  gst_object_unref(bus);
}

Stream::~Stream() {
  if (watch_ != 0) g_source_remove(watch_);
  gst_element_set_state(topology_.pipeline.get(), GST_STATE_NULL);
}

Result<void> Stream::open() {
  if (input_.repeats && !input_.uri.empty()) catch_clip_end(topology_.source);
  if (gst_element_set_state(topology_.pipeline.get(), GST_STATE_READY) != GST_STATE_CHANGE_FAILURE) return {};
  GstBus* bus = gst_element_get_bus(topology_.pipeline.get());
  GstMessage* message = gst_bus_pop_filtered(bus, GST_MESSAGE_ERROR);
  Error error{Errc::kDevice, fmt::format("{}: the pipeline cannot be started", input_.given)};
  if (message != nullptr) {
    error = to_error(message);
    gst_message_unref(message);
  }
  gst_object_unref(bus);
  give_up();
  return error;
}

void Stream::play() {
  if (gst_element_set_state(topology_.pipeline.get(), GST_STATE_PLAYING) == GST_STATE_CHANGE_FAILURE) {
    // The reason is on the bus; this one is for an element that gave none.
    gst_element_post_message(
        topology_.pipeline.get(),
        gst_message_new_element(GST_OBJECT(topology_.pipeline.get()), gst_structure_new_empty("start-failed")));
  }
}

void Stream::end_early() {
  if (finished_ || ending_) return;
  if (topology_.gate->frames == 0) {
    give_up();
    finish();
  } else {
    push_end();
  }
}

/// An EOS behind whatever the source has sent, however far it is and whatever it is doing.
void Stream::push_end() {
  ending_ = true;
  GstPad* sink = gst_element_get_static_pad(topology_.inlet, "sink");
  gst_pad_send_event(sink, gst_event_new_eos());
  gst_object_unref(sink);
}

StreamStats Stream::stats() const {
  if (finished_) return last_;
  StreamStats stats = read_stats(topology_.infer);
  const std::int64_t first = topology_.gate->first_frame_us;
  stats.seconds = first == 0 ? 0 : static_cast<double>(g_get_monotonic_time() - first) / 1e6;
  return stats;
}

std::optional<std::uint64_t> Stream::expected_frames() const {
  std::optional<std::uint64_t> total;
  gint64 nanoseconds = 0;
  const double fps = topology_.gate->fps;
  if (input_.kind == InputKind::kImages) {
    total = input_.images.size();
  } else if (!input_.live() && fps > 0 && !finished_ &&
             gst_element_query_duration(topology_.source, GST_FORMAT_TIME, &nanoseconds) != FALSE && nanoseconds > 0) {
    total = static_cast<std::uint64_t>(std::llround(static_cast<double>(nanoseconds) / 1e9 * fps));
  }
  if (finished_) total = last_.frames;
  const std::uint64_t limit = topology_.gate->limit;
  if (limit > 0) total = total ? std::min(*total, limit) : limit;
  return total;
}

gboolean Stream::on_message(GstBus*, GstMessage* message, gpointer self) {
  static_cast<Stream*>(self)->handle(message);
  return G_SOURCE_CONTINUE;
}

void Stream::handle(GstMessage* message) {
  if (finished_) return;
  switch (GST_MESSAGE_TYPE(message)) {
    case GST_MESSAGE_ERROR: return handle_error(message);
    case GST_MESSAGE_WARNING: return handle_warning(message);
    case GST_MESSAGE_ELEMENT: return handle_element_message(message);
    case GST_MESSAGE_EOS: complete(); return finish();
    case GST_MESSAGE_LATENCY: gst_bin_recalculate_latency(GST_BIN(topology_.pipeline.get())); return;
    default: return;
  }
}

void Stream::handle_error(GstMessage* message) {
  fail(to_error(message));
  const bool of_input = topology_.source != nullptr && is_within(GST_MESSAGE_SRC(message), topology_.source);
  if (of_input && topology_.gate->frames > 0) {
    if (!ending_) push_end();  // what was decoded is kept
    return;
  }
  give_up();
  finish();
}

/// Those of our own; what other elements warn of is theirs to log.
void Stream::handle_warning(GstMessage* message) {
  if (!is_within(GST_MESSAGE_SRC(message), topology_.infer)) return;
  GError* error = nullptr;
  gst_message_parse_warning(message, &error, nullptr);
  warn_(without_full_stop(error->message));
  g_error_free(error);
}

void Stream::handle_element_message(GstMessage* message) {
  const GstStructure* what = gst_message_get_structure(message);
  if (gst_structure_has_name(what, "image-unreadable") != FALSE) {
    const Error error{Errc::kMedia, fmt::format("{}: cannot be decoded as an image; its results say unanalysed",
                                                gst_structure_get_string(what, "path"))};
    if (failure_) warn_(error.message);
    fail(error);
  } else if (gst_structure_has_name(what, kClipEnded) != FALSE) {
    if (!ending_) restart_clip(topology_.source);
  } else if (gst_structure_has_name(what, "no-frames") != FALSE) {
    fail({Errc::kMedia, fmt::format("{}: no video frames in it", input_.given)});
    give_up();
    finish();
  } else if (gst_structure_has_name(what, "start-failed") != FALSE) {
    fail({Errc::kMedia, fmt::format("{}: cannot be opened", input_.given)});
    give_up();
    finish();
  }
}

void Stream::fail(Error error) {
  if (!failure_) failure_ = std::move(error);
}

Error Stream::to_error(GstMessage* message) const {
  GError* error = nullptr;
  gchar* debug = nullptr;
  gst_message_parse_error(message, &error, &debug);
  const std::string text = without_full_stop(error->message);
  const auto own = own_code(message);
  Error result{own.value_or(Errc::kMedia), text};
  if (own) {
    // Says all there is to say.
  } else if (error->domain == GST_RESOURCE_ERROR && error->code == GST_RESOURCE_ERROR_NO_SPACE_LEFT) {
    result.message = fmt::format("{}: no space left on its disk", outputs_.video);
  } else if (is_within(GST_MESSAGE_SRC(message), topology_.infer)) {
    result = {Errc::kDevice, text};
  } else if (topology_.source != nullptr && !is_within(GST_MESSAGE_SRC(message), topology_.source)) {
    result.message = fmt::format("{}: {}: {}", input_.given, GST_OBJECT_NAME(GST_MESSAGE_SRC(message)), text);
  } else if (!input_.damage.empty()) {
    result.message = fmt::format("{}: {}", input_.given, input_.damage);
  } else if (error->domain == GST_CORE_ERROR && error->code == GST_CORE_ERROR_MISSING_PLUGIN) {
    result.message = fmt::format("{}: {}", input_.given, without_decoder(debug == nullptr ? "" : debug));
  } else if (error->domain == GST_STREAM_ERROR && error->code == GST_STREAM_ERROR_TYPE_NOT_FOUND) {
    result.message = fmt::format("{}: neither a video nor an image", input_.given);
  } else if (input_.kind == InputKind::kAddress) {
    result.message = fmt::format(
        "{}: cannot be reached or read: {}; check the address, the network, and user and password", input_.given, text);
  } else {
    result.message = fmt::format("{}: cannot be read as video: {}", input_.given, text);
  }
  g_error_free(error);
  g_free(debug);
  return result;
}

/// All data has arrived: closes the files and gives the video its name.
void Stream::complete() {
  last_ = stats();
  gst_element_set_state(topology_.pipeline.get(), GST_STATE_NULL);
  complete_ = true;
  if (!input_.damage.empty()) fail({Errc::kMedia, fmt::format("{}: {}", input_.given, input_.damage)});
  if (outputs_.video.empty() || std::rename(part_name(outputs_.video).c_str(), outputs_.video.c_str()) == 0) return;
  fail({Errc::kMedia, fmt::format("{}: cannot take its name: {}", outputs_.video, std::strerror(errno))});
}

/// Nothing more can come. A video without its index is of no use to anybody; unfinished JSON stays as FILE.part.
void Stream::give_up() {
  last_ = stats();
  gst_element_set_state(topology_.pipeline.get(), GST_STATE_NULL);
  if (last_.frames == 0) {
    discard_parts(outputs_);
  } else if (!outputs_.video.empty()) {
    std::remove(part_name(outputs_.video).c_str());
  }
}

void Stream::finish() {
  if (std::exchange(finished_, true)) return;
  on_finished_();
}

}  // namespace posecam
