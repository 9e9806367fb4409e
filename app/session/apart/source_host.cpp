#include "app/session/apart/source_host.h"

#include <csignal>
#include <poll.h>
#include <string>
#include <sys/prctl.h>
#include <unistd.h>
#include <utility>

#include <gst/gst.h>

#include "app/session/apart/input_fields.h"
#include "app/session/bus_error.h"
#include "app/session/graph/builder.h"
#include "app/session/graph/lost_error.h"
#include "app/session/graph/source.h"
#include "app/session/handles.h"

namespace posecam {
namespace {

constexpr int kFailed = 1;

Result<Input> read_fields() {
  std::string text;
  char block[4096];
  for (ssize_t n = 0; (n = read(kFieldsFd, block, sizeof block)) > 0;) text.append(block, static_cast<std::size_t>(n));
  return from_fields(text);
}

/// The parent is gone already: prctl() came too late to hear of it.
bool is_orphan() {
  pollfd frames{.fd = kFramesFd, .events = 0, .revents = 0};
  return poll(&frames, 1, 0) != 0;
}

/// Takes the structure. A line is written whole or not at all: nobody reads any more then.
void say(GstStructure* word) {
  gchar* text = gst_structure_to_string(word);
  const std::string line = std::string(text) + "\n";
  (void)!write(kWordsFd, line.data(), line.size());
  g_free(text);
  gst_structure_free(word);
}

void say_trouble(const char* name, GstMessage* message) {
  GError* error = nullptr;
  gchar* debug = nullptr;
  if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR) {
    gst_message_parse_error(message, &error, &debug);
  } else {
    gst_message_parse_warning(message, &error, &debug);
  }
  say(gst_structure_new(name, "domain", G_TYPE_STRING, g_quark_to_string(error->domain), "code", G_TYPE_INT,
                        error->code, "text", G_TYPE_STRING, error->message, "debug", G_TYPE_STRING,
                        debug == nullptr ? "" : debug, nullptr));
  g_error_free(error);
  g_free(debug);
}

/// Of tags, which way is up: others have objects, such as the picture of a cover.
GstEvent* plain_tags(GstEvent* event) {
  GstTagList* tags = nullptr;
  gst_event_parse_tag(event, &tags);
  gchar* orientation = nullptr;
  if (gst_tag_list_get_string(tags, GST_TAG_IMAGE_ORIENTATION, &orientation) == FALSE) return nullptr;
  GstEvent* plain = gst_event_new_tag(gst_tag_list_new(GST_TAG_IMAGE_ORIENTATION, orientation, nullptr));
  g_free(orientation);
  return plain;
}

/// What frames cannot do without: gdppay writes all events, and gdpdepay fails on those with objects in them. Null for
/// the others.
GstEvent* plain(GstEvent* event) {
  switch (GST_EVENT_TYPE(event)) {
    case GST_EVENT_STREAM_START: {
      const gchar* id = nullptr;
      gst_event_parse_stream_start(event, &id);
      return gst_event_new_stream_start(id);
    }
    case GST_EVENT_TAG: return plain_tags(event);
    case GST_EVENT_CAPS:
    case GST_EVENT_SEGMENT:
    case GST_EVENT_EOS: return gst_event_ref(event);
    default: return nullptr;
  }
}

GstPadProbeReturn make_portable(GstPad*, GstPadProbeInfo* info, gpointer) {
  if ((GST_PAD_PROBE_INFO_TYPE(info) & GST_PAD_PROBE_TYPE_BUFFER) != 0) {
    GstBuffer* buffer = gst_buffer_make_writable(GST_PAD_PROBE_INFO_BUFFER(info));
    GST_BUFFER_OFFSET_END(buffer) = GST_BUFFER_FLAGS(buffer) & kCarriedFlags;
    GST_PAD_PROBE_INFO_DATA(info) = buffer;
    return GST_PAD_PROBE_OK;
  }
  GstEvent* event = GST_PAD_PROBE_INFO_EVENT(info);
  GstEvent* portable = plain(event);
  if (portable == nullptr) return GST_PAD_PROBE_DROP;
  gst_event_unref(event);
  GST_PAD_PROBE_INFO_DATA(info) = portable;
  return GST_PAD_PROBE_OK;
}

constexpr const char* kWritten = "written";

/// Everything is in the pipe. Not the sink's own message: it has none before it plays, which waits for the source.
GstPadProbeReturn tell_end(GstPad*, GstPadProbeInfo* info, gpointer sink) {
  if (GST_EVENT_TYPE(GST_PAD_PROBE_INFO_EVENT(info)) == GST_EVENT_EOS) {
    auto* element = static_cast<GstElement*>(sink);
    gst_element_post_message(element,
                             gst_message_new_application(GST_OBJECT(element), gst_structure_new_empty(kWritten)));
  }
  return GST_PAD_PROBE_OK;
}

/// The pipeline of the process: source ! frames in the memory of the system ! queue ! gdppay ! the pipe.
struct Host {
  ElementPtr pipeline{GST_ELEMENT(gst_object_ref_sink(gst_pipeline_new(nullptr)))};
  GstElement* source = nullptr;
  GstElement* entry = nullptr;  ///< behind the source
  gint64 told_duration = 0;

