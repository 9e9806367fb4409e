#include "pipeline/engine/engine.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <exception>
#include <mutex>
#include <pthread.h>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "models/core/log.h"
#include "models/core/stage_log.h"
#include "pipeline/engine/batch_scheduler.h"
#include "pipeline/engine/result_pool.h"
#include "postprocess/decode/decoder.h"

namespace posecam {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kMaxRuns = 2;       // a batch that lost two cores is more likely the cause than the victim
constexpr int kMaxBusyTries = 8;  // 1 + 2 + ... + 128 ms of back-off before "busy" counts as refused
constexpr std::chrono::milliseconds kMaxCoreRetry = std::chrono::minutes(10);
constexpr int kMaxRefusedRun = 16;  // batches refused in a row before the device counts as broken

float ms_between(Clock::time_point from, Clock::time_point to) {
  return std::chrono::duration<float, std::milli>(to - from).count();
}

struct BatchTime {
  Clock::time_point started;
  float infer_ms = 0;
};

/// What a worker decodes with.
struct Decoder {
  std::unique_ptr<Postprocessor> post;
  std::vector<TensorView> outputs;  ///< of one row
};

struct GiveBack {
  BatchScheduler* scheduler = nullptr;
  void operator()(Batch* batch) const { scheduler->release(*batch); }
};
/// A batch of another core, borrowed because the own one is lost.
using Loan = std::unique_ptr<Batch, GiveBack>;

}  // namespace

struct Engine::Impl {
  Impl(std::unique_ptr<InferenceBackend> b, std::shared_ptr<const ModelSpec> m, const EngineOptions& options)
      : backend(std::move(b)),
        model(std::move(m)),
        core_retry(options.core_retry),
        scheduler(static_cast<std::uint32_t>(model->input.batch), options.max_batch_delay, backend->cores(),
                  options.core_retry.count() > 0) {}

  Result<void> make_slots(const EngineOptions& options);
  Result<std::unique_ptr<Slot>> make_slot(CoreId core);
  Result<void> check_outputs(const Slot& slot, const Postprocessor& post) const;
  void start_workers();

  // On a worker.
  void work(std::stop_token stop, Batch& batch, Decoder& decoder);
  void run(std::stop_token stop, Batch& batch, Decoder& decoder);
  static void note_queue(const Batch& batch, Clock::time_point started);
  Batch* run_anywhere(std::stop_token stop, Batch& batch, Loan& loan, Result<void>& outcome);
  Result<void> execute(std::stop_token stop, Batch& batch, std::uint32_t frames);
  void retire(Batch& batch, const Error& why);
  void mend(std::stop_token stop, Batch& batch);
  void judge(const Result<void>& outcome);
  void deliver(Batch& batch, Slot* ran_on, const BatchTime& time, Decoder& decoder);
  bool decode(const Slot& ran_on, std::size_t row, const Letterbox& letterbox, Decoder& decoder, FrameResult& result,
              bool judged);
  void give_up(Batch& batch, const std::exception& why);

  std::unique_ptr<InferenceBackend> backend;
  const std::shared_ptr<const ModelSpec> model;
  const std::chrono::milliseconds core_retry;
  BatchScheduler scheduler;
  ResultPool results;

  std::atomic<std::uint64_t> batches_run = 0;
  std::atomic<std::uint64_t> rows_run = 0;
  std::atomic<int> refused_in_a_row = 0;
  mutable std::mutex refusal_mutex;
  std::string first_refusal;

  std::vector<Decoder> decoders;      ///< one for each worker
  std::vector<std::jthread> workers;  // last: joined before what they use goes away
};

// --- rows -------------------------------------------------------------------------------------------------------

Engine::Row::Row(Row&& other) noexcept
    : engine_(std::exchange(other.engine_, nullptr)), batch_(other.batch_), index_(other.index_) {}

Engine::Row::~Row() {
  if (engine_) engine_->scheduler.settle({batch_, index_}, {});
}

MutableTensorView Engine::Row::input() const { return engine_->scheduler.batch(batch_).slot->input().row(index_); }

void Engine::Row::commit(std::shared_ptr<RowClient> client, Ticket ticket, const Letterbox& letterbox,
                         float preprocess_ms) {
  std::exchange(engine_, nullptr)
      ->scheduler.settle({batch_, index_}, {std::move(client), ticket, letterbox, preprocess_ms, Clock::now()});
}

