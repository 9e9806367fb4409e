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

  /// `cores`: the backend's. `core_retry`: as in EngineOptions.
  BatchScheduler(std::uint32_t rows_per_batch, std::chrono::milliseconds max_batch_delay,
                 const std::vector<CoreId>& cores, std::chrono::milliseconds core_retry = {});

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
  /// Blocks until the batch is to run; it is the worker's until release() then. False when stopped. Batches whose rows
  /// were all given up are freed here, and nobody hears of them.
  bool wait_for_batch(std::stop_token stop, Batch& batch);
  /// Counts a run on the core of `batch`. False: that core is lost, or rests while another does not: borrow().
  bool begin_run(Batch& batch);
  /// A run that was `good` also tells how fast the core is: one refused at once, or given up late, does not.
  void end_run(Batch& batch, bool good);
  /// Where the rows of `batch`, whose core is lost or rests, may run: a slot of another core, served before the
  /// streams; `batch` itself if all others rest, too. kDevice: no core left; kCancelled: stopped.
  Result<Batch*> borrow(std::stop_token stop, Batch& batch);
  /// The core of `batch` was busy for long: for 250 ms, and twice as long after each time that no good run is between,
  /// up to a minute, others come first.
  void rest(Batch& batch);
  /// The batch is free again, its rows are gone. Also for a borrowed one.
  void release(Batch& batch);
  /// Waits `time`, less when stopped: the back-off of a busy device.
  void pause(std::stop_token stop, Batch& batch, std::chrono::milliseconds time);

  // Cores that are lost.
  /// Whether they come back: core_retry is not 0.
  bool restores_cores() const { return core_retry_.count() > 0; }
  /// Blocks until a lost core is to be restored: core_retry after its loss, at once if it was the last. Nothing when
  /// stopped, or once fail() was called.
  std::optional<CoreId> wait_for_lost_core(std::stop_token stop);
  /// It is in service again, with the slots that it had; or was tried in vain.
  void restored(CoreId core, bool works);

  /// Takes the core of `batch` out of service; how many are left in it. Nothing if another worker already did.
  std::optional<std::uint32_t> retire(Batch& batch);
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
  template <class Served>
  bool wait_for_room(std::unique_lock<std::mutex>& lock, const std::stop_token& stop, Served served);
  std::uint32_t count_living() const;
  bool awake(const Batch::Core& core) const;
  bool others_awake(const Batch::Core& core) const;
  Batch* find_free() const;
  bool have_open_batch();
  void take(Batch& batch, Batch::State state);
  void close(Batch& batch);
  void free(Batch& batch);
  std::optional<std::chrono::steady_clock::time_point> due(const Batch& batch) const;
  bool runnable(const Batch& batch) const;
  std::chrono::steady_clock::time_point retry_time(const Batch::Core& core) const;
  const Batch::Core* first_due() const;

  const std::uint32_t rows_per_batch_;
  const std::chrono::milliseconds max_batch_delay_;
  const std::chrono::milliseconds core_retry_;

  mutable std::mutex mutex_;          // the only lock; never held while calling out
  std::condition_variable_any room_;  // streams and borrowers waiting for a free slot
  std::condition_variable_any lost_;  // who restores cores
  std::vector<Batch::Core> cores_;
  std::vector<std::unique_ptr<Batch>> batches_;
  Batch* open_ = nullptr;
  Waiter* first_waiter_ = nullptr;
  std::uint32_t borrowers_ = 0;
  std::uint64_t losses_ = 0;
  std::string failure_;
};

}  // namespace posecam