  Result<void> build(const Input& input) {
    Builder builder(pipeline.get());
    source = add_source(builder, input);
    entry = builder.append("capsfilter");
    const CapsPtr frames(gst_caps_from_string("video/x-raw"));
    set(entry, "caps", frames.get());
    set(builder.append("queue"), "max-size-buffers", 2U, "max-size-bytes", 0U, "max-size-time", guint64{0});
    const auto all = static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM);
    probe(builder.append("gdppay"), "sink", all, make_portable, nullptr);
    GstElement* sink = builder.append("fdsink");
    set(sink, "fd", kFramesFd, "sync", FALSE, "async", FALSE);
    probe(sink, "sink", GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, tell_end, sink);
    if (auto built = builder.state(); !built) return built;
    connect_source(source, entry);
    return {};
  }
  void tell_duration() {
    gint64 duration = 0;
    if (gst_element_query_duration(source, GST_FORMAT_TIME, &duration) == FALSE || duration <= 0) return;
    if (std::exchange(told_duration, duration) == duration) return;
    say(gst_structure_new(kWordDuration, "ns", G_TYPE_UINT64, static_cast<guint64>(duration), nullptr));
  }
  /// What was decoded before an error goes out first. False if nothing can have been.
  bool end_orderly() const {
    const PadPtr sink(gst_element_get_static_pad(entry, "sink"));
    return gst_pad_is_linked(sink.get()) != FALSE && gst_pad_send_event(sink.get(), gst_event_new_eos()) != FALSE;
  }
};

/// Until the end: the exit code of the process.
int attend(Host& host) {
  const BusPtr bus(gst_element_get_bus(host.pipeline.get()));
  bool failed = false;
  for (;;) {
    GstMessage* message = gst_bus_timed_pop(bus.get(), std::chrono::nanoseconds(kLostErrorPeriod).count());
    if (message == nullptr) {
      if (!failed) report_lost_error(host.source);
      continue;
    }
    const GstMessageType type = GST_MESSAGE_TYPE(message);
    const bool of_source = is_within(GST_MESSAGE_SRC(message), host.source);
    if (type == GST_MESSAGE_ERROR && !failed) {
      say_trouble(kWordError, message);
      failed = true;
      if (!of_source || !host.end_orderly()) return kFailed;
    } else if (type == GST_MESSAGE_WARNING && of_source) {
      say_trouble(kWordWarning, message);
    } else if (type == GST_MESSAGE_ELEMENT && of_source && gst_message_has_name(message, kNoVideo) != FALSE) {
      say(gst_structure_copy(gst_message_get_structure(message)));
      return kFailed;
    } else if (type == GST_MESSAGE_ASYNC_DONE || type == GST_MESSAGE_DURATION_CHANGED) {
      host.tell_duration();
    } else if (type == GST_MESSAGE_LATENCY) {
      gst_bin_recalculate_latency(GST_BIN(host.pipeline.get()));
    }
    gst_message_unref(message);
    if (type == GST_MESSAGE_APPLICATION) {
      say(gst_structure_new_empty(kWordEnd));
      return failed ? kFailed : 0;
    }
  }
}

}  // namespace

Error run_source_host() {
  auto input = read_fields();
  if (!input) return input.error();
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (is_orphan()) _exit(kFailed);
  std::signal(SIGINT, SIG_IGN);                        // of the terminal, for whoever started this
  std::signal(SIGTERM, SIG_IGN);                       // to the group: likewise
  if (const char* log = g_getenv("GST_DEBUG_FILE")) {  // its own: two processes would write over each other
    g_setenv("GST_DEBUG_FILE", (std::string(log) + "." + std::to_string(getpid())).c_str(), TRUE);
  }
  gst_init(nullptr, nullptr);
  if (is_of_web(*input)) read_from_web_only();
  Host host;
  if (auto built = host.build(*input); !built) {
    say(gst_structure_new(kWordError, "domain", G_TYPE_STRING, "posecam", "code", G_TYPE_INT, 0, "text", G_TYPE_STRING,
                          built.error().message.c_str(), "debug", G_TYPE_STRING, "", nullptr));
    _exit(kFailed);
  }
  if (gst_element_set_state(host.pipeline.get(), GST_STATE_PAUSED) == GST_STATE_CHANGE_NO_PREROLL) {
    say(gst_structure_new_empty(kWordLive));
  }
  gst_element_set_state(host.pipeline.get(), GST_STATE_PLAYING);
  _exit(attend(host));  // a library that hangs is left where it is
}

}  // namespace posecam
