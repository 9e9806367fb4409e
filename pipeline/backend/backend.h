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
  /// outputs are readable. kBusy, kBadInput, kCoreLost, kDevice.
  virtual Result<void> run(std::uint32_t frames) = 0;
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
};

}  // namespace posecam
