#pragma once
// Which row goes where and which batch runs when: the state that streams and workers of an Engine share, under one
// lock.

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "models/core/geometry.h"
#include "models/core/result.h"
#include "pipeline/backend/backend.h"
#include "pipeline/engine/engine.h"

namespace posecam {

/// What a stream hands over with a row.
struct RowState {
  std::shared_ptr<RowClient> client;  ///< null: given up
  Ticket ticket = 0;
  Letterbox letterbox;
  float preprocess_ms = 0;
  std::chrono::steady_clock::time_point committed;
};

/// A slot and the rows in it. Guarded by the scheduler's lock until wait_for_batch() or borrow() hands it to a worker,
/// which owns it up to release().
struct Batch {
  struct Core {
    CoreId id = 0;
    std::uint32_t running = 0;   ///< batches executing
    std::uint32_t used = 0;      ///< batches not free
    std::uint32_t slots = 0;     ///< that it has
    std::uint32_t given_up = 0;  ///< slots destroyed since it was lost
    std::uint32_t back = 0;      ///< slots made anew since
    std::uint32_t mends = 0;     ///< how often it came back
    double run_ms = 0;           ///< average of its runs, the latest count most; 0: not known
    std::uint32_t passed = 0;    ///< batches that went to another core since it became idle
    bool lost = false;

    /// When one more batch would be done, for comparison with other cores.
    double busy_ms() const {
      if (run_ms == 0 && used > 0) return std::numeric_limits<double>::infinity();  // nobody can tell
      return (used + 1) * run_ms;
    }
  };
  enum class State : std::uint8_t { kFree, kOpen, kClosed, kRunning };

  std::unique_ptr<Slot> slot;
  Core* core = nullptr;
  std::uint32_t index = 0;  ///< in the order of add()
  State state = State::kFree;
  std::vector<RowState> rows;
  std::chrono::steady_clock::time_point started;  ///< of its run
  std::uint32_t unsettled = 0;                    ///< rows reserved, neither committed nor given up
  std::condition_variable_any wake;               ///< its worker waits here
};

/// Thread-safe once every slot was added.
class BatchScheduler {
 public:
  struct Place {
    std::uint32_t batch;
    std::uint32_t row;
  };

  BatchScheduler(std::uint32_t rows_per_batch, std::chrono::milliseconds max_batch_delay,
                 const std::vector<CoreId>& cores, bool mend_cores = false);

  Batch& add(std::unique_ptr<Slot> slot, std::size_t core);  ///< core: index into the constructor's list
  std::size_t batch_count() const { return batches_.size(); }
  Batch& batch(std::uint32_t index) { return *batches_[index]; }

  // Streams. reserve(), drain(): as in Engine.
  Result<Place> reserve(std::stop_token stop);
  /// The row is written (or given up, with an empty state).
  void settle(Place place, RowState state);
  void drain();

  // Workers, each for its own batch.
  enum class Turn : std::uint8_t {
    kRun,   ///< the batch is to run
    kMend,  ///< its core is lost and its slot empty: only if the constructor was told that lost cores are mended
    kStopped
  };
  Turn wait_for_batch(std::stop_token stop, Batch& batch);
  /// Counts a run on the core of `batch`. False: that core is lost.
  bool begin_run(Batch& batch);
  /// A run that was `good` also tells how fast the core is: one refused at once, or given up late, does not.
  void end_run(Batch& batch, bool good);
  /// A slot of a living core for the rows of a lost one; served before the streams. Null: no core left, or stopped.
  Batch* borrow(std::stop_token stop);
  void release(Batch& batch);
  /// Waits `time`, less when stopped: the back-off of a busy device.
  void pause(std::stop_token stop, Batch& batch, std::chrono::milliseconds time);

  /// After kMend, when the slot is destroyed: waits until every slot of the core is. False when stopped.
  bool give_up(std::stop_token stop, Batch& batch);
  /// The batch has a slot again: waits until the others of its core have theirs, too, and the core is in service. True
  /// for the last of them; false for the others, and when stopped.
  bool mended(std::stop_token stop, Batch& batch);
  /// Whether fail() was called.
  bool failed() const;

  /// Takes the core of `batch` out of service. False if another worker already did.
  bool retire(Batch& batch);
  /// Nothing can run any more: every reserve() and borrow() fails from now on, with the first reason given.
  void fail(const std::string& why);
  std::uint32_t living_cores() const;
  /// How often a core was lost.
  std::uint64_t losses() const;

 private:
  /// A stream waiting in reserve(); lives on that thread's stack.
  struct Waiter {
    Waiter* next = nullptr;
  };

  // With the lock held.
  void join_queue(Waiter& self);
  void leave_queue(Waiter& self);
  Batch* find_free() const;
  bool have_open_batch();
  void take(Batch& batch, Batch::State state);
  void close(Batch& batch);
  void free(Batch& batch);
  std::optional<std::chrono::steady_clock::time_point> due(const Batch& batch) const;
  bool runnable(const Batch& batch) const;
  bool broken(const Batch& batch) const;
  void wake_workers(const Batch::Core& core);

  const std::uint32_t rows_per_batch_;
  const std::chrono::milliseconds max_batch_delay_;
  const bool mend_cores_;

  mutable std::mutex mutex_;          // the only lock; never held while calling out
  std::condition_variable_any room_;  // streams and borrowers waiting for a free slot
  std::vector<Batch::Core> cores_;
  std::vector<std::unique_ptr<Batch>> batches_;
  Batch* open_ = nullptr;
  Waiter* first_waiter_ = nullptr;
  std::uint32_t borrowers_ = 0;
  std::uint64_t losses_ = 0;
  std::string failure_;
};

}  // namespace posecam
