#pragma once
// The seam between the engine and a device. A slot is one in-flight place on one core: the buffers of one batch.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "models/core/result.h"
#include "models/core/tensor.h"
#include "models/spec/model_spec.h"

namespace posecam {

/// Number of a core as its device counts them, from 0.
using CoreId = std::uint32_t;

/// Used by one thread at a time; which thread may change between calls. Input and output memory belongs to the slot
/// and stays at its address for the slot's life.
class Slot {
 public:
  virtual ~Slot() = default;
  /// The image input, shape of ModelSpec::input with its batch.
  virtual MutableTensorView input() = 0;
  /// Output `index` in the order of ModelSpec::outputs, f32, batch outermost. Its shape is known from the start, what
  /// it holds is readable after run() until the next run().
  virtual TensorView output(std::size_t index) const = 0;
  /// Runs the batch; rows [0, frames) hold frames, the rest is padding whose outputs are not read. Blocks until the
  /// outputs are readable. kBusy (after as much patience as suits the device: the batch runs on another core, or
  /// again), kBadInput, kCoreLost, kDevice. Messages name the core.
  virtual Result<void> run(std::uint32_t frames) = 0;
  /// Whether the last run() got as far as the device: if not, its batch has nothing to do with the core's loss.
  virtual bool reached_device() const { return true; }
  /// What people should know of the runs so far, a line that names the core; empty: nothing, or it was taken before.
  virtual std::string take_remark() { return {}; }
};

/// A device that can run the model of one spec. Loads the network once per core, however many slots it makes.
class InferenceBackend {
 public:
  virtual ~InferenceBackend() = default;
  virtual std::string_view name() const = 0;  ///< of the device: "openvino"
  /// The cores that make_slot() takes: batches are spread over all of them. Each once.
  virtual std::vector<CoreId> cores() const = 0;
  /// What people should know of how it was loaded, a line; empty: nothing.
  virtual std::string note() const { return {}; }
  /// Thread-safe. kModel if the weights do not fit the spec, kDevice if the device refuses.
  virtual Result<std::unique_ptr<Slot>> make_slot(const ModelSpec& spec, CoreId core) = 0;
  /// A core that a run lost, or for which make_slot() failed, is to work again, with the slots that it has. Blocks; the
  /// runs of other cores, also of other engines of the process, may have to wait. One thread at a time. kDevice,
  /// kModel: not yet, or never.
  virtual Result<void> restore(CoreId core) {
    return Error{Errc::kDevice, "core " + std::to_string(core) + ": this device cannot set a core up again"};
  }
};

}  // namespace posecam
