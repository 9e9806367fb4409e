#pragma once
// One in-flight place on a core, and what the slots of a core share.

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "models/core/result.h"
#include "models/spec/model_spec.h"
#include "pipeline/backend/backend.h"
#include "pipeline/neuron/report/core_board.h"
#include "pipeline/neuron/runtime/batch_plan.h"
#include "pipeline/neuron/runtime/neuron_model.h"

namespace posecam {

/// One copy of the model: a network for each compiled batch size on the same cores. Shared by the slots of its first
/// core; unloaded with the last of them.
struct NeuronCopy {
  std::shared_ptr<const NeuronRuntime> runtime;      ///< outlives the models
  CoreId core = 0;                                   ///< the first of the copy's cores
  std::vector<std::unique_ptr<NeuronModel>> models;  ///< ascending rows
  std::unique_ptr<BatchTimes> times;                 ///< of the sizes, by their index in `models`
  CoreBoard::Entry board;                            ///< where executions are counted
  std::string where;                                 ///< "model NAME on core N", for messages
  std::atomic<bool> told_of_nan = false;             ///< numerical errors are logged once

  /// Loads every size. kModel, kDevice.
  static Result<std::shared_ptr<NeuronCopy>> load(std::shared_ptr<const NeuronRuntime> runtime,
                                                  const std::vector<CompiledBatch>& batches, const ModelSpec& spec,
                                                  CoreId core, CoreBoard::Entry board);
};

/// Tensors and sets of its own on the core of `copy`. `spec.input.batch`: the largest of the sizes. Each size has run
/// once when this returns; the first slot of a copy measures them. With `short_batches` false a run with fewer rows
/// is refused (kBadInput). kModel, kDevice.
Result<std::unique_ptr<Slot>> make_neuron_slot(std::shared_ptr<NeuronCopy> copy, const ModelSpec& spec,
                                               bool short_batches);

}  // namespace posecam
