#pragma once
// Where the time of frames goes: stages as intervals, kept while somebody profiles. Whoever does the work says so. What
// a result says of its own time (FrameTimes) comes from the StageTimers here, whether anybody profiles or not; the laps
// within them cost a load of an atomic where nobody does.

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace posecam {

/// On the way of a frame.
enum class Stage : std::uint8_t {
  kDecode,      ///< H.264 and the like; a decoder's own threads are not seen, only whoever waits for them
  kConvert,     ///< to a pixel format that the network's side takes, turning
  kPreprocess,  ///< scale, colour, pack into the batch
  kQueue,       ///< from there until the batch runs
  kToDevice,    ///< input as the device wants it, and its way there
  kExecute,
  kFromDevice,
  kSmoothing,  ///< of heatmaps
  kPeaks,
  kGrouping,  ///< of peaks to people, with the part affinity fields; of boxes: non-maximum suppression
  kDraw,
  kEncode,
  kPublish,  ///< result documents, muxing, files
};
inline constexpr std::size_t kStages = 13;  ///< how many there are
/// "decode", "convert", "preprocess", "queue", "to device", "execute", ...
std::string_view to_string(Stage stage);

/// One stage of some frames on one thread, from begin to end.
struct StageSpan {
  using Clock = std::chrono::steady_clock;
  Stage stage{};             ///< what was done
  std::uint32_t frames = 1;  ///< that it was for: a batch's rows
  std::int32_t core = -1;    ///< of kExecute; -1: none
  Clock::time_point begin{};
  Clock::time_point end{};
  Clock::duration nested{};  ///< of that, what other stages took, whose spans lie within this one

  /// Without the stages within it.
  Clock::duration own() const { return end - begin - nested; }
};

/// All spans of the process, by thread. Thread-safe.
class StageLog {
 public:
  /// What one thread did.
  struct Thread {
    std::string name;              ///< as the system knows it
    std::vector<StageSpan> spans;  ///< in the order in which they were added
  };

  /// Whether somebody profiles.
  static bool on() { return recording.load(std::memory_order_relaxed); }
  /// Forgets what was, and records from now on.
  static void start();
  /// Records no more, and gives what there is. Threads that are gone are included. Not while another thread is within
  /// add(): stop what works first.
  static std::vector<Thread> stop();
  /// Nothing while it is off, or when this thread has kMostSpans already.
  static void add(const StageSpan& span);
  /// How many spans of this thread it has.
  static std::size_t count_here();

  static constexpr std::size_t kMostSpans = 1U << 20U;  ///< of one thread: 42 MB

 private:
  static std::atomic<bool> recording;
};

/// Stages that follow each other on one thread and may come by turns, as smoothing and peaks do for each body part: at
/// the end each has one span with all its time, one after the other.
class StageLaps {
 public:
  /// Begins now. `frames`, `core`: as in StageSpan.
  explicit StageLaps(std::uint32_t frames = 1, std::int32_t core = -1) : frames_(frames), core_(core) {
    if (StageLog::on()) begin_ = last_ = StageSpan::Clock::now();
  }
  StageLaps(const StageLaps&) = delete;
  StageLaps& operator=(const StageLaps&) = delete;
  ~StageLaps() {
    if (last_ != begin_) write();
  }

  /// What was done since the last lap was this.
  void lap(Stage stage) {
    if (last_ == StageSpan::Clock::time_point{}) return;
    const auto now = StageSpan::Clock::now();
    spent_[static_cast<std::size_t>(stage)] += now - last_;
    last_ = now;
  }

 private:
  void write() const;

  const std::uint32_t frames_;
  const std::int32_t core_;
  StageSpan::Clock::time_point begin_{};
  StageSpan::Clock::time_point last_{};
  std::array<StageSpan::Clock::duration, kStages> spent_{};
};

/// One stage, for those who want to know how long it took even if nobody profiles. What laps on this thread tell of the
/// same time, they tell in more detail: then it adds no span of its own.
class StageTimer {
 public:
  using Clock = StageSpan::Clock;
  /// Begins now. `frames`, `core`: as in StageSpan.
  explicit StageTimer(Stage stage, std::uint32_t frames = 1, std::int32_t core = -1)
      : spans_before_(StageLog::on() ? StageLog::count_here() : 0), span_{stage, frames, core, Clock::now(), {}, {}} {}

  Clock::time_point begin() const { return span_.begin; }  ///< when it was constructed
  /// Once. In milliseconds.
  float stop() {
    span_.end = Clock::now();
    if (StageLog::on() && StageLog::count_here() == spans_before_) StageLog::add(span_);
    return std::chrono::duration<float, std::milli>(span_.end - span_.begin).count();
  }

 private:
  const std::size_t spans_before_;
  StageSpan span_;
};

}  // namespace posecam