// --- workers ----------------------------------------------------------------------------------------------------

/// The one place where exceptions end: out of memory, or a fault of a library or of a client.
void Engine::Impl::work(std::stop_token stop, Batch& batch, Decoder& decoder) {
  using Turn = BatchScheduler::Turn;
  for (Turn turn{}; (turn = scheduler.wait_for_batch(stop, batch)) != Turn::kStopped;) {
    try {
      turn == Turn::kMend ? mend(stop, batch) : run(stop, batch, decoder);
    } catch (const std::exception& e) {
      give_up(batch, e);
    }
    if (turn == Turn::kRun) scheduler.release(batch);
  }
}

void Engine::Impl::run(std::stop_token stop, Batch& batch, Decoder& decoder) {
  StageTimer timer(Stage::kExecute, static_cast<std::uint32_t>(batch.rows.size()),
                   static_cast<std::int32_t>(batch.core->id));
  Loan loan(nullptr, {&scheduler});
  Result<void> outcome;
  const Batch* ran_on = run_anywhere(stop, batch, loan, outcome);
  const BatchTime time{timer.begin(), timer.stop()};
  note_queue(batch, time.started);
  judge(outcome);
  deliver(batch, outcome ? ran_on->slot.get() : nullptr, time, decoder);
}

/// Rows of which nobody has heard come back unanalysed, and no more are taken.
void Engine::Impl::give_up(Batch& batch, const std::exception& why) {
  try {
    judge(Error{Errc::kDevice, fmt::format("device {}: {}", backend->name(), why.what())});
  } catch (const std::exception&) {
    scheduler.fail("out of memory");  // so short a text needs none
  }
  for (RowState& row : batch.rows) {
    if (!row.client) continue;
    try {
      auto result = results.take();
      result->model = model;
      result->status = FrameStatus::kUnanalysed;
      std::exchange(row.client, nullptr)->row_done(row.ticket, std::move(result));
    } catch (const std::exception&) {
      continue;  // its stream learns of it with its next row
    }
  }
}

/// How long its frames have waited.
void Engine::Impl::note_queue(const Batch& batch, Clock::time_point started) {
  if (!StageLog::on()) return;
  for (const RowState& row : batch.rows) {
    if (row.client) StageLog::add({Stage::kQueue, 1, -1, row.committed, started});
  }
}

/// Runs the batch in its own slot or, if that core is lost, in a borrowed one, which is `loan` then. Returns the batch
/// whose slot holds the outputs or failed last, null if there was none left to try.
Batch* Engine::Impl::run_anywhere(std::stop_token stop, Batch& batch, Loan& loan, Result<void>& outcome) {
  const auto frames = static_cast<std::uint32_t>(batch.rows.size());
  Batch* where = &batch;
  outcome = Error{Errc::kCoreLost, "core lost"};
  for (int runs = 0;;) {
    if (scheduler.begin_run(*where)) {
      outcome = execute(stop, *where, frames);
      scheduler.end_run(*where, static_cast<bool>(outcome));
      if (outcome || outcome.error().code != Errc::kCoreLost) return where;
      retire(*where, outcome.error());
      if (++runs == kMaxRuns) return where;
    }
    loan.reset();  // before it waits for another
    loan.reset(scheduler.borrow(stop));
    where = loan.get();
    if (!where) {
      if (stop.stop_requested()) outcome = Error{Errc::kCancelled, "stopped"};
      return nullptr;
    }
    const MutableTensorView to = where->slot->input();
    std::memcpy(to.data, batch.slot->input().data, to.bytes());
  }
}

void Engine::Impl::retire(Batch& batch, const Error& why) {
  if (!scheduler.retire(batch)) return;  // the core's other slot was first
  const bool others = scheduler.living_cores() > 0;
  logger().error("core {} of {} is lost: {}{}", batch.core->id, backend->name(), why.message,
                 others ? "; going on with the others" : "");
  if (others) return;
  scheduler.fail(fmt::format("device {}: no core left, the last error was: {}", backend->name(), why.message));
}

