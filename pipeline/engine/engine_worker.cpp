// The workers of an engine: each waits for batches, runs them and hands out their results.

#include <algorithm>
#include <chrono>
#include <cstring>
#include <exception>
#include <utility>

#include <fmt/format.h>

#include "models/core/finite.h"
#include "models/core/log.h"
#include "models/core/stage_log.h"
#include "pipeline/engine/engine_impl.h"

namespace posecam {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kMaxLosses = 2;       // a batch that lost two cores is more likely the cause than the victim
constexpr int kMaxBusyRuns = 8;     // on one core or several; a device may have waited by itself in each
constexpr int kMaxRefusedRun = 16;  // batches refused in a row before the device counts as broken

float ms_between(Clock::time_point from, Clock::time_point to) {
  return std::chrono::duration<float, std::milli>(to - from).count();
}

}  // namespace

/// The one place where exceptions end: out of memory, or a fault of a library or of a client.
void Engine::Impl::work(std::stop_token stop, Batch& batch, Decoding& decoding) {
  while (scheduler.wait_for_batch(stop, batch)) {
    try {
      run(stop, batch, decoding);
    } catch (const std::exception& e) {
      give_up(batch, e);
    }
    scheduler.release(batch);
  }
}

void Engine::Impl::run(std::stop_token stop, Batch& batch, Decoding& decoding) {
  StageTimer timer(Stage::kExecute, static_cast<std::uint32_t>(batch.rows.size()),
                   static_cast<std::int32_t>(batch.core->id));
  Loan loan(nullptr, {&scheduler});
  Result<void> outcome;
  const Batch* ran_on = run_anywhere(stop, batch, loan, outcome);
  const BatchTime time{timer.begin(), timer.stop()};
  note_queue(batch, time.started);
  judge(outcome);
  deliver(batch, outcome ? ran_on->slot.get() : nullptr, time, decoding);
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

/// Runs the batch in its own slot or, if that core is lost or busy, in a borrowed one, which is `loan` then. Returns
/// the batch whose slot holds the outputs or failed last, null if there was none left to try.
Batch* Engine::Impl::run_anywhere(std::stop_token stop, Batch& batch, Loan& loan, Result<void>& outcome) {
  Batch* where = &batch;
  outcome = Error{Errc::kCoreLost, "core lost"};
  for (int losses = 0, busy = 0;;) {
    if (scheduler.begin_run(*where)) {
      outcome = run_slot(*where, static_cast<std::uint32_t>(batch.rows.size()));
      scheduler.end_run(*where, static_cast<bool>(outcome));
      if (const std::string remark = where->slot->take_remark(); !remark.empty()) {
        note(EngineNote::Kind::kRemark, where->core->id, scheduler.living_cores(), remark);
      }
      if (outcome) return where;
      if (outcome.error().code == Errc::kCoreLost) {
        retire(*where, outcome.error());
        if (where->slot->reached_device() && ++losses == kMaxLosses) return where;
      } else if (outcome.error().code == Errc::kBusy) {
        scheduler.rest(*where);
        if (++busy == kMaxBusyRuns) return where;
      } else {
        return where;
      }
    }
    loan.reset();  // before it waits for another
    const auto next = scheduler.borrow(stop, batch);
    if (!next) {
      if (next.error().code == Errc::kCancelled) outcome = next.error();
      return nullptr;
    }
    where = *next;
    if (where == &batch) {
      scheduler.pause(stop, batch, std::chrono::milliseconds(1 << busy));
    } else {
      loan.reset(where);
      const MutableTensorView to = where->slot->input();
      std::memcpy(to.data, batch.slot->input().data, to.bytes());
    }
  }
}

void Engine::Impl::retire(Batch& batch, const Error& why) {
  std::lock_guard lock(lost_mutex);
  const auto left = scheduler.retire(batch);
  if (!left) return;  // the core's other slot was first
  note(EngineNote::Kind::kCoreLost, batch.core->id, *left, why.message);
  if (*left > 0 || scheduler.restores_cores()) return;
  scheduler.fail(fmt::format("device {}: no core left, the last error was: {}", backend->name(), why.message));
}

Result<void> Engine::Impl::run_slot(Batch& batch, std::uint32_t frames) {
  try {
    return batch.slot->run(frames);
  } catch (const std::exception& e) {
    return Error{Errc::kDevice, fmt::format("device {}: {}", backend->name(), e.what())};
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
  } else if (++refused_in_a_row == kMaxRefusedRun) {
    scheduler.fail(fmt::format("{} batches in a row were refused, the last with: {}", kMaxRefusedRun, error.message));
  }
  {
    std::lock_guard lock(refusal_mutex);
    if (!first_refusal.empty()) return;
    first_refusal = error.message;
  }
  logger().warn("frames stay unanalysed: {}", error.message);
}

/// Decodes each row and hands it to its client; without outputs (`ran_on` null) as unanalysed.
void Engine::Impl::deliver(Batch& batch, Slot* ran_on, const BatchTime& time, Decoding& decoding) {
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
    if (ran_on && !decode(*ran_on, r, row.letterbox, decoding, *result, judged)) judged = true;
    std::exchange(row.client, nullptr)->row_done(row.ticket, std::move(result));
  }
}

/// False: the outputs are no good, which is judged unless one of this batch was.
bool Engine::Impl::decode(const Slot& ran_on, std::size_t row, const Letterbox& letterbox, Decoding& decoding,
                          FrameResult& result, bool judged) {
  StageTimer timer(Stage::kGrouping);
  for (std::size_t i = 0; i < decoding.outputs.size(); ++i) decoding.outputs[i] = ran_on.output(i).row(row);
  const bool sound =
      std::ranges::all_of(decoding.outputs, [](const TensorView& output) { return all_finite(output.as<float>()); });
  Result<void> outcome;
  if (!sound) outcome = Error{Errc::kBadInput, "the network answered NaN or infinity"};
  try {
    if (sound) outcome = decoding.post->run(decoding.outputs, letterbox, result);
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

}  // namespace posecam
