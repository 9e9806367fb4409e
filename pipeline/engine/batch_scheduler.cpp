#include "pipeline/engine/batch_scheduler.h"

#include <algorithm>
#include <utility>

namespace posecam {
namespace {

using Clock = std::chrono::steady_clock;
using State = Batch::State;

/// After how many batches an idle core is tried again that looked slow: one hiccup must not rule it out for ever, and
/// one that is slow indeed must not show in a 99th percentile.
constexpr std::uint32_t kMaxPassed = 256;

}  // namespace

BatchScheduler::BatchScheduler(std::uint32_t rows_per_batch, std::chrono::milliseconds max_batch_delay,
                               const std::vector<CoreId>& cores, bool mend_cores)
    : rows_per_batch_(rows_per_batch), max_batch_delay_(max_batch_delay), mend_cores_(mend_cores) {
  for (const CoreId id : cores) cores_.push_back({.id = id});
}

Batch& BatchScheduler::add(std::unique_ptr<Slot> slot, std::size_t core) {
  auto batch = std::make_unique<Batch>();
  batch->slot = std::move(slot);
  batch->core = &cores_[core];
  ++batch->core->slots;
  batch->index = static_cast<std::uint32_t>(batches_.size());
  batch->rows.reserve(rows_per_batch_);
  return *batches_.emplace_back(std::move(batch));
}

// --- streams ----------------------------------------------------------------------------------------------------

Result<BatchScheduler::Place> BatchScheduler::reserve(std::stop_token stop) {
  std::unique_lock lock(mutex_);
  Waiter self;
  join_queue(self);
  const bool served = room_.wait(lock, stop, [&] {
    return !failure_.empty() || (first_waiter_ == &self && borrowers_ == 0 && have_open_batch());
  });
  leave_queue(self);
  if (!failure_.empty()) return Error{Errc::kDevice, failure_};
  if (!served) return Error{Errc::kCancelled, "stopped while waiting for a free slot"};

  Batch& batch = *open_;
  const auto row = static_cast<std::uint32_t>(batch.rows.size());
  batch.rows.emplace_back();
  ++batch.unsettled;
  if (batch.rows.size() == rows_per_batch_) close(batch);
  return Place{batch.index, row};
}

void BatchScheduler::join_queue(Waiter& self) {
  Waiter** tail = &first_waiter_;
  while (*tail) tail = &(*tail)->next;
  *tail = &self;
}

void BatchScheduler::leave_queue(Waiter& self) {
  Waiter** link = &first_waiter_;
  while (*link != &self) link = &(*link)->next;
  *link = self.next;
  if (first_waiter_) room_.notify_all();  // the next in line may find room, too
}

void BatchScheduler::settle(Place place, RowState state) {
  std::lock_guard lock(mutex_);
  Batch& batch = *batches_[place.batch];
  batch.rows[place.row] = std::move(state);
  // Wakes the worker to run the batch, or to start the clock of its delay.
  if (--batch.unsettled == 0) batch.wake.notify_one();
}

void BatchScheduler::drain() {
  std::lock_guard lock(mutex_);
  if (open_ && !open_->rows.empty()) close(*open_);
}

// --- batches, with the lock held --------------------------------------------------------------------------------

/// A free slot on the living core that would be done first; of cores as fast, the least used.
Batch* BatchScheduler::find_free() const {
  Batch* best = nullptr;
  for (const auto& batch : batches_) {
    if (batch->state != State::kFree || batch->core->lost) continue;
    const auto rank = [](const Batch& b) { return std::pair(b.core->busy_ms(), b.core->used); };
    if (!best || rank(*batch) < rank(*best)) best = batch.get();
  }
  return best;
}

bool BatchScheduler::have_open_batch() {
  if (!open_) {
    open_ = find_free();
    if (open_) take(*open_, State::kOpen);
  }
  return open_ != nullptr;
}

void BatchScheduler::take(Batch& batch, State state) {
  batch.state = state;
  ++batch.core->used;
  for (Batch::Core& core : cores_) {
    if (core.used > 0 || core.lost) {
      core.passed = 0;
    } else if (++core.passed == kMaxPassed) {
      core.passed = 0;
      core.run_ms = 0;
    }
  }
}

void BatchScheduler::close(Batch& batch) {
  batch.state = State::kClosed;
  if (open_ == &batch) open_ = nullptr;
  batch.wake.notify_one();
}

void BatchScheduler::free(Batch& batch) {
  batch.rows.clear();
  batch.state = State::kFree;
  --batch.core->used;
  if (batch.core->lost) batch.wake.notify_one();  // it was borrowed when its core went: its worker mends it now
  room_.notify_all();
}

/// When an open batch must go if its core is idle: nothing while rows are being written.
std::optional<Clock::time_point> BatchScheduler::due(const Batch& batch) const {
  if (batch.state != State::kOpen || batch.rows.empty() || batch.unsettled > 0) return {};
  if (batch.core->running > 0 && !batch.core->lost) return {};
  for (const RowState& row : batch.rows) {
    if (row.client) return row.committed + max_batch_delay_;
  }
  return Clock::time_point::min();  // all given up
}

bool BatchScheduler::runnable(const Batch& batch) const {
  if (batch.state == State::kClosed) return batch.unsettled == 0;
  const auto deadline = due(batch);
  return deadline && *deadline <= Clock::now();
}

/// Lost, and nothing is left in it.
bool BatchScheduler::broken(const Batch& batch) const {
  return mend_cores_ && batch.core->lost && batch.state == State::kFree && failure_.empty();
}

void BatchScheduler::wake_workers(const Batch::Core& core) {
  for (const auto& batch : batches_) {
    if (batch->core == &core) batch->wake.notify_one();
  }
}

// --- workers ----------------------------------------------------------------------------------------------------

BatchScheduler::Turn BatchScheduler::wait_for_batch(std::stop_token stop, Batch& batch) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    if (runnable(batch)) {
      if (open_ == &batch) open_ = nullptr;
      if (std::ranges::any_of(batch.rows, [](const RowState& r) { return r.client != nullptr; })) {
        batch.state = State::kRunning;
        return Turn::kRun;
      }
      free(batch);  // every row was given up
      continue;
    }
    if (broken(batch)) return Turn::kMend;
    const auto deadline = due(batch);
    if (deadline) {
      batch.wake.wait_until(lock, stop, *deadline, [&] { return runnable(batch); });
    } else {
      batch.wake.wait(lock, stop, [&] { return runnable(batch) || due(batch) || broken(batch); });
    }
  }
  return Turn::kStopped;
}

