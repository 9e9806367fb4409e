#pragma once
// What one slot has on its core: tensors and sets for each compiled size, and the calls that use them.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "models/core/result.h"
#include "pipeline/backend/host_memory.h"
#include "pipeline/neuron/runtime/batch_plan.h"
#include "pipeline/neuron/runtime/neuron_copy.h"
#include "pipeline/neuron/runtime/nrt_handles.h"

namespace posecam {

/// All of it within a NeuronRuntime::Use, destruction too; by one thread at a time. `size`: index of the copy's models.
class NeuronLanes {
 public:
  explicit NeuronLanes(std::shared_ptr<NeuronCopy> copy);

  /// Makes everything, and runs each size once; the first lanes of a copy measure the sizes. kModel, kDevice.
  Result<void> take();
  void let_go() { lanes_.clear(); }

  NeuronCopy& copy() const { return *copy_; }
  /// The first `count` rows of the input, in its type on the device. The rows behind them become zero, as AWS's
  /// frameworks pad.
  NRT_STATUS write(std::size_t size, const std::byte* rows, std::uint32_t count);
  /// With patience for a core that is busy. `asked`: when it was asked for the last time.
  NRT_STATUS execute(std::size_t size, BatchTimes::Clock::time_point& asked) const;
  /// The first `count` rows of an output, by its number in the network.
  NRT_STATUS read(std::size_t size, std::size_t output, std::byte* to, std::uint32_t count) const;

 private:
  /// Device memory of one compiled size. Sets go first, then tensors: the order of the members.
  struct Lane {
    const NeuronModel* model = nullptr;
    NrtTensor input;
    std::vector<NrtTensor> outputs;
    NrtTensorSet inputs_set;
    NrtTensorSet outputs_set;
    std::uint32_t written = 0;  ///< rows of the input that are not zero
  };

  const NrtFunctions& nrt() const { return copy_->runtime().nrt(); }
  Result<NrtTensor> allocate(const NeuronTensor& tensor) const;
  Result<NrtTensorSet> make_set() const;
  Result<void> add(const NrtTensorSet& set, const NeuronTensor& tensor, const NrtTensor& memory) const;
  Result<Lane> make_lane(const NeuronModel& model) const;
  NRT_STATUS clear_rows(Lane& lane, std::uint32_t from);
  Result<void> warm_up(std::size_t size, bool measure);

  const std::shared_ptr<NeuronCopy> copy_;  // outlives the lanes, whose models it has
  HostMemory zeros_;                        // a row
  std::vector<Lane> lanes_;
};

}  // namespace posecam
