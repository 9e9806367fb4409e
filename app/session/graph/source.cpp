#include "app/session/graph/source.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <string_view>
#include <unistd.h>

#include <fmt/format.h>

#include "app/session/apart/source_host.h"
#include "app/session/handles.h"
#include "app/session/input/image_source.h"

namespace posecam {
namespace {

constexpr const char* kReader = "reader";

std::string_view media_type(GstCaps* caps) {
  return caps == nullptr || gst_caps_get_size(caps) == 0 ? "" : gst_structure_get_name(gst_caps_get_structure(caps, 0));
}

/// Sound, text and the like come out as they are: no decoder is loaded, or missed, for what nobody looks at.
gboolean wants_decoding(GstElement*, GstPad*, GstCaps* caps, gpointer) {
  const std::string_view type = media_type(caps);
  if (type == "audio/x-m4a") return TRUE;  // what is in it is not known yet
  constexpr std::array<std::string_view, 5> kOthers{"audio/", "text/", "subpicture/", "closedcaption/", "meta/"};
  return std::ranges::none_of(kOthers, [&](std::string_view other) { return type.starts_with(other); });
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
  gst_element_post_message(source, gst_message_new_element(GST_OBJECT(source), gst_structure_new_empty(kNoVideo)));
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

}  // namespace

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
