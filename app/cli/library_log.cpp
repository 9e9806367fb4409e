#include "app/cli/library_log.h"

#include <atomic>
#include <fcntl.h>
#include <string>
#include <string_view>
#include <unistd.h>

#include <glib.h>
#include <gst/gst.h>
#include <opencv2/core/utils/logger.hpp>

#include "app/cli/console.h"
#include "models/core/log.h"
#include "models/core/text.h"

namespace posecam {
namespace {

std::atomic<bool> g_quiet = false;

void say(std::string_view who, std::string_view text) {
  const std::string line = joined_lines(text);
  if (!g_quiet && !line.empty()) tell_once(fmt::format("posecam: {}{}{}\n", who, who.empty() ? "" : ": ", line));
}

GLogWriterOutput write_glib(GLogLevelFlags level, const GLogField* fields, gsize count, gpointer) {
  const char* message = "";
  const char* domain = "GLib";
  gssize length = -1;
  for (gsize i = 0; i < count; ++i) {
    const std::string_view key = fields[i].key;
    if (key == "GLIB_DOMAIN") domain = static_cast<const char*>(fields[i].value);
    if (key != "MESSAGE") continue;
    message = static_cast<const char*>(fields[i].value);
    length = fields[i].length;
  }
  if (g_log_writer_default_would_drop(level, domain) != FALSE) return G_LOG_WRITER_HANDLED;
  say(domain, length < 0 ? std::string_view(message) : std::string_view(message, static_cast<std::size_t>(length)));
  return G_LOG_WRITER_HANDLED;
}

}  // namespace

void take_library_log() {
  g_log_set_writer_func(write_glib, nullptr, nullptr);
  g_set_printerr_handler([](const gchar* text) { say({}, text); });
  cv::utils::logging::setLogLevel(cv::utils::logging::LOG_LEVEL_SILENT);
  log_to([](spdlog::level::level_enum level, std::string_view line) {
    if (g_quiet && level < spdlog::level::err) return;
    const spdlog::string_view_t name = spdlog::level::to_string_view(level);
    tell_once(fmt::format("posecam: {}: {}\n", std::string_view(name.data(), name.size()), printable(line)));
  });
}

void quiet_library_log() { g_quiet = true; }

void start_gstreamer() {
  const int before = g_quiet ? ::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0) : -1;
  const int nowhere = before < 0 ? -1 : ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  if (nowhere >= 0) {
    ::dup2(nowhere, STDERR_FILENO);
    ::close(nowhere);
  }
  gst_init(nullptr, nullptr);
  if (before < 0) return;
  ::dup2(before, STDERR_FILENO);
  ::close(before);
}

}  // namespace posecam
