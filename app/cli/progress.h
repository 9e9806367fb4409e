#pragma once
// How far the run is, for people: a bar that redraws itself on a terminal, a line now and then otherwise.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace posecam {

/// All inputs together.
struct RunProgress {
  std::uint64_t frames = 0;            ///< with results so far
  std::optional<std::uint64_t> total;  ///< frames expected; unknown for live sources
  double seconds = 0;                  ///< since the first frame
  int people = 0;                      ///< in view in the last frames
};

/// "[######......]  120/381 frames  31%  57.3 FPS  ETA 0:05  6 people", without bar when `bar` is 0 columns wide.
std::string format_progress(const RunProgress& progress, int bar);

/// "[######......]  TEXT" of less than `columns`: without bar where that leaves no room for it, and with the text cut.
std::string progress_line(double part, const std::string& text, int columns);

/// "0:05", "12:34", "1:02:03".
std::string format_duration(double seconds);

/// Whether stderr is a terminal, where a line replaces the one before.
bool progress_is_redrawn();

/// Writes to stderr. Main thread only.
class ProgressPrinter {
 public:
  explicit ProgressPrinter(bool quiet);

  /// How often show() is to be called.
  std::chrono::milliseconds period() const { return std::chrono::milliseconds(terminal_ ? 200 : 5000); }
  /// format_progress(), fitted to the terminal. Nothing if quiet.
  void show(const RunProgress& progress);
  /// Any other work: progress_line of that part (0 to 1) on a terminal, the text elsewhere.
  void show(double part, const std::string& text);
  /// Makes room for a lasting line.
  void clear();

 private:
  void print(const std::string& line);

  bool quiet_;
  bool terminal_;
  bool drawn_ = false;
};

}  // namespace posecam
