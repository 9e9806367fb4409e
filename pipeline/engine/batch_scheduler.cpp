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
constexpr std::chrono::milliseconds kLongestRetry = std::chrono::minutes(10);
constexpr std::chrono::seconds kRetryOfTheLast{10};
constexpr std::chrono::milliseconds kShortestRest{250};
constexpr std::chrono::milliseconds kLongestRest = std::chrono::minutes(1);

}  // namespace

BatchScheduler::BatchScheduler(std::uint32_t rows_per_batch, std::chrono::milliseconds max_batch_delay,
                               const std::vector<CoreId>& cores, std::chrono::milliseconds core_retry)
    : rows_per_batch_(rows_per_batch), max_batch_delay_(max_batch_delay), core_retry_(core_retry) {
  for (const CoreId id : cores) cores_.push_back({.id = id});
}

Batch& BatchScheduler::add(std::unique_ptr<Slot> slot, std::size_t core) {
  auto batch = std::make_unique<Batch>();
  batch->slot = std::move(slot);
  batch->core = &cores_[core];
  batch->index = static_cast<std::uint32_t>(batches_.size());
  batch->rows.reserve(rows_per_batch_);
  return *batches_.emplace_back(std::move(batch));
}

// --- streams ----------------------------------------------------------------------------------------------------

/// Waits on room_ for something that also comes true when a core has rested enough, of which nobody tells.
template <class Served>
bool BatchScheduler::wait_for_room(std::unique_lock<std::mutex>& lock, const std::stop_token& stop, Served served) {
  while (!served()) {
    if (stop.stop_requested()) return false;
    const auto now = Clock::now();
    auto next = Clock::time_point::max();
    for (const Batch::Core& core : cores_) {
      if (!core.lost && core.rest.count() > 0 && core.rest_until > now) next = std::min(next, core.rest_until);
    }
    if (next == Clock::time_point::max()) return room_.wait(lock, stop, served);
    room_.wait_until(lock, stop, next, served);
  }
  return true;
}

