#include "pipeline/engine.h"

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <exception>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "pipeline/result_pool.h"

namespace posecam {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kMaxRuns = 2;         // a batch that lost two cores is more likely the cause than the victim
constexpr int kMaxBusyTries = 8;    // 1 + 2 + ... + 128 ms of back-off before "busy" counts as refused
constexpr int kMaxRefusedRun = 16;  // batches refused in a row before the device counts as broken

float ms_between(Clock::time_point from, Clock::time_point to) {
  return std::chrono::duration<float, std::milli>(to - from).count();
}

struct RowState {
  std::shared_ptr<RowClient> client;  ///< null: given up
  Ticket ticket = 0;
  Letterbox letterbox;
  float preprocess_ms = 0;
  Clock::time_point committed;
};

enum class BatchState : std::uint8_t { kFree, kOpen, kClosed, kRunning };

struct Core {
  CoreId id = 0;
  std::uint32_t running = 0;  ///< batches executing
  std::uint32_t used = 0;     ///< batches not free
  bool lost = false;
};

/// A slot and the rows in it, guarded by Impl::mutex; once kRunning it belongs to one worker.
struct Batch {
  std::unique_ptr<Slot> slot;
  Core* core = nullptr;
  std::uint32_t index = 0;  ///< in Impl::batches
  BatchState state = BatchState::kFree;
  std::vector<RowState> rows;
  std::uint32_t unsettled = 0;       ///< rows reserved, neither committed nor given up
  std::condition_variable_any wake;  ///< its worker waits here
};

/// A stream waiting in reserve(); lives on that thread's stack.
struct Waiter {
  Waiter* next = nullptr;
};

}  // namespace

struct Engine::Impl {
  Impl(std::unique_ptr<InferenceBackend> b, std::shared_ptr<const ModelSpec> m, const EngineOptions& o)
      : backend(std::move(b)), model(std::move(m)), options(o) {}

  Result<void> make_slots();
  void start_workers();

  // Rows, on streaming threads.
  Result<Row> reserve(std::stop_token stop);
  void settle(std::uint32_t batch, std::uint32_t row, RowState state);
  void drain();

  // Under the mutex.
  Batch* find_free() const;
  bool have_open_batch();
  void close(Batch& batch);
  void take(Batch& batch, BatchState state);
  void release(Batch& batch);
  std::optional<Clock::time_point> due(const Batch& batch) const;
  bool runnable(const Batch& batch) const;
  void stopped_running(Core& core);
  void leave_queue(Waiter& self);
  void fail(const std::string& why);

  // Workers.
  void work(std::stop_token stop, Batch& batch, Postprocessor& post);
  bool wait_for_batch(std::stop_token stop, Batch& batch);
  Result<void> execute(std::stop_token stop, Batch& batch, std::uint32_t frames);
  Batch* run_anywhere(std::stop_token stop, Batch& batch, Result<void>& outcome);
  void retire(Core& core, const Error& why);
  Batch* borrow(std::stop_token stop);
  void judge(const Result<void>& outcome);
  void deliver(Batch& rows, Slot* ran_on, Clock::time_point started, Postprocessor& post,
               std::vector<TensorView>& outputs);

  std::unique_ptr<InferenceBackend> backend;
  const std::shared_ptr<const ModelSpec> model;
  const EngineOptions options;
  ResultPool results;

  mutable std::mutex mutex;          // the only lock; never held while calling out
  std::condition_variable_any room;  // streams and borrowers waiting for a free slot
  std::vector<Core> cores;
  std::vector<std::unique_ptr<Batch>> batches;
  Batch* open = nullptr;
  Waiter* first_waiter = nullptr;
  std::uint32_t borrowers = 0;  ///< workers looking for a slot for the batch of a lost core: before the streams
  int refused_in_a_row = 0;
  bool refused_ever = false;
  std::string failure;  ///< why nothing can run any more
  EngineStats counters;

  std::vector<std::unique_ptr<Postprocessor>> postprocessors;
  std::vector<std::jthread> workers;  // last: joined before what they use goes away
};

// --- rows -------------------------------------------------------------------------------------------------------

