#pragma once
// Which row goes where and which batch runs when: the state that streams and workers of an Engine share, under one
// lock.

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "models/core/result.h"
#include "pipeline/backend/backend.h"
#include "pipeline/engine/batch.h"

namespace posecam {

/// Thread-safe once every slot was added.
class BatchScheduler {
 public:
  /// A row of a batch, both counted from 0.
  struct Place {
    std::uint32_t batch;  ///< as batch() takes it
    std::uint32_t row;
  };

  /// `cores`: the backend's. `mend_cores`: workers of a lost core get kMend.
  BatchScheduler(std::uint32_t rows_per_batch, std::chrono::milliseconds max_batch_delay,
                 const std::vector<CoreId>& cores, bool mend_cores = false);

  Batch& add(std::unique_ptr<Slot> slot, std::size_t core);  ///< core: index into the constructor's list
  /// How many were added.
  std::size_t batch_count() const { return batches_.size(); }
  /// In the order of add().
  Batch& batch(std::uint32_t index) { return *batches_[index]; }

  // Streams. reserve(), drain(): as in Engine.
  Result<Place> reserve(std::stop_token stop);
  /// The row is written (or given up, with an empty state).
  void settle(Place place, RowState state);
  /// Closes the open batch if it has rows.
  void drain();

  // Workers, each for its own batch.
  enum class Turn : std::uint8_t {
    kRun,   ///< the batch is to run
    kMend,  ///< its core is lost and its slot empty: only if the constructor was told that lost cores are mended
    kStopped
  };
  /// Blocks until there is something to do. After kRun the batch is the worker's until release(). Batches whose rows
  /// were all given up are freed here, and nobody hears of them.
  Turn wait_for_batch(std::stop_token stop, Batch& batch);
  /// Counts a run on the core of `batch`. False: that core is lost.
  bool begin_run(Batch& batch);
  /// A run that was `good` also tells how fast the core is: one refused at once, or given up late, does not.
  void end_run(Batch& batch, bool good);
  /// A slot of a living core for the rows of a lost one; served before the streams. Null: no core left, or stopped.
  Batch* borrow(std::stop_token stop);
  /// The batch is free again, its rows are gone. Also for a borrowed one.
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
  /// Cores in service.
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