/// Makes the slot of a lost core anew. The network is loaded again: its last slot takes the old one along.
void Engine::Impl::mend(std::stop_token stop, Batch& batch) {
  batch.slot.reset();  // a lost core's free batch is nobody else's
  if (!scheduler.give_up(stop, batch)) return;
  for (auto wait = core_retry; !stop.stop_requested() && !scheduler.failed();
       wait = std::min(2 * wait, kMaxCoreRetry)) {
    scheduler.pause(stop, batch, wait);
    if (stop.stop_requested()) return;
    auto slot = make_slot(batch.core->id);
    if (slot) {
      batch.slot = std::move(*slot);
      if (scheduler.mended(stop, batch)) logger().warn("core {} of {} is back", batch.core->id, backend->name());
      return;
    }
    logger().warn("core {} of {} is still lost: {}", batch.core->id, backend->name(), slot.error().message);
  }
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
    scheduler.pause(stop, batch, std::chrono::milliseconds(1 << attempt));
    if (stop.stop_requested()) return outcome;
  }
}

/// What the outcome of a batch means for those that follow.
void Engine::Impl::judge(const Result<void>& outcome) {
  if (outcome) {
    refused_in_a_row = 0;
    return;
  }
  const Error& error = outcome.error();
  if (error.code == Errc::kCancelled) return;
  if (error.code == Errc::kDevice || error.code == Errc::kModel) {
    scheduler.fail(error.message);
  } else if (error.code != Errc::kCoreLost && ++refused_in_a_row == kMaxRefusedRun) {
    scheduler.fail(fmt::format("{} batches in a row were refused, the last with: {}", kMaxRefusedRun, error.message));
  }
  std::lock_guard lock(refusal_mutex);
  if (!first_refusal.empty()) return;
  first_refusal = error.message;
  logger().warn("frames stay unanalysed: {}", error.message);
}

/// Decodes each row and hands it to its client; without outputs (`ran_on` null) as unanalysed.
void Engine::Impl::deliver(Batch& batch, Slot* ran_on, const BatchTime& time, Decoder& decoder) {
  // Counted, and below judged, before anybody has a result of it: who has the last one reads all there is to know.
  ++batches_run;
  rows_run += static_cast<std::uint64_t>(
      std::ranges::count_if(batch.rows, [](const RowState& row) { return row.client != nullptr; }));
  bool judged = false;
  for (std::size_t r = 0; r < batch.rows.size(); ++r) {
    RowState& row = batch.rows[r];
    if (!row.client) continue;
    auto result = results.take();
    result->model = model;
    result->status = FrameStatus::kUnanalysed;
    result->times = {row.preprocess_ms, ms_between(row.committed, time.started), time.infer_ms, 0};
    if (ran_on && !decode(*ran_on, r, row.letterbox, decoder, *result, judged)) judged = true;
    std::exchange(row.client, nullptr)->row_done(row.ticket, std::move(result));
  }
}

/// False: the outputs are no good, which is judged unless one of this batch was.
bool Engine::Impl::decode(const Slot& ran_on, std::size_t row, const Letterbox& letterbox, Decoder& decoder,
                          FrameResult& result, bool judged) {
  StageTimer timer(Stage::kGrouping);
  for (std::size_t i = 0; i < decoder.outputs.size(); ++i) decoder.outputs[i] = ran_on.output(i).row(row);
  Result<void> outcome;
  try {
    outcome = decoder.post->run(decoder.outputs, letterbox, result);
  } catch (const std::exception& e) {
    outcome = Error{Errc::kBadInput, fmt::format("decoding a frame: {}", e.what())};
  }
  result.times.post = timer.stop();
  if (outcome) {
    result.status = FrameStatus::kAnalysed;
  } else if (!judged) {
    judge(outcome);
  }
  return static_cast<bool>(outcome);
}

// --- set-up -----------------------------------------------------------------------------------------------------

/// With an input of zeros: the padding of a short batch holds these or an earlier frame, and nobody reads its outputs.
Result<std::unique_ptr<Slot>> Engine::Impl::make_slot(CoreId core) {
  try {
    auto slot = backend->make_slot(*model, core);
    if (slot) {
      const MutableTensorView input = (*slot)->input();
      std::memset(input.data, 0, input.bytes());
    }
    return slot;
  } catch (const std::exception& e) {
    return Error{Errc::kDevice, fmt::format("device {}: {}", backend->name(), e.what())};
  }
}

