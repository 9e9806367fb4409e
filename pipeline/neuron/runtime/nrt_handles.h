#pragma once
// Owners of libnrt's handles. Each keeps the runtime open; destroy sets, then tensors, then the model.

#include <memory>
#include <type_traits>
#include <utility>

#include "pipeline/neuron/runtime/neuron_runtime.h"

namespace posecam {

/// Gives a handle back through the runtime it came from.
template <auto Function>
class NrtFree {
 public:
  NrtFree() = default;
  explicit NrtFree(std::shared_ptr<const NeuronRuntime> runtime) : runtime_(std::move(runtime)) {}

  template <class Handle>
  void operator()(Handle* handle) const noexcept {
    const auto function = runtime_->nrt().*Function;
    if constexpr (std::is_invocable_v<decltype(function), Handle**>) {
      function(&handle);
    } else {
      static_cast<void>(function(handle));  // a lost core does not unload: there is nothing to be done about it
    }
  }

 private:
  std::shared_ptr<const NeuronRuntime> runtime_;
};

using NrtModel = std::unique_ptr<nrt_model_t, NrtFree<&NrtFunctions::nrt_unload>>;
using NrtTensor = std::unique_ptr<nrt_tensor_t, NrtFree<&NrtFunctions::nrt_tensor_free>>;
using NrtTensorSet = std::unique_ptr<nrt_tensor_set_t, NrtFree<&NrtFunctions::nrt_destroy_tensor_set>>;
using NrtTensorInfo = std::unique_ptr<nrt_tensor_info_array_t, NrtFree<&NrtFunctions::nrt_free_model_tensor_info>>;

}  // namespace posecam
