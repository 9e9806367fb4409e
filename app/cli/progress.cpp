#include "app/cli/progress.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <sys/ioctl.h>
#include <unistd.h>

#include <fmt/format.h>

#include "app/cli/tell.h"

namespace posecam {
namespace {

constexpr int kTextColumns = 66;  ///< room for the text beside the bar
constexpr int kWidestBar = 40;

int bar_columns() {
  winsize size{};
  const int columns = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
  const int free = std::min(columns - kTextColumns, kWidestBar);
  return free < 8 ? 0 : free;
}

/// "[####....]  ", nothing for 0 columns.
std::string bar_of(double part, int columns) {
  const int filled = static_cast<int>(part * columns);
  return columns > 0 ? fmt::format("[{:#<{}}{:.<{}}]  ", "", filled, "", columns - filled) : "";
}

}  // namespace

std::string format_duration(double seconds) {
  const auto whole = static_cast<long>(std::clamp(std::round(seconds), 0.0, 3.6e6));
  if (whole < 3600) return fmt::format("{}:{:02}", whole / 60, whole % 60);
  return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
}

std::string format_progress(const RunProgress& progress, int bar) {
  const double fps = progress.seconds > 0 ? static_cast<double>(progress.frames) / progress.seconds : 0;
  const std::string people = fmt::format("{} {}", progress.people, progress.people == 1 ? "person" : "people");
  if (!progress.total || *progress.total == 0) {
    return fmt::format("{} frames  {:.1f} FPS  {}  {}", progress.frames, fps, format_duration(progress.seconds),
                       people);
  }
  const std::uint64_t total = std::max(*progress.total, progress.frames);
  const double part = static_cast<double>(progress.frames) / static_cast<double>(total);
  std::string text = bar_of(part, bar);
  text += fmt::format("{}/{} frames  {:.0f}%  {:.1f} FPS", progress.frames, total, std::floor(part * 100), fps);
  if (fps > 0) text += "  ETA " + format_duration(static_cast<double>(total - progress.frames) / fps);
  return text + "  " + people;
}

ProgressPrinter::ProgressPrinter(bool quiet) : quiet_(quiet), terminal_(isatty(STDERR_FILENO) == 1) {}

void ProgressPrinter::show(const RunProgress& progress) {
  print(format_progress(progress, terminal_ ? bar_columns() : 0));
}

void ProgressPrinter::show(double part, const std::string& text) {
  print(bar_of(part, terminal_ ? bar_columns() : 0) + text);
}

void ProgressPrinter::print(const std::string& line) {
  if (quiet_) return;
  if (terminal_) {
    tell("\r\x1b[K{}", line);
    std::fflush(stderr);
    drawn_ = true;
  } else {
    tell("{}\n", line);
  }
}

void ProgressPrinter::clear() {
  if (drawn_) tell("\r\x1b[K");
  drawn_ = false;
}

}  // namespace posecam
