#include "app/session/topology.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include <fmt/format.h>
#include <gst/base/gstbasetransform.h>
#include <gst/video/video.h>

#include "app/session/image_source.h"
#include "app/session/infer_properties.h"

namespace posecam {
namespace {

/// Decoded frames that wait for the network: enough to keep it busy while the decoder works on a large frame.
constexpr guint kInletFrames = 8;
/// Frames of a live source that wait: the newest are worth most.
constexpr guint kLiveFrames = 2;
constexpr double kUnknownRate = 25;  // frames a second, of a clip that says nothing
/// Analysed frames that wait for the encoder, at most; it should not hold up the network.
constexpr guint kOverlayFrames = 32;
constexpr guint kOverlayBytes = 256U << 20;
/// Least side of a video: what H.264 encoders take (openh264: 16).
constexpr int kLeastSide = 16;

struct Package {
  std::string_view element;
  std::string_view name;
};
constexpr std::array kPackages{Package{"uridecodebin", "gstreamer1.0-plugins-base"},
                               Package{"videoconvert", "gstreamer1.0-plugins-base"},
                               Package{"videoconvertscale", "gstreamer1.0-plugins-base"},
                               Package{"videotestsrc", "gstreamer1.0-plugins-base"},
                               Package{"appsrc", "gstreamer1.0-plugins-base"},
                               Package{"videoflip", "gstreamer1.0-plugins-good"},
                               Package{"mp4mux", "gstreamer1.0-plugins-good"},
                               Package{"qtmux", "gstreamer1.0-plugins-good"},
                               Package{"matroskamux", "gstreamer1.0-plugins-good"},
                               Package{"avimux", "gstreamer1.0-plugins-good"},
                               Package{"h264parse", "gstreamer1.0-plugins-bad"},
                               Package{"openh264enc", "gstreamer1.0-plugins-bad"}};

/// Puts elements into one pipeline and links them in a row; remembers the first thing that is missing.
class Builder {
 public:
  explicit Builder(GstElement* pipeline) : pipeline_(GST_BIN(pipeline)) {}

  /// A new element in the pipeline; nullptr once anything failed.
  GstElement* make(const char* factory) { return adopt(gst_element_factory_make(factory, nullptr), factory); }

  GstElement* adopt(GstElement* element, const char* factory) {
    if (element == nullptr) {
      fail(missing(factory));
      return nullptr;
    }
    gst_bin_add(pipeline_, element);
    return element;
  }

  /// Makes the element and links it behind `last`, which it becomes.
  GstElement* append(const char* factory) { return append(gst_element_factory_make(factory, nullptr), factory); }

  GstElement* append(GstElement* made, const char* factory) {
    GstElement* element = adopt(made, factory);
    if (element != nullptr && last != nullptr && gst_element_link(last, element) == FALSE) {
      fail({Errc::kMedia, fmt::format("cannot link {} to {}", GST_ELEMENT_NAME(last), factory)});
    }
    last = element;
    return element;
  }

  void fail(Error error) {
    if (error_.message.empty()) error_ = std::move(error);
  }

  Result<void> state() const { return error_.message.empty() ? Result<void>{} : Result<void>{error_}; }

  GstElement* last = nullptr;

 private:
  static Error missing(std::string_view factory) {
    const auto* found = std::ranges::find(kPackages, factory, &Package::element);
    const std::string_view package = found == kPackages.end() ? "gstreamer1.0-plugins-base" : found->name;
    return {Errc::kMedia, fmt::format("GStreamer has no element {}; install it: apt install {}", factory, package)};
  }

