#pragma once
// What an engine is made of: for engine.cpp, which makes it, and engine_worker.cpp, which runs it.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "pipeline/engine/batch_scheduler.h"
#include "pipeline/engine/engine.h"
#include "pipeline/engine/result_pool.h"

namespace posecam {

/// When a batch ran.
struct BatchTime {
  std::chrono::steady_clock::time_point started;  ///< until then its rows were waiting
  float infer_ms = 0;                             ///< with all attempts and waits for a busy device
};

/// What a worker decodes with.
struct Decoding {
  std::unique_ptr<Postprocessor> post;  ///< the worker's own
  std::vector<TensorView> outputs;      ///< of one row
};

/// Releases a borrowed batch.
struct GiveBack {
  BatchScheduler* scheduler = nullptr;
  void operator()(Batch* batch) const { scheduler->release(*batch); }
};
/// A batch of another core, borrowed because the own one is lost or busy.
using Loan = std::unique_ptr<Batch, GiveBack>;

/// Functions are explained where they are defined.
struct Engine::Impl {
  using Slots = std::vector<std::unique_ptr<Slot>>;

  Impl(std::unique_ptr<InferenceBackend> b, std::shared_ptr<const ModelSpec> m, const EngineOptions& options)
      : backend(std::move(b)),
        model(std::move(m)),
        scheduler(static_cast<std::uint32_t>(model->input.batch), options.max_batch_delay, backend->cores(),
                  options.core_retry) {}

  Result<void> make_slots(const EngineOptions& options);
  std::vector<Result<void>> load(std::uint32_t slots_per_core, std::vector<Slots>& made);
  Result<std::unique_ptr<Slot>> make_slot(CoreId core);
  Result<void> check_outputs(const Slot& slot, const Postprocessor& post) const;
  void start_threads();

  // On a worker.
  void work(std::stop_token stop, Batch& batch, Decoding& decoding);
  void run(std::stop_token stop, Batch& batch, Decoding& decoding);
  static void note_queue(const Batch& batch, std::chrono::steady_clock::time_point started);
  Batch* run_anywhere(std::stop_token stop, Batch& batch, Loan& loan, Result<void>& outcome);
  Result<void> run_slot(Batch& batch, std::uint32_t frames);
  void retire(Batch& batch, const Error& why);
  void judge(const Result<void>& outcome);
  void deliver(Batch& batch, Slot* ran_on, const BatchTime& time, Decoding& decoding);
  bool decode(const Slot& ran_on, std::size_t row, const Letterbox& letterbox, Decoding& decoding, FrameResult& result,
              bool judged);
  void give_up(Batch& batch, const std::exception& why);
  void note(EngineNote::Kind kind, CoreId core, std::uint32_t left, std::string_view what);

  // On a thread of its own.
  void restore_cores(std::stop_token stop);
  Result<void> restore(CoreId core);

  std::unique_ptr<InferenceBackend> backend;     ///< makes slots, also for cores that come back
  const std::shared_ptr<const ModelSpec> model;  ///< given to every result
  BatchScheduler scheduler;                      ///< what streams and workers share
  EngineNotes notes;                             ///< what happened to cores
  ResultPool results;                            ///< of this engine's frames

  std::atomic<std::uint64_t> batches_run = 0;  ///< EngineStats::batches
  std::atomic<std::uint64_t> rows_run = 0;     ///< EngineStats::rows
  std::atomic<int> refused_in_a_row = 0;       ///< batches; too many of them: the engine has failed
  std::atomic<bool> note_taken = false;
  std::mutex lost_mutex;             ///< that a core is back is told behind its loss
  mutable std::mutex refusal_mutex;  ///< of first_refusal
  std::string first_refusal;

  std::vector<Decoding> decodings;    ///< one for each worker
  std::vector<std::jthread> threads;  // last: joined before what they use goes away
};

}  // namespace posecam
