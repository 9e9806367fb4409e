#include "app/cli/progress.h"

#include <algorithm>
#include <cmath>
#include <unistd.h>

#include <fmt/format.h>

#include "app/cli/console.h"
#include "models/core/text.h"

namespace posecam {
namespace {

constexpr int kTextColumns = 61;  ///< room for the text beside the bar, so that the bar stays as the text grows
constexpr int kWidestBar = 40;

/// How wide a bar is beside such a text, 0 for none: both, what is between and around them and a free last column.
int bar_columns(int columns, std::size_t text) {
  const int free = columns - 5 - std::max(static_cast<int>(text), kTextColumns);
  return free < 8 ? 0 : std::min(free, kWidestBar);
}

/// A line that would wrap could not be redrawn.
std::string fitted(std::string line, int columns) {
  constexpr std::size_t kLeast = 8;
  const std::size_t most = std::max(static_cast<std::size_t>(columns), kLeast) - 1;
  if (line.size() <= most) return line;
  std::size_t end = most - 3;
  while (end > 0 && (static_cast<unsigned char>(line[end]) & 0xC0U) == 0x80U) --end;  // whole characters of UTF-8
  return line.substr(0, end) + "...";
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
  const std::string people = counted(static_cast<std::uint64_t>(progress.people), "person", "people");
  if (!progress.total || *progress.total == 0) {
    return fmt::format("{}  {:.1f} FPS  {}  {}", counted(progress.frames, "frame", "frames"), fps,
                       format_duration(progress.seconds), people);
  }
  const std::uint64_t total = std::max(*progress.total, progress.frames);
  const double part = static_cast<double>(progress.frames) / static_cast<double>(total);
  std::string text = bar_of(part, bar);
  text += fmt::format("{}/{}  {:.0f}%  {:.1f} FPS", progress.frames, counted(total, "frame", "frames"),
                      std::floor(part * 100), fps);
  if (fps > 0) text += "  ETA " + format_duration(static_cast<double>(total - progress.frames) / fps);
  return text + "  " + people;
}

std::string progress_line(double part, const std::string& text, int columns) {
  return fitted(bar_of(part, bar_columns(columns, text.size())) + text, columns);
}

ProgressPrinter::ProgressPrinter(bool quiet) : quiet_(quiet), drawn_(status_can_be_drawn()) {
  if (!drawn_) next_ = std::chrono::steady_clock::now() + period();
}

bool ProgressPrinter::due() {
  const auto now = std::chrono::steady_clock::now();
  if (now < next_) return false;
  next_ = now + period();
  return true;
}

void ProgressPrinter::show(const RunProgress& progress) {
  const int columns = terminal_columns(STDERR_FILENO);
  print(drawn_ ? fitted(format_progress(progress, bar_columns(columns, 0)), columns) : format_progress(progress, 0));
}

void ProgressPrinter::show(double part, const std::string& text) {
  print(drawn_ ? progress_line(part, text, terminal_columns(STDERR_FILENO)) : text);
}

void ProgressPrinter::print(const std::string& line) {
  if (quiet_) return;
  if (drawn_) {
    draw_status(line);
  } else {
    tell("{}\n", line);
  }
}

ProgressPrinter::~ProgressPrinter() { erase_status(); }

}  // namespace posecam
