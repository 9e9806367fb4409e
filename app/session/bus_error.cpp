#include "app/session/bus_error.h"

#include <cerrno>
#include <cstring>
#include <optional>
#include <string_view>

#include <fmt/format.h>

#include "app/session/graph/source.h"
#include "models/core/text.h"
#include "models/store/address.h"

namespace posecam {
namespace {

constexpr std::size_t kLongestName = 60;
constexpr std::size_t kLongestText = 200;     // of other elements, which may have read it from a file
constexpr std::size_t kLongestOwnText = 500;  // the remedy is at its end
constexpr const char* kEncrypted = "its video is encrypted, and can be read by nobody without its key";

/// A stream that decodebin found nothing for.
struct Undecoded {
  std::string name;       ///< "H.265 (Main Profile)"; that of its type where it has none
  std::string_view caps;  ///< "video/x-h265, width=..."
  bool is(std::string_view kind) const { return caps.starts_with(kind); }
  /// Common encryption (ISO/IEC 23001-7) as qtdemux and dashdemux name it, and that of WebM as matroskademux does.
  bool encrypted() const {
    return is("application/x-cenc") || is("application/x-cbcs") || is("application/x-webm-enc");
  }
};

/// Of "NAME (CAPS)": NAME may have parentheses, too; what begins the caps is a type such as video/x-h265.
Undecoded parse_undecoded(std::string_view line) {
  for (std::size_t at = line.find(" ("); at != line.npos; at = line.find(" (", at + 1)) {
    std::string_view caps = line.substr(at + 2);
    const std::string_view type = caps.substr(0, caps.find_first_of(",;) "));
    if (type.find('/') == type.npos) continue;
    if (caps.ends_with(')')) caps.remove_suffix(1);
    const std::string_view name = line.substr(0, at);
    return {short_line(name.empty() || name == "(null)" ? type : name, kLongestName), caps};
  }
  return {short_line(line, kLongestName), {}};
}

/// Whether a decoder of that type of stream is installed, for any kind of it.
bool has_decoder(std::string_view caps) {
  const CapsPtr type(gst_caps_new_empty_simple(std::string(caps.substr(0, caps.find_first_of(",; "))).c_str()));
  GList* all = gst_element_factory_list_get_elements(GST_ELEMENT_FACTORY_TYPE_DECODER, GST_RANK_MARGINAL);
  GList* fitting = gst_element_factory_list_filter(all, type.get(), GST_PAD_SINK, FALSE);
  const bool found = fitting != nullptr;
  gst_plugin_feature_list_free(fitting);
  gst_plugin_feature_list_free(all);
  return found;
}

bool has_plugin(const char* name) {
  GstPlugin* plugin = gst_registry_find_plugin(gst_registry_get(), name);
  if (plugin != nullptr) gst_object_unref(plugin);
  return plugin != nullptr;
}

bool is_encrypted(const GError& error) {
  return error.domain == GST_STREAM_ERROR &&
         (error.code == GST_STREAM_ERROR_DECRYPT || error.code == GST_STREAM_ERROR_DECRYPT_NOKEY);
}

bool names_reason(const GError& error, const gchar* debug, int error_number) {
  return error.domain == GST_RESOURCE_ERROR && error.code == GST_RESOURCE_ERROR_WRITE && debug != nullptr &&
         std::strstr(debug, std::strerror(error_number)) != nullptr;
}

/// Muxers that keep frames in a file of their own know it from the system only, and sinks a quota.
bool is_full_disk(const GError& error, const gchar* debug) {
  const bool full = error.domain == GST_RESOURCE_ERROR && error.code == GST_RESOURCE_ERROR_NO_SPACE_LEFT;
  return full || names_reason(error, debug, ENOSPC) || names_reason(error, debug, EDQUOT);
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

/// Only video is wanted: decoders of sound and subtitles are not, whatever is missing of them.
std::string why_no_video(std::string_view debug) {
  constexpr std::string_view kMarker = "Missing decoder: ";
  std::optional<Undecoded> found;
  for (std::size_t at = debug.find(kMarker); at != debug.npos; at = debug.find(kMarker, at)) {
    at += kMarker.size();
    const Undecoded stream = parse_undecoded(debug.substr(at, debug.find('\n', at) - at));
    if (stream.encrypted()) return kEncrypted;
    if (!found && (stream.is("video/") || stream.is("image/"))) found = stream;
  }
  if (!found) return kNoVideoInIt;
  if (has_decoder(found->caps)) return fmt::format("the installed decoders do not take this kind of {}", found->name);
  return fmt::format("no decoder for {} is installed{}", found->name,
                     has_plugin("libav") ? "" : "; try: apt install gstreamer1.0-libav");
}

Error to_error(GstMessage* message, const SessionSpec& spec, const Topology& topology) {
  const Input& input = spec.input;
  GError* error = nullptr;
  gchar* debug = nullptr;
  gst_message_parse_error(message, &error, &debug);
  const auto own = own_code(message);
  const std::size_t longest = own ? kLongestOwnText : kLongestText;
  const std::string text = short_line(without_full_stop(with_shown_urls(error->message)), longest);
  Error result{own.value_or(Errc::kMedia), text};
  if (own) {
    // Says all there is to say.
  } else if (is_full_disk(*error, debug)) {
    result = {Errc::kNoSpace, fmt::format("{}: no space left on its disk", spec.video.file)};
  } else if (names_reason(*error, debug, EFBIG)) {
    result = {Errc::kNoSpace, fmt::format("{}: larger than files of this user may be; raise the limit (ulimit -f) or "
                                          "write shorter clips",
                                          spec.video.file)};
  } else if (is_within(GST_MESSAGE_SRC(message), topology.infer)) {
    result = {Errc::kDevice, text};
  } else if (GST_MESSAGE_SRC(message) == GST_OBJECT(topology.video_sink)) {
    result = {Errc::kOutput, fmt::format("{}: cannot be written: {}", spec.video.file, text)};
  } else if (!is_within(GST_MESSAGE_SRC(message), topology.source)) {
    result.message = fmt::format("{}: {}: {}", input.given, GST_OBJECT_NAME(GST_MESSAGE_SRC(message)), text);
  } else if (!input.damage.empty()) {
    result.message = fmt::format("{}: {}", input.given, input.damage);
  } else if (is_encrypted(*error)) {
    result.message = fmt::format("{}: {}", input.given, kEncrypted);
  } else if (error->domain == GST_CORE_ERROR && error->code == GST_CORE_ERROR_MISSING_PLUGIN) {
    const std::string why = why_no_video(debug == nullptr ? "" : debug);
    const auto* known = static_cast<const char*>(g_object_get_data(G_OBJECT(topology.source), kNoVideoWhy));
    result.message = fmt::format("{}: {}", input.given, known != nullptr && why == kNoVideoInIt ? known : why);
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