  GstBin* pipeline_;
  Error error_;
};

template <class... Args>
void set(GstElement* element, Args... args) {
  if (element != nullptr) g_object_set(element, args..., nullptr);
}

/// A property that is one of a few words.
void set_word(GstElement* element, const char* property, const std::string& word) {
  if (element != nullptr) gst_util_set_object_arg(G_OBJECT(element), property, word.c_str());
}

void link_decoded(GstElement*, GstPad* pad, gpointer inlet) {
  GstPad* sink = gst_element_get_static_pad(GST_ELEMENT(inlet), "sink");
  if (gst_pad_is_linked(sink) == FALSE) gst_pad_link(pad, sink);  // the first video stream; a failure reaches the bus
  gst_object_unref(sink);
}

void add_source(Builder& build, const Input& input, Topology& topology) {
  switch (input.kind) {
    case InputKind::kImages:
      topology.source = build.adopt(make_image_source(input.images, input.repeats), "appsrc");
      build.last = topology.source;
      break;
    case InputKind::kTestSource: {
      topology.source = build.append("videotestsrc");
      GstElement* format = build.append("capsfilter");
      const CapsPtr caps(gst_caps_from_string("video/x-raw,format=I420,width=640,height=480,framerate=30/1"));
      set(format, "caps", caps.get());
      break;
    }
    case InputKind::kVideoFile:
    case InputKind::kCamera:
    case InputKind::kAddress: {
      topology.source = build.make("uridecodebin");
      // Nothing but video is decoded; (ANY) or decoders whose pads allow any memory would not match.
      const CapsPtr caps(gst_caps_from_string("video/x-raw(ANY)"));
      set(topology.source, "uri", input.uri.c_str(), "caps", caps.get(), "expose-all-streams", FALSE);
      break;
    }
  }
}

/// Muxers and readers of results count on times that rise; those of a GIF stand still. A frame without a time of its
/// own comes one frame after the last.
GstBuffer* with_rising_time(GstBuffer* buffer, Gate& gate) {
  const GstClockTime time = GST_BUFFER_PTS(buffer);
  const bool rises = GST_CLOCK_TIME_IS_VALID(time) && (!gate.last_time || time > *gate.last_time);
  if (!rises) {
    const double fps = gate.fps > 0 ? gate.fps.load() : kUnknownRate;
    const auto frame = static_cast<GstClockTime>(static_cast<double>(GST_SECOND) / fps);
    buffer = gst_buffer_make_writable(buffer);
    GST_BUFFER_PTS(buffer) = gate.last_time ? *gate.last_time + frame : 0;
  }
  gate.last_time = GST_BUFFER_PTS(buffer);
  return buffer;
}

/// Counts frames, and ends the stream after the last one that was asked for.
GstPadProbeReturn pass_gate(GstPad* pad, GstPadProbeInfo* info, gpointer data) {
  auto& gate = *static_cast<Gate*>(data);
  if ((GST_PAD_PROBE_INFO_TYPE(info) & GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM) != 0) {
    GstEvent* event = GST_PAD_PROBE_INFO_EVENT(info);
    if (GST_EVENT_TYPE(event) == GST_EVENT_CAPS) {
      GstCaps* caps = nullptr;
      gst_event_parse_caps(event, &caps);
      int n = 0;
      int d = 1;
      if (gst_structure_get_fraction(gst_caps_get_structure(caps, 0), "framerate", &n, &d) != FALSE && d > 0) {
        gate.fps = static_cast<double>(n) / d;
      }
    } else if (GST_EVENT_TYPE(event) == GST_EVENT_EOS && gate.frames == 0) {
      // An end without a frame is a failure: nothing behind the gate may take it for a complete output.
      GstElement* inlet = gst_pad_get_parent_element(pad);
      gst_element_post_message(inlet, gst_message_new_element(GST_OBJECT(inlet), gst_structure_new_empty("no-frames")));
      gst_object_unref(inlet);
      return GST_PAD_PROBE_DROP;
    }
    return GST_PAD_PROBE_OK;
  }
  if (gate.limit > 0 && gate.frames == gate.limit) {
    gst_pad_push_event(pad, gst_event_new_eos());
    gst_buffer_unref(GST_PAD_PROBE_INFO_BUFFER(info));
    GST_PAD_PROBE_INFO_FLOW_RETURN(info) = GST_FLOW_EOS;
    return GST_PAD_PROBE_HANDLED;
  }
  if (gate.frames++ == 0) gate.first_frame_us = g_get_monotonic_time();
  GST_PAD_PROBE_INFO_DATA(info) = with_rising_time(GST_PAD_PROBE_INFO_BUFFER(info), gate);
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
/// is nothing to turn (1.22), hence the passthrough until a tag asks for it.
void add_turner(Builder& build, GstElement* inlet) {
  GstElement* flip = build.append("videoflip");
  if (flip == nullptr || inlet == nullptr) return;
  gst_util_set_object_arg(G_OBJECT(flip), "video-direction", "auto");
  gst_base_transform_set_passthrough(GST_BASE_TRANSFORM(flip), TRUE);
  GstPad* pad = gst_element_get_static_pad(inlet, "src");
  gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, watch_orientation, flip, nullptr);
  gst_object_unref(pad);
}

void add_inlet(Builder& build, const Input& input, std::uint64_t limit, Topology& topology) {
  topology.inlet = build.append("queue");
  set(topology.inlet, "max-size-bytes", 0U, "max-size-time", guint64{0}, "max-size-buffers",
      input.live() ? kLiveFrames : kInletFrames);
  if (input.live()) gst_util_set_object_arg(G_OBJECT(topology.inlet), "leaky", "downstream");
  if (topology.source != nullptr && topology.inlet != nullptr && !input.uri.empty()) {
    g_signal_connect(topology.source, "pad-added", G_CALLBACK(link_decoded), topology.inlet);
  }
  topology.gate = std::make_unique<Gate>();
  topology.gate->limit = limit;
  if (topology.inlet != nullptr) {
    GstPad* pad = gst_element_get_static_pad(topology.inlet, "src");
    const auto what = static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM);
    gst_pad_add_probe(pad, what, pass_gate, topology.gate.get(), nullptr);
    gst_object_unref(pad);
  }
  if (input.kind == InputKind::kVideoFile) add_turner(build, topology.inlet);
  set(build.append("videoconvert"), "n-threads", 0U);
}

void add_infer(Builder& build, const SessionSpec& spec, Topology& topology) {
  GstElement* infer = build.append("neuroninfer");
  topology.infer = infer;
  if (infer == nullptr) return;
  set_engine_properties(infer, spec.engine);
  set(infer, "model-instance-id", spec.shared_model.c_str(), "inference-interval", spec.inference_interval);
  // Every frame of a file is analysed, however slow a window is.
  set(infer, "qos", spec.input.live() ? TRUE : FALSE);
}

const char* word_of(ResultFormat format) {
  switch (format) {
    case ResultFormat::kNdjson: return "ndjson";
    case ResultFormat::kOpenpose: return "openpose";
    case ResultFormat::kCoco: return "coco";
    case ResultFormat::kMotion: return "motion";
  }
  return "";
}

void add_writers(Builder& build, const SessionSpec& spec, const OutputSet& outputs) {
  const Input& input = spec.input;
  std::string names;
  for (const std::string& name : input.image_names) names += name + "\n";
  for (const Sink& sink : spec.sinks) {
    GstElement* json = build.append("neuronjson");
    set_word(json, "format", word_of(sink.format));
    set(json, "location", sink.location.c_str(), "fd", outputs.descriptor(sink.location), "stream-id",
        input.name.c_str(), "names", names.c_str());
    if (!input.live()) set(json, "clip-name", input.name.c_str());
  }
}

/// H.264 wants even sides; a video keeps one size from its first frame on, whatever images come after. A missing
/// column or row becomes black, so that no pixel is scaled for it.
GstPadProbeReturn fix_video_size(GstPad*, GstPadProbeInfo* info, gpointer filter) {
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
  return GST_PAD_PROBE_REMOVE;
}

void add_encoder(Builder& build) {
  GstElementFactory* x264 = gst_element_factory_find("x264enc");
  if (x264 == nullptr) {
    GstElement* encoder = build.append("openh264enc");
    set(encoder, "bitrate", 6'000'000U);
    return;
  }
  gst_object_unref(x264);
  GstElement* encoder = build.append("x264enc");
  if (encoder == nullptr) return;
  // Constant quality; its default is a constant 2 Mbit/s, whatever the size.
  gst_util_set_object_arg(G_OBJECT(encoder), "pass", "qual");
  gst_util_set_object_arg(G_OBJECT(encoder), "speed-preset", "veryfast");
  set(encoder, "quantizer", 23U);
}

void add_video_file(Builder& build, const AnnotatedVideo& video, const OutputSet& outputs, Topology& topology) {
  GstElement* scale = build.append("videoconvertscale");
  set(scale, "add-borders", TRUE, "n-threads", 0U);
  GstElement* format = build.append("capsfilter");
  if (scale != nullptr && format != nullptr) {
    GstPad* pad = gst_element_get_static_pad(scale, "sink");
    gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, fix_video_size, format, nullptr);
    gst_object_unref(pad);
  }
  add_encoder(build);
  build.append("h264parse");
  build.append(muxer_for(video.file));
  const int fd = outputs.descriptor(video.file);
  GstElement* sink = build.append(fd < 0 ? "filesink" : "fdsink");
  if (fd < 0) {
    set(sink, "location", video.file.c_str());
  } else {
    set(sink, "fd", fd);
  }
  topology.video_sink = sink;
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
  set(window, "sync", FALSE, "qos", FALSE);
  build.append(window, "the window");
}