Result<Engine::Row> Engine::Impl::reserve(std::stop_token stop) {
  std::unique_lock lock(mutex);
  Waiter self;
  Waiter** tail = &first_waiter;
  while (*tail) tail = &(*tail)->next;
  *tail = &self;
  const bool served = room.wait(
      lock, stop, [&] { return !failure.empty() || (first_waiter == &self && borrowers == 0 && have_open_batch()); });
  leave_queue(self);
  if (!failure.empty()) return Error{Errc::kDevice, failure};
  if (!served) return Error{Errc::kCancelled, "stopped while waiting for a free slot"};

  Batch& batch = *open;
  const auto row = static_cast<std::uint32_t>(batch.rows.size());
  batch.rows.emplace_back();
  ++batch.unsettled;
  if (batch.rows.size() == static_cast<std::size_t>(model->input.batch)) close(batch);
  return Row(this, batch.index, row);
}

void Engine::Impl::leave_queue(Waiter& self) {
  Waiter** link = &first_waiter;
  while (*link != &self) link = &(*link)->next;
  *link = self.next;
  if (first_waiter) room.notify_all();  // the next in line may find room, too
}

void Engine::Impl::settle(std::uint32_t index, std::uint32_t row, RowState state) {
  std::lock_guard lock(mutex);
  Batch& batch = *batches[index];
  batch.rows[row] = std::move(state);
  // Wakes the worker to run the batch, or to start the clock of its delay.
  if (--batch.unsettled == 0) batch.wake.notify_one();
}

void Engine::Impl::drain() {
  std::lock_guard lock(mutex);
  if (open && !open->rows.empty()) close(*open);
}

Engine::Row::Row(Row&& other) noexcept
    : engine_(std::exchange(other.engine_, nullptr)), batch_(other.batch_), index_(other.index_) {}

Engine::Row::~Row() {
  if (engine_) engine_->settle(batch_, index_, {});
}

MutableTensorView Engine::Row::input() const { return engine_->batches[batch_]->slot->input().row(index_); }

void Engine::Row::commit(std::shared_ptr<RowClient> client, Ticket ticket, const Letterbox& letterbox,
                         float preprocess_ms) {
  std::exchange(engine_, nullptr)
      ->settle(batch_, index_, {std::move(client), ticket, letterbox, preprocess_ms, Clock::now()});
}

// --- batches, under the mutex -----------------------------------------------------------------------------------

/// A free slot on the least used living core.
Batch* Engine::Impl::find_free() const {
  Batch* best = nullptr;
  for (const auto& batch : batches) {
    if (batch->state != BatchState::kFree || batch->core->lost) continue;
    if (!best || batch->core->used < best->core->used) best = batch.get();
  }
  return best;
}

bool Engine::Impl::have_open_batch() {
  if (!open) {
    open = find_free();
    if (open) take(*open, BatchState::kOpen);
  }
  return open != nullptr;
}

void Engine::Impl::take(Batch& batch, BatchState state) {
  batch.state = state;
  ++batch.core->used;
}

void Engine::Impl::close(Batch& batch) {
  batch.state = BatchState::kClosed;
  if (open == &batch) open = nullptr;
  batch.wake.notify_one();
}

void Engine::Impl::release(Batch& batch) {
  batch.rows.clear();
  batch.state = BatchState::kFree;
  --batch.core->used;
  room.notify_all();
}

/// When an open batch must go if its core is idle: nothing while rows are being written.
std::optional<Clock::time_point> Engine::Impl::due(const Batch& batch) const {
  if (batch.state != BatchState::kOpen || batch.rows.empty() || batch.unsettled > 0) return {};
  if (batch.core->running > 0 && !batch.core->lost) return {};
  for (const RowState& row : batch.rows) {
    if (row.client) return row.committed + options.max_batch_delay;
  }
  return Clock::time_point::min();  // all given up
}

bool Engine::Impl::runnable(const Batch& batch) const {
  if (batch.state == BatchState::kClosed) return batch.unsettled == 0;
  const auto deadline = due(batch);
  return deadline && *deadline <= Clock::now();
}

void Engine::Impl::stopped_running(Core& core) {
  --core.running;
  if (open && open->core == &core) open->wake.notify_one();
}

void Engine::Impl::fail(const std::string& why) {
  if (failure.empty()) failure = why;
  room.notify_all();
}

// --- workers ----------------------------------------------------------------------------------------------------

void Engine::Impl::work(std::stop_token stop, Batch& batch, Postprocessor& post) {
  std::vector<TensorView> outputs(model->outputs.size());
  while (wait_for_batch(stop, batch)) {
    const auto started = Clock::now();
    Result<void> outcome;
    Batch* ran_on = run_anywhere(stop, batch, outcome);
    judge(outcome);
    deliver(batch, outcome ? ran_on->slot.get() : nullptr, started, post, outputs);
    std::lock_guard lock(mutex);
    if (ran_on && ran_on != &batch) release(*ran_on);
    release(batch);
  }
}

