#include "pipeline/neuron/runtime/neuron_model.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "pipeline/neuron/nrt/nrt_dtype.h"
#include "pipeline/neuron/nrt/nrt_status.h"
#include "pipeline/neuron/runtime/convert.h"
#include "pipeline/neuron/runtime/tensor_info.h"

namespace posecam {
namespace {

/// The type of a tensor whose type the runtime does not say: what the descriptor says, if it fits.
std::optional<DType> assumed_type(std::size_t elements, std::size_t bytes, std::optional<DType> described,
                                  std::string_view precision) {
  if (described && elements * size_of(*described) == bytes) return described;
  if (elements * 2 == bytes) return precision == "f16" ? DType::kF16 : DType::kBf16;
  if (elements * 4 == bytes) return DType::kF32;
  return {};
}

/// "'image' 4x3x16x24 bf16".
std::string text_of(std::string_view name, const Shape& shape, std::string_view type) {
  return fmt::format("'{}' {} {}", name, to_string(shape), type);
}

std::string names_of(const nrt_tensor_info_array_t& all, nrt_tensor_usage_t usage) {
  std::vector<std::string_view> names;
  for (std::uint64_t i = 0; i < all.tensor_count; ++i) {
    if (all.tensor_array[i].usage == usage) names.push_back(name_of(all.tensor_array[i]));
  }
  return fmt::format("{}", fmt::join(names, ", "));
}

struct Description {
  const ModelSpec& spec;
  std::string where;  ///< "model NAME: FILE"
  std::uint64_t minor;
  std::string precision;

  Error problem(std::string_view what) const { return {Errc::kModel, fmt::format("{}: {}", where, what)}; }