bool BatchScheduler::give_up(std::stop_token stop, Batch& batch) {
  std::unique_lock lock(mutex_);
  ++batch.core->given_up;
  wake_workers(*batch.core);
  return batch.wake.wait(lock, stop, [&] { return batch.core->given_up == batch.core->slots; });
}

bool BatchScheduler::mended(std::stop_token stop, Batch& batch) {
  std::unique_lock lock(mutex_);
  Batch::Core& core = *batch.core;
  if (++core.back < core.slots) {
    batch.wake.wait(lock, stop, [&core, before = core.mends] { return core.mends != before; });
    return false;
  }
  core.given_up = core.back = 0;
  core.lost = false;
  core.run_ms = 0;  // what it did before it was lost says nothing
  ++core.mends;
  wake_workers(core);
  room_.notify_all();
  return true;
}

bool BatchScheduler::failed() const {
  std::lock_guard lock(mutex_);
  return !failure_.empty();
}

bool BatchScheduler::begin_run(Batch& batch) {
  std::lock_guard lock(mutex_);
  if (batch.core->lost) return false;
  ++batch.core->running;
  batch.started = Clock::now();
  return true;
}

void BatchScheduler::end_run(Batch& batch, bool good) {
  std::lock_guard lock(mutex_);
  --batch.core->running;
  if (good) {
    const double ms = std::chrono::duration<double, std::milli>(Clock::now() - batch.started).count();
    double& average = batch.core->run_ms;
    average += (ms - average) / (average > 0 ? 8 : 1);
  }
  if (open_ && open_->core == batch.core) open_->wake.notify_one();
}

Batch* BatchScheduler::borrow(std::stop_token stop) {
  std::unique_lock lock(mutex_);
  ++borrowers_;
  Batch* found = nullptr;
  room_.wait(lock, stop, [&] { return !failure_.empty() || (found = find_free()) != nullptr; });
  --borrowers_;
  if (found) take(*found, State::kRunning);
  room_.notify_all();
  return found;
}

void BatchScheduler::release(Batch& batch) {
  std::lock_guard lock(mutex_);
  free(batch);
}

void BatchScheduler::pause(std::stop_token stop, Batch& batch, std::chrono::milliseconds time) {
  std::unique_lock lock(mutex_);
  batch.wake.wait_for(lock, stop, time, [] { return false; });
}

bool BatchScheduler::retire(Batch& batch) {
  std::lock_guard lock(mutex_);
  if (std::exchange(batch.core->lost, true)) return false;
  ++losses_;
  wake_workers(*batch.core);
  return true;
}

void BatchScheduler::fail(const std::string& why) {
  std::lock_guard lock(mutex_);
  if (failure_.empty()) failure_ = why;
  room_.notify_all();
}

std::uint32_t BatchScheduler::living_cores() const {
  std::lock_guard lock(mutex_);
  return static_cast<std::uint32_t>(std::ranges::count_if(cores_, [](const Batch::Core& c) { return !c.lost; }));
}

std::uint64_t BatchScheduler::losses() const {
  std::lock_guard lock(mutex_);
  return losses_;
}

}  // namespace posecam
