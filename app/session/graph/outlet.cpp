#include "app/session/graph/outlet.h"

#include <algorithm>
#include <fcntl.h>
#include <filesystem>
#include <string>
#include <unistd.h>

#include <fmt/format.h>
#include <gst/video/video.h>

#include "app/session/handles.h"

namespace posecam {
namespace {

/// Analysed frames that wait for the encoder, at most; it should not hold up the network.
constexpr guint kOverlayFrames = 32;
constexpr guint kOverlayBytes = 256U << 20;
/// Least side of a video: what H.264 encoders take (openh264: 16).
constexpr int kLeastSide = 16;
constexpr int kUsualRate = 30;  // frames a second, where the clip says none or
constexpr int kMostRate = 300;  // more than a camera has: the unit of its times

/// A video keeps one size from its first frame on, whatever images come after; until then it follows what is said of it
/// (a clip is turned behind its first caps). H.264 wants even sides: a missing column or row becomes black, so that no
/// pixel is scaled for it.
GstPadProbeReturn fix_format(GstPad*, GstPadProbeInfo* info, gpointer filter) {
  if ((GST_PAD_PROBE_INFO_TYPE(info) & GST_PAD_PROBE_TYPE_BUFFER) != 0) return GST_PAD_PROBE_REMOVE;
  GstEvent* event = GST_PAD_PROBE_INFO_EVENT(info);
  if (GST_EVENT_TYPE(event) != GST_EVENT_CAPS) return GST_PAD_PROBE_OK;
  GstCaps* in = nullptr;
  gst_event_parse_caps(event, &in);
  GstVideoInfo video;
  if (gst_video_info_from_caps(&video, in) == FALSE) return GST_PAD_PROBE_OK;
  const auto side = [](int n) { return std::max(kLeastSide, n + n % 2); };
  const CapsPtr out(gst_caps_new_simple("video/x-raw", "format", G_TYPE_STRING, "I420", "width", G_TYPE_INT,
                                        side(video.width), "height", G_TYPE_INT, side(video.height),
                                        "pixel-aspect-ratio", GST_TYPE_FRACTION, video.par_n, video.par_d, nullptr));
  g_object_set(filter, "caps", out.get(), nullptr);
  return GST_PAD_PROBE_OK;
}

/// Frames that come as they like become frames of the rate that their caps say.
GstPadProbeReturn fix_rate(GstPad*, GstPadProbeInfo* info, gpointer filter) {
  GstEvent* event = GST_PAD_PROBE_INFO_EVENT(info);
  if (GST_EVENT_TYPE(event) != GST_EVENT_CAPS) return GST_PAD_PROBE_OK;
  GstCaps* in = nullptr;
  gst_event_parse_caps(event, &in);
  int n = 0;
  int d = 1;
  gst_structure_get_fraction(gst_caps_get_structure(in, 0), "framerate", &n, &d);
  if (d <= 0 || n < d || n > kMostRate * d) n = kUsualRate, d = 1;
  const CapsPtr out(gst_caps_new_simple("video/x-raw", "framerate", GST_TYPE_FRACTION, n, d, nullptr));
  g_object_set(filter, "caps", out.get(), nullptr);
  return GST_PAD_PROBE_REMOVE;
}

void add_format(Builder& build) {
  GstElement* scale = build.append("videoconvertscale");
  set(scale, "add-borders", TRUE, "n-threads", 0U);
  GstElement* format = build.append("capsfilter");
  if (format == nullptr) return;
  probe(scale, "sink", static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM),
        fix_format, format);
}

/// AVI knows no times: its frames are as far apart as its header says.
void add_constant_rate(Builder& build) {
  GstElement* rate = build.append("videorate");
  set(rate, "skip-to-first", TRUE);  // not filled up from 0 on
  GstElement* filter = build.append("capsfilter");
  if (filter != nullptr) probe(rate, "sink", GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, fix_rate, filter);
}

bool has_x264() {
  GstElementFactory* found = gst_element_factory_find("x264enc");
  if (found == nullptr) return false;
  gst_object_unref(found);
  return true;
}

/// No h264parse behind it: of frames without a rate that makes frames of a nanosecond.
void add_x264(Builder& build) {
  GstElement* encoder = build.append("x264enc");
  // Constant quality; its default is a constant 2 Mbit/s, whatever the size.
  set_word(encoder, "pass", "qual");
  set_word(encoder, "speed-preset", "veryfast");
  set(encoder, "quantizer", 23U);
}

void add_openh264(Builder& build) {
  set(build.append("openh264enc"), "bitrate", 6'000'000U);
  build.append("h264parse");
}

/// WebM has VP8 and VP9; the first is the faster one to write.
void add_vp8(Builder& build) {
  GstElement* encoder = build.append("vp8enc");
  set_word(encoder, "end-usage", "cq");
  set(encoder, "cq-level", 20, "target-bitrate", 8'000'000, "deadline", gint64{1}, "cpu-used", 4, "threads", 2,
      "keyframe-max-dist", 128);
}

/// A pipe gets the index of an MP4 before its frames. For that the muxer keeps the frames in another file until the
/// end: one without a name, in the folder of the pipe.
void put_index_first(GstElement* muxer, const std::string& file) {
  const std::filesystem::path folder = std::filesystem::path(file).parent_path();
  const int fd = open(folder.empty() ? "." : folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (fd < 0) return;  // not every file system can: the index stays at the end
  keep_descriptor(muxer, fd);
  set(muxer, "faststart", TRUE, "faststart-file", fmt::format("/proc/self/fd/{}", fd).c_str());
}

/// Of a run that dies, all but the last second plays: an index follows each second of frames. The whole file has one
/// index, at its end, and those within are hidden in its frames; OutputSet puts that first.
void write_by_seconds(GstElement* muxer) {
  set(muxer, "fragment-duration", 1000U);
  set_word(muxer, "fragment-mode", "first-moov-then-finalise");
}

GstElement* add_video_file(Builder& build, const AnnotatedVideo& video, const OutputSet& outputs) {
  const Container container = *container_of(video.file);
  const bool vp8 = container == Container::kWebm;
  const bool openh264 = !vp8 && !has_x264();
  if (container == Container::kAvi || openh264) add_constant_rate(build);  // openh264enc does not start without a rate
  add_format(build);
  vp8 ? add_vp8(build) : openh264 ? add_openh264(build) : add_x264(build);
  GstElement* muxer = build.append(muxer_of(container));
  const int fd = outputs.descriptor(video.file);
  if (muxer != nullptr && (container == Container::kMp4 || container == Container::kMov)) {
    fd < 0 ? put_index_first(muxer, video.file) : write_by_seconds(muxer);
  }
  // Every video begins with its first frame, as MP4 and AVI do anyway.
  if (container == Container::kMkv || container == Container::kWebm) set(muxer, "offset-to-zero", TRUE);
  GstElement* sink = build.append(fd < 0 ? "filesink" : "fdsink");
  if (fd < 0) {
    set(sink, "location", video.file.c_str());
  } else {
    set(sink, "fd", fd);
  }
  set(sink, "async", FALSE);
  return sink;
}

/// The first sink that opens the screen that the environment names. Not autovideosink: it tries frame buffer libraries
/// too, which end the process where there is none.
GstElement* make_window() {
  const bool wayland = g_getenv("WAYLAND_DISPLAY") != nullptr;
  for (const char* factory : {wayland ? "waylandsink" : "xvimagesink", "xvimagesink", "ximagesink"}) {
    GstElement* sink = gst_element_factory_make(factory, nullptr);
    if (sink == nullptr) continue;
    gst_object_ref_sink(sink);
    const bool opened = gst_element_set_state(sink, GST_STATE_READY) != GST_STATE_CHANGE_FAILURE;
    gst_element_set_state(sink, GST_STATE_NULL);
    if (opened) {
      g_object_force_floating(G_OBJECT(sink));
      return sink;
    }
    gst_object_unref(sink);
  }
  return nullptr;
}

void add_window(Builder& build) {
  build.append("videoconvert");
  GstElement* window = make_window();
  if (window == nullptr) {
    return build.fail({Errc::kMedia,
                       "--display: the screen cannot be opened; check DISPLAY or WAYLAND_DISPLAY, or use "
                       "--write-video FILE"});
  }
  // Shown when analysed: waiting for the clock would hold up the files that are written beside it.
  set(window, "sync", FALSE, "qos", FALSE, "async", FALSE);
  build.append(window, "the window");
}

}  // namespace

GstElement* add_outlet(Builder& build, const AnnotatedVideo& video, const OutputSet& outputs) {
  if (video.file.empty() && !video.window) {
    set(build.append("fakesink"), "sync", FALSE, "async", FALSE);
    return nullptr;
  }
  set(build.append("queue"), "max-size-buffers", kOverlayFrames, "max-size-bytes", kOverlayBytes, "max-size-time",
      guint64{0});
  build.append("neuronoverlay");
  if (video.file.empty()) {
    add_window(build);
    return nullptr;
  }
  if (!video.window) return add_video_file(build, video, outputs);
  GstElement* tee = build.append("tee");
  build.append("queue");
  GstElement* file = add_video_file(build, video, outputs);
  build.last = tee;
  build.append("queue");
  add_window(build);
  return file;
}

}  // namespace posecam
