#pragma once
// A NEFF on the cores of one copy: loaded, and its tensors checked against the descriptor.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "models/core/result.h"
#include "models/core/tensor.h"
#include "models/spec/model_spec.h"
#include "pipeline/neuron/neff/neff_file.h"
#include "pipeline/neuron/runtime/nrt_handles.h"

namespace posecam {

/// One batch size of a compiled model.
struct CompiledBatch {
  std::uint32_t rows = 1;                ///< of a batch
  std::shared_ptr<const NeffFile> file;  ///< never null
};

/// A tensor of the loaded network.
struct NeuronTensor {
  std::string name;           ///< as the runtime has it
  DType dtype = DType::kF32;  ///< on the device
  Shape shape;                ///< batch outermost
  std::size_t bytes = 0;      ///< of all rows
  /// Index into ModelSpec::outputs; nothing for an output that nobody reads, whose type and shape are not known.
  std::optional<std::size_t> output{};

  std::size_t row_bytes() const { return bytes / static_cast<std::size_t>(shape[0]); }
  std::size_t row_elements() const { return shape.elements() / static_cast<std::size_t>(shape[0]); }
};

/// Immutable; executions of several threads may overlap. Unloaded on destruction.
class NeuronModel {
 public:
  /// `core` is the first of those the network needs. Blocks for as long as the device takes. kModel where file and
  /// descriptor do not agree (the message shows both), or the network does not fit the device; kDevice.
  static Result<std::unique_ptr<NeuronModel>> load(const std::shared_ptr<const NeuronRuntime>& runtime,
                                                   const CompiledBatch& batch, const ModelSpec& spec, CoreId core);

  nrt_model_t* handle() const { return handle_.get(); }                  ///< for executions; stays this object's
  std::uint32_t rows() const { return rows_; }                           ///< of one execution
  const NeuronTensor& input() const { return input_; }                   ///< the only one
  const std::vector<NeuronTensor>& outputs() const { return outputs_; }  ///< all of the network, in its own order

 private:
  NeuronModel() = default;
  Result<void> bind(const NeuronRuntime& runtime, const nrt_tensor_info_array_t& all, const ModelSpec& spec,
                    const std::string& where);

  NrtModel handle_;
  std::uint32_t rows_ = 1;
  NeuronTensor input_;
  std::vector<NeuronTensor> outputs_;
};

}  // namespace posecam
