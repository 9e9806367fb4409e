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

/// For one piece of work, as long as it lasts: nothing of it is left on the terminal. One thread at a time.
class ProgressPrinter {
 public:
  explicit ProgressPrinter(bool quiet);
  ~ProgressPrinter();
  ProgressPrinter(const ProgressPrinter&) = delete;
  ProgressPrinter& operator=(const ProgressPrinter&) = delete;

  /// How often show() is to be called.
  std::chrono::milliseconds period() const { return std::chrono::milliseconds(drawn_ ? 200 : 5000); }
  /// Whether it is time again, for those who could call it at any time.
  bool due();
  /// format_progress(), fitted to the terminal. Nothing if quiet.
  void show(const RunProgress& progress);
  /// Any other work: progress_line of that part (0 to 1) on a terminal, the text elsewhere.
  void show(double part, const std::string& text);

 private:
  void print(const std::string& line);

  bool quiet_;
  bool drawn_;  ///< over the line before, not line by line
  std::chrono::steady_clock::time_point next_;
};

}  // namespace posecam