void add_outlet(Builder& build, const AnnotatedVideo& video, const OutputSet& outputs, Topology& topology) {
  if (video.file.empty() && !video.window) {
    set(build.append("fakesink"), "sync", FALSE);
    return;
  }
  set(build.append("queue"), "max-size-buffers", kOverlayFrames, "max-size-bytes", kOverlayBytes, "max-size-time",
      guint64{0});
  build.append("neuronoverlay");
  if (video.file.empty()) return add_window(build);
  if (!video.window) return add_video_file(build, video, outputs, topology);
  GstElement* tee = build.append("tee");
  build.append("queue");
  add_video_file(build, video, outputs, topology);
  build.last = tee;
  build.append("queue");
  add_window(build);
}

}  // namespace

Result<Topology> build_topology(const SessionSpec& spec, const OutputSet& outputs) {
  Topology topology;
  topology.pipeline.reset(GST_ELEMENT(gst_object_ref_sink(gst_pipeline_new(spec.input.name.c_str()))));
  Builder build(topology.pipeline.get());
  add_source(build, spec.input, topology);
  add_inlet(build, spec.input, spec.max_frames, topology);
  add_infer(build, spec, topology);
  add_writers(build, spec, outputs);
  add_outlet(build, spec.video, outputs, topology);
  if (auto built = build.state(); !built) return built.error();
  return topology;
}

}  // namespace posecam
