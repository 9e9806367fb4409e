#include "app/session/bus_error.h"

#include <cerrno>
#include <cstring>
#include <optional>
#include <string_view>

#include <fmt/format.h>

#include "models/core/text.h"

namespace posecam {
namespace {

/// Muxers that keep frames in a file of their own know it from the system only.
bool is_full_disk(const GError& error, const gchar* debug) {
  if (error.domain != GST_RESOURCE_ERROR) return false;
  return error.code == GST_RESOURCE_ERROR_NO_SPACE_LEFT ||
         (error.code == GST_RESOURCE_ERROR_WRITE && debug != nullptr &&
          std::strstr(debug, std::strerror(ENOSPC)) != nullptr);
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

bool is_within(GstObject* object, GstElement* bin) {
  return object == GST_OBJECT(bin) || gst_object_has_as_ancestor(object, GST_OBJECT(bin)) != FALSE;
}

std::string why_no_video(std::string_view debug) {
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

Error to_error(GstMessage* message, const SessionSpec& spec, const Topology& topology) {
  const Input& input = spec.input;
  GError* error = nullptr;
  gchar* debug = nullptr;
  gst_message_parse_error(message, &error, &debug);
  const std::string text = without_full_stop(error->message);
  const auto own = own_code(message);
  Error result{own.value_or(Errc::kMedia), text};
  if (own) {
    // Says all there is to say.
  } else if (is_full_disk(*error, debug)) {
    result.message = fmt::format("{}: no space left on its disk", spec.video.file);
  } else if (is_within(GST_MESSAGE_SRC(message), topology.infer)) {
    result = {Errc::kDevice, text};
  } else if (GST_MESSAGE_SRC(message) == GST_OBJECT(topology.video_sink)) {
    result.message = fmt::format("{}: cannot be written: {}", spec.video.file, text);
  } else if (topology.source != nullptr && !is_within(GST_MESSAGE_SRC(message), topology.source)) {
    result.message = fmt::format("{}: {}: {}", input.given, GST_OBJECT_NAME(GST_MESSAGE_SRC(message)), text);
  } else if (!input.damage.empty()) {
    result.message = fmt::format("{}: {}", input.given, input.damage);
  } else if (error->domain == GST_CORE_ERROR && error->code == GST_CORE_ERROR_MISSING_PLUGIN) {
    result.message = fmt::format("{}: {}", input.given, why_no_video(debug == nullptr ? "" : debug));
  } else if (error->domain == GST_STREAM_ERROR && error->code == GST_STREAM_ERROR_TYPE_NOT_FOUND) {
    result.message = fmt::format("{}: neither a video nor an image", input.given);
  } else if (input.kind == InputKind::kAddress) {
    result.message = fmt::format(
        "{}: cannot be reached or read: {}; check the address, the network, and user and password", input.given, text);
  } else {
    result.message = fmt::format("{}: cannot be read as video: {}", input.given, text);
  }
  g_error_free(error);
  g_free(debug);
  return result;
}

}  // namespace posecam
