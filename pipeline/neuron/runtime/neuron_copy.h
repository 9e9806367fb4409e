#pragma once
// One copy of a model: a network for each compiled batch size on the same cores.

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "models/core/result.h"
#include "models/spec/model_spec.h"
#include "pipeline/neuron/report/core_board.h"
#include "pipeline/neuron/runtime/batch_plan.h"
#include "pipeline/neuron/runtime/neuron_model.h"
#include "pipeline/neuron/runtime/neuron_runtime.h"

namespace posecam {

class NeuronLanes;

/// Shared by the slots of its first core; unloaded with the last of them. Everything but where() within a
/// NeuronRuntime::Use.
class NeuronCopy final : public NrtTenant {
 public:
  /// Loads every size. `batches`: ascending rows. kModel, kDevice.
  static Result<std::shared_ptr<NeuronCopy>> load(std::shared_ptr<NeuronRuntime> runtime,
                                                  const std::vector<CompiledBatch>& batches, const ModelSpec& spec,
                                                  CoreId core, CoreBoard::Entry board);

  void let_go() override;
  void take_back() override;

  /// Whose lanes go and come with the models.
  void add(std::weak_ptr<NeuronLanes> lanes) { lanes_.push_back(std::move(lanes)); }
  /// Why there are no models since the runtime was reset; success if there are.
  const Result<void>& state() const { return state_; }
  /// Ascending rows; none while state() is a failure.
  const std::vector<std::unique_ptr<NeuronModel>>& models() const { return models_; }

  NeuronRuntime& runtime() const { return *runtime_; }      ///< outlives the models
  CoreId core() const { return core_; }                     ///< the first of the copy's cores
  const std::string& where() const { return where_; }       ///< "core N of device neuron", for messages
  BatchTimes& times() { return times_; }                    ///< of the sizes, by their index in models()
  const CoreBoard::Entry& board() const { return board_; }  ///< where executions are counted
  /// A run of it lost the core: in which generation of the runtime.
  void lost() { lost_in_ = runtime_->generation(); }
  std::uint64_t lost_in() const { return lost_in_; }
  /// True for the first who asks: numerical errors are told once.
  bool tell_of_nan() { return !told_of_nan_.exchange(true); }

 private:
  NeuronCopy(std::shared_ptr<NeuronRuntime> runtime, std::vector<CompiledBatch> batches, ModelSpec spec, CoreId core,
             CoreBoard::Entry board);
  Result<void> load_models();
  Result<void> take_all_back();

  const std::shared_ptr<NeuronRuntime> runtime_;
  const std::vector<CompiledBatch> batches_;
  const ModelSpec spec_;
  const CoreId core_;
  const CoreBoard::Entry board_;
  const std::string where_;
  BatchTimes times_;
  std::vector<std::unique_ptr<NeuronModel>> models_;
  std::vector<std::weak_ptr<NeuronLanes>> lanes_;
  Result<void> state_;
  std::atomic<std::uint64_t> lost_in_ = 0;
  std::atomic<bool> told_of_nan_ = false;
};

}  // namespace posecam