  Result<NeuronTensor> read(const nrt_tensor_info_t& info, std::optional<DType> described) const {
    const auto shape = shape_of(info);
    if (!shape) return problem(fmt::format("tensor '{}' has no shape that can be used", name_of(info)));
    auto type = dtype_of(info.dtype, minor, shape->elements(), info.size);
    if (!type && info.dtype == NRT_DTYPE_UNKNOWN) {
      type = assumed_type(shape->elements(), info.size, described, precision);
    }
    if (!type) {
      return problem(fmt::format("tensor '{}' {} has type {} and {} bytes: f32, f16, bf16 or u8 is supported",
                                 name_of(info), to_string(*shape), info.dtype, info.size));
    }
    return NeuronTensor{std::string(name_of(info)), *type, *shape, info.size, {}};
  }
};

Result<NeuronTensor> read_input(const Description& d, const nrt_tensor_info_array_t& all, std::uint32_t rows) {
  InputSpec described = d.spec.input;
  described.batch = static_cast<int>(rows);
  const nrt_tensor_info_t* found = nullptr;
  for (std::uint64_t i = 0; i < all.tensor_count; ++i) {
    const nrt_tensor_info_t& info = all.tensor_array[i];
    if (info.usage != NRT_TENSOR_USAGE_INPUT) continue;
    if (name_of(info) != described.name) {
      return d.problem(
          fmt::format("the network has the input '{}', the descriptor only input '{}'", name_of(info), described.name));
    }
    found = &info;
  }
  if (!found) return d.problem(fmt::format("the network has no input '{}'", described.name));
  auto input = d.read(*found, described.dtype);
  if (!input) return input;
  if (input->shape != described.shape() || !can_convert(described.dtype, input->dtype)) {
    return d.problem(fmt::format("the network's input is {}, the descriptor's {}",
                                 text_of(input->name, input->shape, to_string(input->dtype)),
                                 text_of(described.name, described.shape(), to_string(described.dtype))));
  }
  return input;
}

Result<NeuronTensor> read_output(const Description& d, const nrt_tensor_info_t& info, std::uint32_t rows) {
  const auto& names = d.spec.outputs;
  const auto found = std::ranges::find(names, name_of(info));
  // What nobody reads only needs memory, whatever type and shape it has.
  if (found == names.end()) return NeuronTensor{std::string(name_of(info)), {}, {}, info.size, {}};
  auto output = d.read(info, {});
  if (!output) return output;
  if (output->shape[0] != rows || !can_convert(output->dtype, DType::kF32)) {
    return d.problem(fmt::format("the network's output is {}, the descriptor wants {} rows of f32, bf16 or f16",
                                 text_of(output->name, output->shape, to_string(output->dtype)), rows));
  }
  output->output = static_cast<std::size_t>(found - names.begin());
  return output;
}

/// The runtime has no status of its own for a file of another architecture.
Error load_error(std::string_view what, NRT_STATUS status, const ModelSpec& spec) {
  Error error = nrt_setup_error(what, status);
  const BackendWeights* const weights = spec.weights_for("neuron");
  if (weights && (status == NRT_FAILURE || status == NRT_INVALID || status == NRT_HW_ERROR ||
                  status == NRT_UNSUPPORTED_NEFF_VERSION)) {
    error.message += fmt::format("; or compiled for other hardware ({})", weights->target);
  }
  return error;
}

}  // namespace

Result<void> NeuronModel::bind(const NeuronRuntime& runtime, const nrt_tensor_info_array_t& all, const ModelSpec& spec,
                               const std::string& where) {
  const BackendWeights* const weights = spec.weights_for("neuron");
  const Description d{spec, where, runtime.library().minor(), weights ? weights->precision : ""};
  auto input = read_input(d, all, rows_);
  if (!input) return input.error();
  input_ = std::move(*input);
  for (std::uint64_t i = 0; i < all.tensor_count; ++i) {
    if (all.tensor_array[i].usage != NRT_TENSOR_USAGE_OUTPUT) continue;
    auto output = read_output(d, all.tensor_array[i], rows_);
    if (!output) return output.error();
    outputs_.push_back(std::move(*output));
  }
  for (const std::string& name : spec.outputs) {
    if (std::ranges::find(outputs_, name, &NeuronTensor::name) != outputs_.end()) continue;
    return d.problem(
        fmt::format("the network has no output '{}', only: {}", name, names_of(all, NRT_TENSOR_USAGE_OUTPUT)));
  }
  return {};
}

Result<std::unique_ptr<NeuronModel>> NeuronModel::load(const std::shared_ptr<const NeuronRuntime>& runtime,
                                                       const CompiledBatch& batch, const ModelSpec& spec, CoreId core) {
  const std::string where = fmt::format("model {}: {}", spec.name, batch.file->path().string());
  const NrtFunctions& nrt = runtime->nrt();
  std::unique_ptr<NeuronModel> model(new NeuronModel);
  model->rows_ = batch.rows;

  nrt_model_t* handle = nullptr;
  const auto bytes = batch.file->bytes();
  const std::int32_t first = runtime->vnc_of(core);
  const BackendWeights* const weights = spec.weights_for("neuron");
  const std::uint32_t expected = cores_of(batch.file->header(), weights ? weights->target : "");
  // AWS's own clients name the number, too; -1 would leave it to the runtime.
  const NRT_STATUS loaded =
      nrt.nrt_load(bytes.data(), bytes.size(), first, static_cast<std::int32_t>(expected), &handle);
  if (loaded != NRT_SUCCESS) return load_error(fmt::format("{}: nrt_load on core {}", where, core), loaded, spec);
  model->handle_ = NrtModel(handle, NrtFree<&NrtFunctions::nrt_unload>(runtime));

  std::uint32_t cores = 0;
  if (nrt.nrt_get_model_nc_count && nrt.nrt_get_model_nc_count(handle, &cores) == NRT_SUCCESS && cores > expected) {
    return Error{Errc::kModel, fmt::format("{}: occupies {} NeuronCores, its header says {}", where, cores, expected)};
  }
  nrt_model_info_t where_it_is{};
  std::size_t known = 0;
  if (nrt.nrt_get_model_info &&
      nrt.nrt_get_model_info(handle, &where_it_is, sizeof where_it_is, &known) == NRT_SUCCESS &&
      known == sizeof where_it_is && where_it_is.vnc != static_cast<std::uint32_t>(first)) {
    return Error{Errc::kDevice, fmt::format("{}: the runtime loaded it on core {} of this process, not on {}", where,
                                            where_it_is.vnc, first)};
  }
  nrt_tensor_info_array_t* all = nullptr;
  const NRT_STATUS told = nrt.nrt_get_model_tensor_info(handle, &all);
  if (told != NRT_SUCCESS) return nrt_setup_error(fmt::format("{}: nrt_get_model_tensor_info", where), told);
  const NrtTensorInfo info(all, NrtFree<&NrtFunctions::nrt_free_model_tensor_info>(runtime));
  if (auto bound = model->bind(*runtime, *info, spec, where); !bound) return bound.error();
  return model;
}

}  // namespace posecam