bool Engine::Impl::wait_for_batch(std::stop_token stop, Batch& batch) {
  std::unique_lock lock(mutex);
  while (!stop.stop_requested()) {
    if (runnable(batch)) {
      if (open == &batch) open = nullptr;
      if (std::ranges::any_of(batch.rows, [](const RowState& r) { return r.client != nullptr; })) {
        batch.state = BatchState::kRunning;
        return true;
      }
      release(batch);  // every row was given up
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

/// Runs the batch in its own slot or, if that core is lost, in a borrowed one. Returns the batch whose slot holds
/// the outputs (and must be released), null if there was none left to try.
Batch* Engine::Impl::run_anywhere(std::stop_token stop, Batch& batch, Result<void>& outcome) {
  const auto frames = static_cast<std::uint32_t>(batch.rows.size());
  Batch* where = &batch;
  outcome = Error{Errc::kCoreLost, "core lost"};
  for (int runs = 0; runs < kMaxRuns;) {
    bool lost = false;
    {
      std::lock_guard lock(mutex);
      lost = where->core->lost;
      if (!lost) ++where->core->running;
    }
    if (!lost) {
      outcome = execute(stop, *where, frames);
      ++runs;
      {
        std::lock_guard lock(mutex);
        stopped_running(*where->core);
      }
      if (outcome || outcome.error().code != Errc::kCoreLost) return where;
      retire(*where->core, outcome.error());
    }
    if (where != &batch) {
      std::lock_guard lock(mutex);
      release(*where);
    }
    where = borrow(stop);
    if (!where) return nullptr;
    const MutableTensorView to = where->slot->input();
    std::memcpy(to.data, batch.slot->input().data, to.bytes());
  }
  return where;
}

void Engine::Impl::retire(Core& core, const Error& why) {
  {
    std::lock_guard lock(mutex);
    if (std::exchange(core.lost, true)) return;  // its other slot was first
    if (std::ranges::all_of(cores, &Core::lost)) {
      fail(fmt::format("device {}: no core left, the last error was: {}", backend->name(), why.message));
    }
  }
  spdlog::error("core {} of {} is lost: {}; going on with the others", core.id, backend->name(), why.message);
}

/// A slot of a living core for the rows of a lost one; served before the streams. Null: no core left, or stopped.
Batch* Engine::Impl::borrow(std::stop_token stop) {
  std::unique_lock lock(mutex);
  ++borrowers;
  Batch* found = nullptr;
  room.wait(lock, stop, [&] { return !failure.empty() || (found = find_free()) != nullptr; });
  --borrowers;
  if (found) take(*found, BatchState::kRunning);
  room.notify_all();
  return found;
}

/// One run, with patience for a device that is busy for the moment.
Result<void> Engine::Impl::execute(std::stop_token stop, Batch& batch, std::uint32_t frames) {
  for (int attempt = 0;; ++attempt) {
    Result<void> outcome;
    try {
      outcome = batch.slot->run(frames);
    } catch (const std::exception& e) {
      outcome = Error{Errc::kDevice, fmt::format("device {}: {}", backend->name(), e.what())};
    }
    if (outcome || outcome.error().code != Errc::kBusy || attempt == kMaxBusyTries) return outcome;
    std::unique_lock lock(mutex);
    batch.wake.wait_for(lock, stop, std::chrono::milliseconds(1 << attempt), [] { return false; });
    if (stop.stop_requested()) return outcome;
  }
}

/// What the outcome of a batch means for those that follow.
void Engine::Impl::judge(const Result<void>& outcome) {
  bool first = false;
  {
    std::lock_guard lock(mutex);
    if (outcome) {
      refused_in_a_row = 0;
      return;
    }
    const Error& error = outcome.error();
    if (error.code == Errc::kCoreLost || error.code == Errc::kCancelled) return;
    first = !std::exchange(refused_ever, true);
    if (error.code == Errc::kDevice || error.code == Errc::kModel) {
      fail(error.message);
    } else if (++refused_in_a_row >= kMaxRefusedRun) {
      fail(fmt::format("{} batches in a row were refused, the last with: {}", refused_in_a_row, error.message));
    }
  }
  if (first) spdlog::warn("frames stay unanalysed: {}", outcome.error().message);
}

/// Decodes each row and hands it to its client; without outputs (`ran_on` null) as unanalysed.
void Engine::Impl::deliver(Batch& batch, Slot* ran_on, Clock::time_point started, Postprocessor& post,
                           std::vector<TensorView>& outputs) {
  const auto ended = Clock::now();
  std::uint64_t frames = 0;
  Result<void> decoded;
  for (std::size_t r = 0; r < batch.rows.size(); ++r) {
    RowState& row = batch.rows[r];
    if (!row.client) continue;
    ++frames;
    auto result = results.take();
    result->model = model;
    const auto decode_started = Clock::now();
    result->status = FrameStatus::kUnanalysed;
    if (ran_on) {
      for (std::size_t i = 0; i < outputs.size(); ++i) outputs[i] = ran_on->output(i).row(r);
      try {
        decoded = post.run(outputs, row.letterbox, *result);
      } catch (const std::exception& e) {
        decoded = Error{Errc::kBadInput, fmt::format("decoding a frame: {}", e.what())};
      }
      if (decoded) result->status = FrameStatus::kAnalysed;
    }
    result->times = {row.preprocess_ms, ms_between(row.committed, started), ms_between(started, ended),
                     ms_between(decode_started, Clock::now())};
    std::exchange(row.client, nullptr)->row_done(row.ticket, std::move(result));
  }
  if (!decoded) judge(decoded);
  std::lock_guard lock(mutex);
  counters.rows += frames;
  ++counters.batches;
}

// --- set-up -----------------------------------------------------------------------------------------------------

Result<void> Engine::Impl::make_slots() {
  for (const CoreId id : backend->cores()) cores.push_back({.id = id});
  if (cores.empty()) return Error{Errc::kDevice, fmt::format("device {} has no cores", backend->name())};
  for (std::uint32_t s = 0; s < options.slots_per_core; ++s) {
    for (Core& core : cores) {
      auto slot = backend->make_slot(*model, core.id);
      if (!slot) return slot.error();
      auto post = Postprocessor::create(*model, options.decode);
      if (!post) return post.error();
      auto batch = std::make_unique<Batch>();
      batch->slot = std::move(*slot);
      batch->core = &core;
      batch->index = static_cast<std::uint32_t>(batches.size());
      batch->rows.reserve(static_cast<std::size_t>(model->input.batch));
      // The padding of a short batch holds zeros or an earlier frame: nobody reads its outputs.
      const MutableTensorView input = batch->slot->input();
      std::memset(input.data, 0, input.bytes());
      batches.push_back(std::move(batch));
      postprocessors.push_back(std::move(*post));
    }
  }
  return {};
}

void Engine::Impl::start_workers() {
  workers.reserve(batches.size());
  for (std::size_t i = 0; i < batches.size(); ++i) {
    workers.emplace_back([this, i](std::stop_token stop) { work(stop, *batches[i], *postprocessors[i]); });
  }
}

Result<std::shared_ptr<Engine>> Engine::create(std::unique_ptr<InferenceBackend> backend,
                                               std::shared_ptr<const ModelSpec> model, const EngineOptions& options) {
  if (options.slots_per_core < 1) return Error{Errc::kUsage, "slots per core must be at least 1"};
  auto impl = std::make_unique<Impl>(std::move(backend), std::move(model), options);
  if (auto made = impl->make_slots(); !made) return made.error();
  impl->start_workers();
  return std::shared_ptr<Engine>(new Engine(std::move(impl)));
}

Engine::Engine(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Engine::~Engine() {
  for (auto& worker : impl_->workers) worker.request_stop();
}

Result<Engine::Row> Engine::reserve(std::stop_token stop) { return impl_->reserve(std::move(stop)); }
void Engine::drain() { impl_->drain(); }

std::shared_ptr<const FrameResult> Engine::empty_result(FrameStatus status) {
  auto result = impl_->results.take();
  result->status = status;
  result->model = impl_->model;
  return result;
}

const ModelSpec& Engine::model() const { return *impl_->model; }
std::string_view Engine::backend_name() const { return impl_->backend->name(); }
std::size_t Engine::max_in_flight() const {
  return impl_->batches.size() * static_cast<std::size_t>(impl_->model->input.batch);
}

EngineStats Engine::stats() const {
  std::lock_guard lock(impl_->mutex);
  EngineStats stats = impl_->counters;
  stats.cores = static_cast<std::uint32_t>(std::ranges::count_if(impl_->cores, [](const Core& c) { return !c.lost; }));
  return stats;
}

}  // namespace posecam