/// What the network gives must fit the decoder: to be said before any frame comes.
Result<void> Engine::Impl::check_outputs(const Slot& slot, const Postprocessor& post) const {
  std::vector<TensorView> outputs;
  for (std::size_t i = 0; i < model->outputs.size(); ++i) outputs.push_back(slot.output(i).row(0));
  auto fits = post.check(outputs);
  if (!fits) return Error{fits.error().code, fmt::format("model {}: {}", model->name, fits.error().message)};
  return {};
}

/// Loading a network on a core is mostly waiting for the core: all of them at once.
Result<void> Engine::Impl::make_slots(const EngineOptions& options) {
  const std::vector<CoreId> cores = backend->cores();
  if (cores.empty()) return Error{Errc::kDevice, fmt::format("device {} has no cores", backend->name())};
  std::vector<std::vector<std::unique_ptr<Slot>>> made(cores.size());
  std::vector<Result<void>> outcomes(cores.size());
  const auto make_all_of = [&](std::size_t core) {
    for (std::uint32_t s = 0; s < options.slots_per_core; ++s) {
      auto slot = make_slot(cores[core]);
      if (!slot) {
        outcomes[core] = slot.error();
        return;
      }
      made[core].push_back(std::move(*slot));
    }
  };
  {
    std::vector<std::jthread> others;
    for (std::size_t core = 1; core < cores.size(); ++core) others.emplace_back([&, core] { make_all_of(core); });
    make_all_of(0);
  }
  for (const auto& outcome : outcomes) {
    if (!outcome) return outcome;
  }
  for (std::uint32_t s = 0; s < options.slots_per_core; ++s) {
    for (std::size_t core = 0; core < cores.size(); ++core) {
      auto post = model->decoder->make(*model, options.decode);
      if (!post) return post.error();
      if (auto fits = check_outputs(*made[core][s], **post); !fits) return fits;
      scheduler.add(std::move(made[core][s]), core);
      decoders.push_back({std::move(*post), std::vector<TensorView>(model->outputs.size())});
    }
  }
  return {};
}

void Engine::Impl::start_workers() {
  workers.reserve(decoders.size());
  for (std::uint32_t i = 0; i < decoders.size(); ++i) {
    workers.emplace_back([this, i](std::stop_token stop) {
      Batch& batch = scheduler.batch(i);
      pthread_setname_np(pthread_self(), fmt::format("core {} #{}", batch.core->id, i).substr(0, 15).c_str());
      work(stop, batch, decoders[i]);
    });
  }
}

Result<std::shared_ptr<Engine>> Engine::create(std::unique_ptr<InferenceBackend> backend,
                                               std::shared_ptr<const ModelSpec> model, const EngineOptions& options) {
  if (options.slots_per_core < 1) return Error{Errc::kUsage, "slots per core must be at least 1"};
  auto impl = std::make_unique<Impl>(std::move(backend), std::move(model), options);
  if (auto made = impl->make_slots(options); !made) return made.error();
  impl->start_workers();
  return std::shared_ptr<Engine>(new Engine(std::move(impl)));
}

std::string Engine::first_refusal() const {
  std::lock_guard lock(impl_->refusal_mutex);
  return impl_->first_refusal;
}

Engine::Engine(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Engine::~Engine() {
  for (auto& worker : impl_->workers) worker.request_stop();
}

Result<Engine::Row> Engine::reserve(std::stop_token stop) {
  const auto place = impl_->scheduler.reserve(std::move(stop));
  if (!place) return place.error();
  return Row(impl_.get(), place->batch, place->row);
}

void Engine::drain() { impl_->scheduler.drain(); }

std::shared_ptr<FrameResult> Engine::empty_result(FrameStatus status) {
  auto result = impl_->results.take();
  result->status = status;
  result->model = impl_->model;
  return result;
}

const ModelSpec& Engine::model() const { return *impl_->model; }
std::string_view Engine::backend_name() const { return impl_->backend->name(); }
std::size_t Engine::max_in_flight() const {
  return impl_->scheduler.batch_count() * static_cast<std::size_t>(impl_->model->input.batch);
}
EngineStats Engine::stats() const {
  return {impl_->batches_run, impl_->rows_run, impl_->scheduler.living_cores(), impl_->scheduler.losses()};
}

}  // namespace posecam
