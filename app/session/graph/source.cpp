#include "app/session/graph/source.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <string_view>
#include <unistd.h>

#include <fmt/format.h>

#include "app/session/apart/source_host.h"
#include "app/session/graph/authorities.h"
#include "app/session/handles.h"
#include "app/session/input/image_source.h"

namespace posecam {
namespace {

constexpr const char* kReader = "reader";

bool g_web_only = false;  ///< set before any source is made

std::string_view media_type(GstCaps* caps) {
  return caps == nullptr || gst_caps_get_size(caps) == 0 ? "" : gst_structure_get_name(gst_caps_get_structure(caps, 0));
}

/// What neither has pictures nor leads to some: no decoder is loaded, or missed, for what nobody looks at.
bool is_beside_the_point(std::string_view type) {
  if (type == "audio/x-m4a") return false;  // what is in it is not known yet
  constexpr std::array<std::string_view, 5> kOthers{"audio/", "text/", "subpicture/", "closedcaption/", "meta/"};
  return std::ranges::any_of(kOthers, [&](std::string_view other) { return type.starts_with(other); });
}

/// Of video, and not the file that it is in.
bool is_a_stream(GstCaps* caps) {
  const GstStructure* of = gst_caps_get_structure(caps, 0);
  return gst_structure_has_field(of, "width") != FALSE || gst_structure_has_field(of, "stream-format") != FALSE;
}

constexpr const char* kOfWeb = "of-web";  ///< what was asked for is behind the address of a web server

std::string why_refused(const GstElement* source, std::string_view type) {
  if (!is_adaptive(type)) return fmt::format("no video in it, but {}", type);
  const bool of_web = g_object_get_data(G_OBJECT(source), kOfWeb) != nullptr;
  return of_web ? "it is a playlist, which is read in a process of its own only: leave out --isolate no"
                : "it is a playlist, which names other files or servers; give the address it came from";
}

gboolean wants_decoding(GstElement* source, GstPad*, GstCaps* caps, gpointer) {
  const std::string_view type = media_type(caps);
  if (is_beside_the_point(type)) return FALSE;
  const bool wanted = is_self_contained(type) || (g_web_only && is_adaptive(type));
  if (wanted && !is_a_stream(caps)) return TRUE;
  // Should nothing come of it, that is known only by what decodes it being missed, or not having been loaded.
  const std::string why =
      wanted ? fmt::format("its {} cannot be decoded; is there memory enough?", type) : why_refused(source, type);
  g_object_set_data_full(G_OBJECT(source), kNoVideoWhy, g_strdup(why.c_str()), g_free);
  return wanted ? TRUE : FALSE;
}

void link_decoded(GstElement*, GstPad* pad, gpointer inlet) {
  const CapsPtr caps(gst_pad_query_caps(pad, nullptr));
  if (media_type(caps.get()) != "video/x-raw") return;
  const PadPtr sink(gst_element_get_static_pad(GST_ELEMENT(inlet), "sink"));
  if (gst_pad_is_linked(sink.get()) == FALSE) gst_pad_link(pad, sink.get());  // a failure reaches the bus
}

void miss_video(GstElement* source, gpointer inlet) {
  const PadPtr sink(gst_element_get_static_pad(GST_ELEMENT(inlet), "sink"));
  if (gst_pad_is_linked(sink.get()) != FALSE) return;
  const auto* why = static_cast<const char*>(g_object_get_data(G_OBJECT(source), kNoVideoWhy));
  gst_element_post_message(
      source, gst_message_new_element(GST_OBJECT(source),
                                      gst_structure_new(kNoVideo, kNoVideoWhy, G_TYPE_STRING, why, nullptr)));
}

/// A pipe is read where it is: its address names a descriptor, and standard input has one.
std::string pipe_uri(Builder& build, GstElement* source, const Input& input) {
  if (input.given == kStdin) return fmt::format("fd://{}", STDIN_FILENO);
  const int fd = open_pipe(input.given);
  if (fd < 0) {
    build.fail({Errc::kMedia, fmt::format("{}: {}", input.given, g_strerror(errno))});
    return {};
  }
  keep_descriptor(source, fd);
  return fmt::format("fd://{}", fd);
}

GstElement* add_decoder(Builder& build, const Input& input) {
  GstElement* source = build.make("uridecodebin");
  if (source == nullptr) return nullptr;
  const std::string uri = input.kind == InputKind::kPipe ? pipe_uri(build, source, input) : input.uri;
  g_object_set(source, "uri", uri.c_str(), nullptr);
  if (is_of_web(input)) {
    g_object_set_data(G_OBJECT(source), kOfWeb, source);
    if (!trust_named_authorities()) {
      build.fail({Errc::kMedia, "SSL_CERT_FILE: names no file of certificates (PEM) that can be read"});
    }
  }
  g_signal_connect(source, "autoplug-continue", G_CALLBACK(wants_decoding), nullptr);
  return source;
}

GstElement* add_test_source(Builder& build) {
  GstElement* source = build.append("videotestsrc");
  const CapsPtr caps(gst_caps_from_string("video/x-raw,format=I420,width=640,height=480,framerate=30/1"));
  set(build.append("capsfilter"), "caps", caps.get());
  return source;
}

/// What GDP carries in another place.
GstPadProbeReturn restore_flags(GstPad*, GstPadProbeInfo* info, gpointer) {
  GstBuffer* buffer = gst_buffer_make_writable(GST_PAD_PROBE_INFO_BUFFER(info));
  GST_BUFFER_FLAG_SET(buffer, static_cast<guint>(GST_BUFFER_OFFSET_END(buffer)) & kCarriedFlags);
  GST_BUFFER_OFFSET_END(buffer) = GST_BUFFER_OFFSET_NONE;
  GST_PAD_PROBE_INFO_DATA(info) = buffer;
  return GST_PAD_PROBE_OK;
}

/// A source that reads more than web servers have, as GIO's does. "icy" is http with the titles of songs;
/// keys may be within a playlist ("data").
bool reads_elsewhere(GstPluginFeature* feature) {
  if (GST_IS_ELEMENT_FACTORY(feature) == FALSE) return false;
  auto* factory = GST_ELEMENT_FACTORY(feature);
  if (gst_element_factory_get_uri_type(factory) != GST_URI_SRC) return false;
  constexpr std::array<std::string_view, 5> kOfTheWeb{"http", "https", "icy", "icyx", "data"};
  const gchar* const* protocols = gst_element_factory_get_uri_protocols(factory);
  for (; protocols != nullptr && *protocols != nullptr; ++protocols) {
    if (std::ranges::find(kOfTheWeb, *protocols) == kOfTheWeb.end()) return true;
  }
  return false;
}

void remove_elsewhere(GstRegistry* registry, GstPluginFeature* feature, gpointer) {
  if (reads_elsewhere(feature)) gst_registry_remove_feature(registry, feature);
}

}  // namespace

bool is_of_web(const Input& input) {
  return input.kind == InputKind::kAddress && (input.uri.starts_with("http://") || input.uri.starts_with("https://"));
}

void read_from_web_only() {
  g_web_only = true;
  GstRegistry* registry = gst_registry_get();
  g_signal_connect(registry, "feature-added", G_CALLBACK(remove_elsewhere), nullptr);  // by plugins, once loaded
  GList* all = gst_registry_get_feature_list(registry, GST_TYPE_ELEMENT_FACTORY);
  for (const GList* one = all; one != nullptr; one = one->next) {
    remove_elsewhere(registry, static_cast<GstPluginFeature*>(one->data), nullptr);
  }
  gst_plugin_feature_list_free(all);
}

bool is_self_contained(std::string_view type) {
  constexpr std::array<std::string_view, 31> kContainers{"application/ogg",
                                                         "application/mxf",
                                                         "application/gxf",
                                                         "application/x-yuv4mpeg",
                                                         "application/x-ogm-video",
                                                         "application/vnd.rn-realmedia",
                                                         "application/x-id3",
                                                         "application/x-apetag",
                                                         "application/x-icy",
                                                         "application/x-annodex",
                                                         "application/x-rtp",
                                                         "application/x-srtp",
                                                         "application/x-rdt",
                                                         "application/x-gst-av-nut",
                                                         "application/x-gst-av-wtv",
                                                         "application/x-gst-av-smk",
                                                         "application/x-gst-av-vob",
                                                         "multipart/x-mixed-replace",
                                                         "application/x-3gp",
                                                         "application/x-ogg-avi",
                                                         "application/x-gst-av-nuv",
                                                         "application/x-gst-av-ea",
                                                         "application/x-gst-av-mm",
                                                         "application/x-gst-av-film_cpk",
                                                         "application/x-gst-av-vmd",
                                                         "application/x-gst-av-wsvqa",
                                                         "application/x-gst-av-ipmovie",
                                                         "application/x-gst-av-idcin",
                                                         "application/x-gst-av-psxstr",
                                                         "application/x-gst-av-wc3movie",
                                                         "application/x-gst-av-4xm"};
  return type.starts_with("video/") || type.starts_with("image/") || type == "audio/x-m4a" ||
         std::ranges::find(kContainers, type) != kContainers.end();
}

bool is_adaptive(std::string_view type) {
  return type == "application/x-hls" || type == "application/dash+xml" || type == "application/vnd.ms-sstr+xml";
}

int open_pipe(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (fd >= 0) fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
  return fd;
}

GstElement* add_source(Builder& build, const Input& input) {
  switch (input.kind) {
    case InputKind::kImages: return build.append(make_image_source(input.images, input.repeats), "appsrc");
    case InputKind::kMovingPicture:
      return build.append(make_moving_source(input.images.front(), input.repeats), "appsrc");
    case InputKind::kTestSource: return add_test_source(build);
    case InputKind::kVideoFile:
    case InputKind::kCamera:
    case InputKind::kAddress:
    case InputKind::kPipe: return add_decoder(build, input);
  }
  return nullptr;
}

GstElement* add_apart_source(Builder& build) {
  GstElement* bin = gst_bin_new("apart");
  Builder inside(bin);
  set(inside.append(gst_element_factory_make("fdsrc", kReader), "fdsrc"), "blocksize", 1U << 18);
  GstElement* depay = inside.append("gdpdepay");
  if (auto built = inside.state(); !built) build.fail(built.error());
  if (depay != nullptr) {
    probe(depay, "src", GST_PAD_PROBE_TYPE_BUFFER, restore_flags, nullptr);
    const PadPtr frames(gst_element_get_static_pad(depay, "src"));
    gst_element_add_pad(bin, gst_ghost_pad_new("src", frames.get()));
  }
  return build.append(bin, "apart");
}

void read_frames_from(GstElement* apart, int descriptor) {
  const ElementPtr reader(gst_bin_get_by_name(GST_BIN(apart), kReader));
  g_object_set(reader.get(), "fd", descriptor, nullptr);
}

void connect_source(GstElement* source, GstElement* inlet) {
  g_signal_connect(source, "pad-added", G_CALLBACK(link_decoded), inlet);
  g_signal_connect(source, "no-more-pads", G_CALLBACK(miss_video), inlet);
}

}  // namespace posecam
