#include "pipeline/neuron/runtime/tensor_info.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <memory>
#include <span>

#include <fmt/format.h>

#include "pipeline/neuron/nrt/instance_family.h"
#include "pipeline/neuron/nrt/neuron_library.h"
#include "pipeline/neuron/nrt/nrt_dtype.h"
#include "pipeline/neuron/nrt/nrt_status.h"
#include "pipeline/neuron/runtime/nrt_handles.h"

namespace posecam {

std::string_view name_of(const nrt_tensor_info_t& info) { return {info.name, ::strnlen(info.name, sizeof info.name)}; }

std::optional<Shape> shape_of(const nrt_tensor_info_t& info) {
  if (info.ndim == 0 || info.ndim > Shape::kMaxRank || !info.shape) return {};
  std::array<std::int64_t, Shape::kMaxRank> dims{};
  for (std::uint32_t i = 0; i < info.ndim; ++i) {
    dims.at(i) = info.shape[i];
    if (info.shape[i] == 0 || info.shape[i] > (1U << 30U)) return {};
  }
  return Shape(std::span<const std::int64_t>(dims.data(), info.ndim));
}

std::string to_string(const NeffTensor& tensor) {
  return fmt::format("{} {}{}{}", tensor.name, to_string(tensor.shape), tensor.dtype ? " " : "",
                     tensor.dtype ? to_string(*tensor.dtype) : "");
}

Result<std::vector<NeffTensor>> tensors_of(const NeffFile& file, std::string_view device) {
  auto library = load_neuron_library(device);
  if (!library) return library.error();
  const std::string target = device == kNeuronSim ? "sim" : std::string(family_of_product(product_name()));
  RuntimeOptions options;
  options.device = device;
  for (CoreId core = 0; core < cores_of(file.header(), target); ++core) options.cores.push_back(core);
  options.patience = std::chrono::milliseconds(0);  // whoever has the cores has them for longer
  auto opened = NeuronRuntime::open(std::move(*library), options);
  if (!opened) return opened.error();
  const std::shared_ptr<const NeuronRuntime> runtime = std::move(*opened);
  const NrtFunctions& nrt = runtime->nrt();
  nrt_model_t* handle = nullptr;
  const auto bytes = file.bytes();
  const auto first = runtime->vnc_of(runtime->cores().front());
  const auto what = [&](std::string_view call) { return fmt::format("{}: {}", file.path().string(), call); };
  if (const NRT_STATUS status = nrt.nrt_load(bytes.data(), bytes.size(), first, -1, &handle); status != NRT_SUCCESS) {
    return nrt_setup_error(what("nrt_load"), status);
  }
  const NrtModel model(handle, NrtFree<&NrtFunctions::nrt_unload>(runtime));
  nrt_tensor_info_array_t* all = nullptr;
  if (const NRT_STATUS status = nrt.nrt_get_model_tensor_info(handle, &all); status != NRT_SUCCESS) {
    return nrt_setup_error(what("nrt_get_model_tensor_info"), status);
  }
  const NrtTensorInfo info(all, NrtFree<&NrtFunctions::nrt_free_model_tensor_info>(runtime));
  std::vector<NeffTensor> tensors;
  for (std::uint64_t i = 0; i < all->tensor_count; ++i) {
    const nrt_tensor_info_t& one = all->tensor_array[i];
    const auto shape = shape_of(one);
    if (!shape) continue;  // such as a state of the network: nothing that a descriptor could name
    NeffTensor tensor{std::string(name_of(one)), one.usage == NRT_TENSOR_USAGE_INPUT, *shape, {}};
    tensor.dtype = dtype_of(one.dtype, runtime->library().minor(), shape->elements(), one.size);
    tensors.push_back(std::move(tensor));
  }
  return tensors;
}

}  // namespace posecam
