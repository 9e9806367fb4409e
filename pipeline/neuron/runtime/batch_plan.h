#pragma once
// Which compiled batch sizes to run for the rows at hand.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

namespace posecam {

/// How long a core needs for each compiled size, as far as is known. Thread-safe.
class BatchTimes {
 public:
  using Clock = std::chrono::steady_clock;

  explicit BatchTimes(std::size_t sizes) : sizes_(sizes) {}

  /// An execution of size number `index` was asked for at `asked` and over at `ended`. What the core did for others in
  /// between is not counted: it runs one after the other, so this one began when the last one ended. Returns the time
  /// that is left; of it the average follows an eighth, an outlier counts as twice the average.
  std::chrono::nanoseconds add(std::size_t index, Clock::time_point asked, Clock::time_point ended);
  /// An execution before frames came: of several the shortest counts, as all cores start at once and disturb each
  /// other.
  void start(std::size_t index, Clock::time_point asked, Clock::time_point ended);
  /// Whether some size was measured.
  bool known() const;
  /// By size, 0 for those never run.
  void read(std::span<double> ms) const;
  /// The largest size that `rows` fill and that no execution had for kLookAgain others, as its time may have been an
  /// outlier: it should run now, and its next time replaces what is known. `sizes`: ascending.
  std::optional<std::size_t> look_again(std::span<const std::uint32_t> sizes, std::uint32_t rows);

  static constexpr std::uint64_t kLookAgain = 256;  ///< executions: costs well below a hundredth of the time

 private:
  struct Size {
    double ms = 0;
    std::uint64_t last_run = 0;  ///< as number of the execution
    bool replace = false;        ///< the next time stands for itself
  };

  /// With the lock held: what of the time between was this execution's own.
  std::chrono::nanoseconds own_time(Clock::time_point asked, Clock::time_point ended);

  mutable std::mutex mutex_;
  Clock::time_point last_end_{};
  std::vector<Size> sizes_;
  std::uint64_t runs_ = 0;
};

/// Cuts up to `most` rows into runs of compiled sizes. Not thread-safe; no allocation in plan().
class BatchPlanner {
 public:
  /// `sizes`: ascending, at least one.
  BatchPlanner(std::vector<std::uint32_t> sizes, std::uint32_t most);

  /// Indices of sizes, larger ones first, that together hold `rows` (1..most): of all ways that take at most kNear
  /// times the least time, one with the fewest runs, of these the fastest, and then the one with the least padding.
  /// `ms` by size; an unknown time (0) counts as one of its rows. Valid until the next call.
  std::span<const std::uint32_t> plan(std::uint32_t rows, std::span<const double> ms);

  std::span<const std::uint32_t> sizes() const { return sizes_; }  ///< as constructed

  /// What a measurement may be off by. Fewer runs are fewer calls, and fewer switches between the networks of a core,
  /// whose time shows in no single run.
  static constexpr double kNear = 1.02;

 private:
  struct Best {
    double ms = 0;
    std::uint32_t padding = 0;
    std::uint32_t size = 0;  ///< index of the last of the sizes that get there
  };

  double least_time(std::uint32_t rows, std::span<const double> ms);
  void add_run(std::uint32_t run, std::uint32_t rows, std::span<const double> ms);
  double time_of(std::uint32_t size, std::span<const double> ms) const {
    return ms[size] > 0 ? ms[size] : sizes_[size];
  }
  Best& best(std::uint32_t runs, std::uint32_t rows) { return best_[std::size_t{runs} * (most_ + 1) + rows]; }

  std::vector<std::uint32_t> sizes_;
  std::uint32_t most_;
  std::vector<Best> best_;     ///< by runs, and rows
  std::vector<double> least_;  ///< by rows
  std::vector<std::uint32_t> chosen_;
};

}  // namespace posecam
