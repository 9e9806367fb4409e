// How a session heeds a source in another process (apart/source_process.h).

#include <fmt/format.h>
#include <glib-unix.h>

#include "app/session/apart/source_host.h"
#include "app/session/bus_error.h"
#include "app/session/graph/source.h"
#include "app/session/session.h"

namespace posecam {
namespace {

/// Behind the last frame; a crash that is written to a core file takes its time.
constexpr std::chrono::seconds kLastWords{10};

}  // namespace

/// False if the session is over: no such process could be started.
bool Session::start_apart() {
  auto process = SourceProcess::start(spec_.input);
  if (!process) {
    fail(process.error());
    give_up();
    finish();
    return false;
  }
  process_ = *std::move(process);
  read_frames_from(topology_.source, process_->frames());
  GSource* words = g_unix_fd_source_new(process_->words(), G_IO_IN);
  const auto heed = [](gint, GIOCondition, gpointer self) -> gboolean {
    return static_cast<Session*>(self)->heed_words() ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
  };
  const GUnixFDSourceFunc callback = heed;
  g_source_set_callback(words, G_SOURCE_FUNC(callback), this, nullptr);
  g_source_attach(words, context_.get());
  g_source_unref(words);
  return true;
}

/// False at the end of the words.
bool Session::heed_words() {
  if (!process_) return false;
  auto words = process_->read_words();
  for (const auto& word : words.all) {
    if (gst_structure_has_name(word.get(), kWordLive) != FALSE) {
      make_live(topology_.inlet, *topology_.gate);
    } else if (gst_structure_has_name(word.get(), kWordDuration) != FALSE) {
      guint64 duration = 0;
      gst_structure_get_uint64(word.get(), "ns", &duration);
      told_duration_ = static_cast<std::int64_t>(duration);
    } else if (gst_structure_has_name(word.get(), kWordEnd) != FALSE) {
      all_written_ = true;
    } else if (gst_structure_has_name(word.get(), kNoVideo) != FALSE) {
      apart_error_ = Error{Errc::kMedia, reason_for_no_video(word.get())};
    } else {
      heed_trouble(word.get(), gst_structure_has_name(word.get(), kWordError) != FALSE);
    }
  }
  return !words.ended;
}

/// As if it had happened here.
void Session::heed_trouble(const GstStructure* word, bool error) {
  int code = 0;
  gst_structure_get_int(word, "code", &code);
  const char* domain = gst_structure_get_string(word, "domain");
  const char* text = gst_structure_get_string(word, "text");
  if (domain == nullptr || text == nullptr) return;
  GError* what = g_error_new_literal(g_quark_from_string(domain), code, text);
  GstObject* source = GST_OBJECT(topology_.source);
  const char* debug = gst_structure_get_string(word, "debug");
  GstMessage* message =
      error ? gst_message_new_error(source, what, debug) : gst_message_new_warning(source, what, debug);
  if (error) {
    apart_error_ = to_error(message, spec_, topology_);
  } else {
    handle_warning(message);
  }
  gst_message_unref(message);
  g_error_free(what);
}

/// Behind the last frame: why it was the last.
void Session::hear_out() {
  if (!process_) return;
  while (heed_words() && process_->wait_for_words(kLastWords)) {
  }
  const std::string crash = process_->end();
  if (!crash.empty()) {
    fail({Errc::kMedia, fmt::format("{}: its decoder crashed ({})", spec_.input.given, crash)});
  } else if (apart_error_) {
    fail(*apart_error_);
  } else if (!all_written_) {
    fail({Errc::kMedia, fmt::format("{}: its decoder ended before the input did", spec_.input.given)});
  }
}

}  // namespace posecam