Result<BatchScheduler::Place> BatchScheduler::reserve(std::stop_token stop) {
  std::unique_lock lock(mutex_);
  Waiter self;
  join_queue(self);
  const bool served = wait_for_room(lock, stop, [&] {
    return !failure_.empty() || (first_waiter_ == &self && (open_ || (borrowers_ == 0 && have_open_batch())));
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

/// In service, and not at rest.
bool BatchScheduler::awake(const Batch::Core& core) const {
  return !core.lost && (core.rest.count() == 0 || core.rest_until <= Clock::now());
}

bool BatchScheduler::others_awake(const Batch::Core& core) const {
  return std::ranges::any_of(cores_, [&](const Batch::Core& other) { return &other != &core && awake(other); });
}

/// A free slot on the living core that would be done first; of cores as fast, the least used. On one that rests only if
/// all do.
Batch* BatchScheduler::find_free() const {
  Batch* best = nullptr;
  const bool all_rest = std::ranges::none_of(cores_, [&](const Batch::Core& core) { return awake(core); });
  for (const auto& batch : batches_) {
    if (batch->state != State::kFree || batch->core->lost || !(all_rest || awake(*batch->core))) continue;
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

// --- workers ----------------------------------------------------------------------------------------------------

bool BatchScheduler::wait_for_batch(std::stop_token stop, Batch& batch) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    if (runnable(batch)) {
      if (open_ == &batch) open_ = nullptr;
      if (std::ranges::any_of(batch.rows, [](const RowState& r) { return r.client != nullptr; })) {
        batch.state = State::kRunning;
        return true;
      }
      free(batch);  // every row was given up
      continue;
    }
    const auto deadline = due(batch);
    if (deadline) {
      batch.wake.wait_until(lock, stop, *deadline, [&] { return runnable(batch); });
    } else {
      batch.wake.wait(lock, stop, [&] { return runnable(batch) || due(batch); });
    }
  }
  return false;
}

bool BatchScheduler::begin_run(Batch& batch) {
  std::lock_guard lock(mutex_);
  if (batch.core->lost || (!awake(*batch.core) && others_awake(*batch.core))) return false;
  ++batch.core->running;
  batch.started = Clock::now();
  return true;
}

void BatchScheduler::end_run(Batch& batch, bool good) {
  std::lock_guard lock(mutex_);
  --batch.core->running;
  if (good) {
    batch.core->rest = std::chrono::milliseconds(0);
    const double ms = std::chrono::duration<double, std::milli>(Clock::now() - batch.started).count();
    double& average = batch.core->run_ms;
    average += average > 0 ? (std::min(ms, 2 * average) - average) / 8 : ms;  // it may have waited for others
  }
  if (open_ && open_->core == batch.core) open_->wake.notify_one();
}

Result<Batch*> BatchScheduler::borrow(std::stop_token stop, Batch& batch) {
  std::unique_lock lock(mutex_);
  const Batch::Core& own = *batch.core;
  Batch* found = nullptr;
  const auto served = [&] {
    if (!failure_.empty()) return true;
    found = own.lost || (!awake(own) && others_awake(own)) ? find_free() : &batch;
    return found != nullptr;
  };
  ++borrowers_;
  const bool is_served = wait_for_room(lock, stop, served);
  --borrowers_;
  room_.notify_all();
  if (!failure_.empty()) return Error{Errc::kDevice, failure_};
  if (!is_served) return Error{Errc::kCancelled, "stopped"};
  if (found != &batch) take(*found, State::kRunning);
  return found;
}

void BatchScheduler::rest(Batch& batch) {
  std::lock_guard lock(mutex_);
  Batch::Core& core = *batch.core;
  const auto now = Clock::now();
  if (!awake(core)) return;  // its other slot was first
  // Where all are busy it says nothing of this one.
  core.rest = others_awake(core) ? std::clamp(2 * core.rest, kShortestRest, kLongestRest) : kShortestRest;
  core.rest_until = now + core.rest;
  room_.notify_all();  // who waits for another core may have to go on with its own
}

void BatchScheduler::release(Batch& batch) {
  std::lock_guard lock(mutex_);
  free(batch);
}

void BatchScheduler::pause(std::stop_token stop, Batch& batch, std::chrono::milliseconds time) {
  std::unique_lock lock(mutex_);
  batch.wake.wait_for(lock, stop, time, [] { return false; });
}

std::optional<std::uint32_t> BatchScheduler::retire(Batch& batch) {
  std::lock_guard lock(mutex_);
  Batch::Core& core = *batch.core;
  if (std::exchange(core.lost, true)) return {};
  ++losses_;
  core.retry = core_retry_;
  core.retry_at = Clock::now() + core_retry_;
  lost_.notify_all();
  room_.notify_all();  // who waits for this core may have to go on with its own
  if (open_ && open_->core == &core) open_->wake.notify_one();
  return count_living();
}

/// When a lost core is to be restored. While no other is left it need not wait for its time.
Clock::time_point BatchScheduler::retry_time(const Batch::Core& core) const {
  const bool none_left = std::ranges::all_of(cores_, &Batch::Core::lost);
  return none_left ? std::min(core.retry_at, core.tried_at + kRetryOfTheLast) : core.retry_at;
}

/// Of the lost cores the one whose turn comes first.
const Batch::Core* BatchScheduler::first_due() const {
  const Batch::Core* first = nullptr;
  for (const Batch::Core& core : cores_) {
    if (core.lost && (!first || retry_time(core) < retry_time(*first))) first = &core;
  }
  return first;
}

std::optional<CoreId> BatchScheduler::wait_for_lost_core(std::stop_token stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested() && failure_.empty()) {
    const Batch::Core* const core = first_due();
    if (!core) {
      lost_.wait(lock, stop, [&] { return first_due() != nullptr || !failure_.empty(); });
    } else if (const auto due = retry_time(*core); due <= Clock::now()) {
      return core->id;
    } else {  // it may be due earlier, once another is lost
      lost_.wait_until(lock, stop, due, [&] { return retry_time(*first_due()) < due || !failure_.empty(); });
    }
  }
  return {};
}

void BatchScheduler::restored(CoreId id, bool works) {
  std::lock_guard lock(mutex_);
  Batch::Core& core = *std::ranges::find(cores_, id, &Batch::Core::id);
  core.tried_at = Clock::now();
  if (works) {
    core.lost = false;
    core.run_ms = 0;  // what it did before says nothing
    core.rest = {};
    // What brought it back may have done so for the others.
    for (Batch::Core& other : cores_) {
      if (other.lost) other.retry_at = std::min(other.retry_at, core.tried_at);
    }
    room_.notify_all();
  } else {
    core.retry = std::min(2 * core.retry, kLongestRetry);
    core.retry_at = core.tried_at + core.retry;
  }
}

void BatchScheduler::fail(const std::string& why) {
  std::lock_guard lock(mutex_);
  if (failure_.empty()) failure_ = why;
  room_.notify_all();
  lost_.notify_all();
}

std::uint32_t BatchScheduler::count_living() const {
  return static_cast<std::uint32_t>(std::ranges::count_if(cores_, [](const Batch::Core& c) { return !c.lost; }));
}

std::uint32_t BatchScheduler::living_cores() const {
  std::lock_guard lock(mutex_);
  return count_living();
}

std::uint64_t BatchScheduler::losses() const {
  std::lock_guard lock(mutex_);
  return losses_;
}

}  // namespace posecam
