#pragma once
// Batches rows of many streams onto every core of a backend, data-parallel, and turns their outputs into results.
//
// A slot is filled by its streams (open), takes no more rows (closed), and runs when its last row is settled. A batch
// closes when it is full, when its oldest row is overdue and its core is idle, or on drain(). The idle worker of the
// slot does the closing: no timer thread, and a busy core keeps collecting rows instead of running half-empty.

#include <chrono>
#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "models/core/geometry.h"
#include "models/core/result.h"
#include "models/spec/frame_result.h"
#include "pipeline/backend/backend.h"
#include "pipeline/engine/engine_notes.h"
#include "pipeline/engine/sequencer.h"
#include "postprocess/decode/postprocessor.h"

namespace posecam {

/// Receives the results of the rows it committed, on worker threads, in any order. Called without any lock held.
/// Exactly one for each row, unless the engine is destroyed before.
/// The engine keeps it alive while rows of it are under way. The result is the client's alone until it publishes it.
class RowClient {
 public:
  virtual ~RowClient() = default;
  /// `ticket`: as committed. `result`: never null, its model is set; kUnanalysed if it could not be analysed.
  virtual void row_done(Ticket ticket, std::shared_ptr<FrameResult> result) = 0;
};

/// As EngineOptions::max_batch_delay: a batch runs when it is full or the engine is drained.
inline constexpr std::chrono::milliseconds kUntilFull = std::chrono::years(1);

/// What holds for the life of an engine.
struct EngineOptions {
  std::uint32_t slots_per_core = 2;              ///< one executes while the other is filled, read and decoded; >= 1
  std::chrono::milliseconds max_batch_delay{5};  ///< how long a row may wait for company while its core is idle
  /// How long after its loss a core is restored (InferenceBackend::restore()); twice as long after each attempt that
  /// fails, up to ten minutes. When no core is left it is tried at once, and every ten seconds at least: frames wait,
  /// and after three minutes the engine has failed. 0: never, and without a core the engine has failed at once.
  std::chrono::milliseconds core_retry{0};
  /// create() fails unless every core works; else it starts with those that do.
  bool require_all_cores = false;
  DecodeOptions decode;  ///< of every worker's Postprocessor
};

/// Since the engine was made, but for `cores`.
struct EngineStats {
  std::uint64_t batches = 0;  ///< that ran
  std::uint64_t rows = 0;     ///< frames in them
  std::uint32_t cores = 0;    ///< still alive
  std::uint64_t losses = 0;   ///< of cores
};

/// Thread-safe. Destruction drops rows not yet run and joins the workers; every Row must be gone by then.
class Engine {
  struct Impl;

 public:
  /// A reserved row of an open batch. Move-only; destroyed without commit() it is given up (a void row).
  class Row {
   public:
    Row(Row&& other) noexcept;
    Row& operator=(Row&&) = delete;
    Row(const Row&) = delete;
    Row& operator=(const Row&) = delete;
    ~Row();

    /// One batch row of the model's input, to be written completely before commit().
    MutableTensorView input() const;
    /// Hands the row over. `client` gets exactly one row_done(ticket), also when the analysis fails.
    /// `preprocess_ms` is passed on into the result's times.
    void commit(std::shared_ptr<RowClient> client, Ticket ticket, const Letterbox& letterbox, float preprocess_ms);

   private:
    friend class Engine;
    Row(Impl* engine, std::uint32_t batch, std::uint32_t index) : engine_(engine), batch_(batch), index_(index) {}
    Impl* engine_;
    std::uint32_t batch_;
    std::uint32_t index_;
  };

  /// Makes the slots (which loads the network), those of different cores at once, and starts their workers. A core that
  /// does not work is lost from the start. kUsage, kModel, kDevice.
  static Result<std::shared_ptr<Engine>> create(std::unique_ptr<InferenceBackend> backend,
                                                std::shared_ptr<const ModelSpec> model, const EngineOptions& options);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  /// A row of the open batch. Blocks while no slot is free; waiting streams are served in the order they came, so
  /// none starves. kCancelled when stopped, kDevice when the engine has failed: no core is left, or comes back.
  Result<Row> reserve(std::stop_token stop);

  /// Closes the open batch now, full or not: nothing more will come for a while. Does not wait.
  void drain();

  /// A result for a frame that the engine did not see.
  std::shared_ptr<FrameResult> empty_result(FrameStatus status);

  /// As it runs. Valid as long as the engine.
  const ModelSpec& model() const;
  /// That of the device; valid as long as the engine.
  std::string_view backend_name() const;
  /// Most rows that can be under way at once.
  std::size_t max_in_flight() const;
  /// Its figures are read one after the other: they may be of slightly different moments.
  EngineStats stats() const;
  /// InferenceBackend::note(), for the first that asks; empty for the others.
  std::string take_note();
  /// What happened to its cores since it was made. notes().count() is cheap.
  const EngineNotes& notes() const;
  /// Why frames came back unanalysed: the first reason there was; empty if none.
  std::string first_refusal() const;

 private:
  explicit Engine(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace posecam
