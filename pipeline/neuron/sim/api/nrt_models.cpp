// The C interface: models, what their tensors are, and running them.

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <memory>
#include <vector>

#include "pipeline/neuron/nrt/nrt_abi.h"
#include "pipeline/neuron/sim/api/call.h"
#include "pipeline/neuron/sim/execution.h"
#include "pipeline/neuron/sim/loading.h"

namespace {

using namespace posecam::sim;  // NOLINT(google-build-using-namespace): the other side of these functions
using posecam::DType;
using posecam::SimTensorSpec;

static_assert(offsetof(nrt_tensor_info_array_t, tensor_array) == 8);

/// The array that the library gives out, and everything its pointers lead to.
struct InfoArray {
  std::vector<std::uint64_t> memory;
  std::vector<std::vector<std::uint32_t>> shapes;
};

/// Not of a session: an array may be freed after nrt_close.
Handles<InfoArray>& arrays() {
  static auto& all = *new Handles<InfoArray>;
  return all;
}

nrt_dtype_t number_of(DType dtype, bool old_numbers) {
  switch (dtype) {
    case DType::kF32: return old_numbers ? NRT_DTYPE_V1_FLOAT32 : NRT_DTYPE_V2_FLOAT32;
    case DType::kF16: return old_numbers ? NRT_DTYPE_V1_FLOAT16 : NRT_DTYPE_V2_FLOAT16;
    case DType::kBf16: return old_numbers ? NRT_DTYPE_V1_BFLOAT16 : NRT_DTYPE_V2_BFLOAT16;
    case DType::kU8: return old_numbers ? NRT_DTYPE_V1_UINT8 : NRT_DTYPE_V2_UINT8;
    case DType::kI32: break;
  }
  return NRT_DTYPE_UNKNOWN;
}

nrt_tensor_info_t info_of(const SimTensorSpec& spec, nrt_tensor_usage_t usage, bool old_numbers, InfoArray& array) {
  nrt_tensor_info_t info{};
  std::memcpy(info.name, spec.name.data(), std::min<std::size_t>(spec.name.size(), sizeof info.name - 1));
  info.usage = usage;
  info.size = spec.bytes();
  info.dtype = number_of(spec.dtype, old_numbers);
  auto& shape = array.shapes.emplace_back();
  for (std::size_t i = 0; i < spec.shape.rank(); ++i) shape.push_back(static_cast<std::uint32_t>(spec.shape[i]));
  info.shape = shape.data();
  info.ndim = static_cast<std::uint32_t>(shape.size());
  return info;
}

/// By name, as the runtime lists them: "output10" before "output2", inputs and outputs mixed.
std::vector<nrt_tensor_info_t> infos_of(const Model& model, bool old_numbers, InfoArray& array) {
  std::vector<nrt_tensor_info_t> infos;
  for (const auto& spec : model.program.inputs) {
    infos.push_back(info_of(spec, NRT_TENSOR_USAGE_INPUT, old_numbers, array));
  }
  for (const auto& spec : model.program.outputs) {
    infos.push_back(info_of(spec, NRT_TENSOR_USAGE_OUTPUT, old_numbers, array));
  }
  std::ranges::sort(infos, [](const auto& a, const auto& b) { return std::strcmp(a.name, b.name) < 0; });
  return infos;
}

/// Runs `body(Session&, Model&)` with a living model that no fault was ordered for.
template <class Body>
NRT_STATUS with_model(const char* call, const nrt_model_t* handle, Body&& body) {
  return in_session(call, [&](Session& session) -> NRT_STATUS {
    const auto model = session.models.find(handle);
    if (!model) return bad_handle(call);
    if (const auto injected = session.injected(call, model->cores)) return injected;
    return body(session, *model);
  });
}

/// Outputs of one run become inputs of the next, in the order of the program.
NRT_STATUS feed_back(Session& session, const Model& model, TensorSet& inputs, TensorSet& outputs) {
  for (std::size_t i = 0; i < model.program.inputs.size(); ++i) {
    const auto tensor_of = [&](TensorSet& set, const std::string& name) {
      const std::lock_guard lock(set.mutex);
      const auto found = set.tensors.find(name);
      return found == set.tensors.end() ? nullptr : session.tensors.find(found->second);
    };
    const auto to = tensor_of(inputs, model.program.inputs[i].name);
    const auto from = tensor_of(outputs, model.program.outputs[i].name);
    if (!to || !from || to->size != from->size) return NRT_INVALID;
    std::vector<std::byte> bytes(from->size);
    from->storage->read(from->offset, bytes);
    to->storage->write(to->offset, bytes);
  }
  return NRT_SUCCESS;
}

NRT_STATUS execute_repeat(Session& session, Model& model, TensorSet& inputs, TensorSet& outputs, int count) {
  for (int i = 0; i < count; ++i) {
    if (i != 0) {
      if (const auto status = feed_back(session, model, inputs, outputs)) return status;
    }
    if (const auto status = execute(session, model, inputs, outputs, "nrt_execute")) return status;
  }
  return NRT_SUCCESS;
}

/// An honest file: it says that nothing was measured on hardware.
NRT_STATUS write_profile(const char* filename, const Model* model) {
  std::string text;
  if (model) {
    text = fmt::format(
        "{{\"simulated\":true,\"batch\":{},\"cores\":{},\"executions\":{},\"busy_ns\":{},\"device_time_ns\":{}}}\n",
        model->program.batch, model->cores.count, model->executions.load(), model->busy_ns.load(), model->device_time);
  }
  std::FILE* file = std::fopen(filename, "wbe");
  if (!file) return NRT_FAILURE;
  const bool written = std::fwrite(text.data(), 1, text.size(), file) == text.size();
  return std::fclose(file) == 0 && written ? NRT_SUCCESS : NRT_FAILURE;  // a full disk shows at the close
}

}  // namespace

extern "C" {

NRT_STATUS nrt_load(const void* neff_bytes, size_t size, int32_t vnc, int32_t vnc_count, nrt_model_t** model) {
  return in_session("nrt_load", [&](Session& session) -> NRT_STATUS {
    if (!neff_bytes || !model) return bad_argument("nrt_load", "null for the NEFF or the model");
    const bool placed = vnc >= 0 && static_cast<std::size_t>(vnc) < session.cores.size();
    const auto injected =
        placed ? session.injected("nrt_load", {static_cast<std::uint32_t>(vnc), 1}) : session.injected("nrt_load");
    if (injected) return injected;
    Loaded loaded = load_model(session, {static_cast<const std::byte*>(neff_bytes), size}, vnc, vnc_count);
    if (loaded.model) *model = static_cast<nrt_model_t*>(session.models.add(std::move(loaded.model)));
    return loaded.status;
  });
}

NRT_STATUS nrt_unload(nrt_model_t* model) {
  return in_session("nrt_unload", [&](Session& session) -> NRT_STATUS {
    const auto taken = session.models.take(model);
    if (!taken) return bad_handle("nrt_unload");
    const auto injected = session.injected("nrt_unload", taken->cores);
    unload_model(session, *taken);  // the handle is dead whatever the status says
    return injected;
  });
}

NRT_STATUS nrt_get_model_nc_count(const nrt_model_t* model, uint32_t* count) {
  return with_model("nrt_get_model_nc_count", model, [&](Session&, Model& m) -> NRT_STATUS {
    if (!count) return bad_argument("nrt_get_model_nc_count", "null for the count");
    *count = m.need;
    return NRT_SUCCESS;
  });
}

NRT_STATUS nrt_get_model_vnc_count(const nrt_model_t* model, uint32_t* count) {
  return with_model("nrt_get_model_vnc_count", model, [&](Session&, Model& m) -> NRT_STATUS {
    if (!count) return bad_argument("nrt_get_model_vnc_count", "null for the count");
    *count = m.need;
    return NRT_SUCCESS;
  });
}

NRT_STATUS nrt_get_model_instance_count(nrt_model_t* model, uint32_t* count) {
  return with_model("nrt_get_model_instance_count", model, [&](Session&, Model& m) -> NRT_STATUS {
    if (!count) return bad_argument("nrt_get_model_instance_count", "null for the count");
    *count = m.replicas();
    return NRT_SUCCESS;
  });
}

NRT_STATUS nrt_get_model_info(const nrt_model_t* model, nrt_model_info_t* info, size_t size_in, size_t* size_out) {
  return with_model("nrt_get_model_info", model, [&](Session&, Model& m) -> NRT_STATUS {
    if (!info) return bad_argument("nrt_get_model_info", "null for the answer");
    const nrt_model_info_t all{m.cores.first};
    std::memcpy(info, &all, std::min(size_in, sizeof all));
    if (size_out) *size_out = std::min(size_in, sizeof all);
    return NRT_SUCCESS;
  });
}

NRT_STATUS nrt_get_model_tensor_info(nrt_model_t* model, nrt_tensor_info_array_t** tensor_info) {
  return with_model("nrt_get_model_tensor_info", model, [&](Session& session, Model& m) -> NRT_STATUS {
    if (!tensor_info) return bad_argument("nrt_get_model_tensor_info", "null for the array");
    auto array = std::make_shared<InfoArray>();
    const auto infos = infos_of(m, session.config.runtime.old_dtypes(), *array);
    array->memory.resize(1 + infos.size() * sizeof(nrt_tensor_info_t) / sizeof(std::uint64_t));
    array->memory[0] = infos.size();
    std::memcpy(array->memory.data() + 1, infos.data(), infos.size() * sizeof(nrt_tensor_info_t));
    auto* given = reinterpret_cast<nrt_tensor_info_array_t*>(array->memory.data());
    arrays().add_as(given, std::move(array));
    *tensor_info = given;
    return NRT_SUCCESS;
  });
}

NRT_STATUS nrt_free_model_tensor_info(nrt_tensor_info_array_t* tensor_info) {
  constexpr const char* kCall = "nrt_free_model_tensor_info";
  try {
    if (!arrays().take(tensor_info)) return bad_handle(kCall);
    NRT_STATUS status = NRT_SUCCESS;
    const auto session = Runtime::instance().session(status);
    return session ? session->injected(kCall) : NRT_STATUS{NRT_SUCCESS};
  } catch (const std::exception&) {
    return NRT_FAILURE;
  }
}

NRT_STATUS nrt_execute(nrt_model_t* model, const nrt_tensor_set_t* input_set, nrt_tensor_set_t* output_set) {
  return in_session("nrt_execute", [&](Session& session) -> NRT_STATUS {
    const auto m = session.models.find(model);
    const auto inputs = session.sets.find(input_set);
    const auto outputs = session.sets.find(output_set);
    if (!m || !inputs || !outputs) return bad_handle("nrt_execute");
    if (session.deferred.on()) {
      const auto id = static_cast<std::uint32_t>(reinterpret_cast<std::uintptr_t>(model) / kHandleStep);
      session.deferred.add(m->cores.first, id, [&session, m, inputs, outputs] {
        return execute(session, *m, *inputs, *outputs, "nrt_execute");
      });
      return NRT_SUCCESS;
    }
    return execute(session, *m, *inputs, *outputs, "nrt_execute");
  });
}

NRT_STATUS nrt_execute_repeat(nrt_model_t* model, const nrt_tensor_set_t* input_set, nrt_tensor_set_t* output_set,
                              int repeat_count) {
  constexpr const char* kCall = "nrt_execute_repeat";
  return with_model(kCall, model, [&](Session& session, Model& m) -> NRT_STATUS {
    const auto inputs = session.sets.find(input_set);
    const auto outputs = session.sets.find(output_set);
    if (!inputs || !outputs) return bad_handle(kCall);
    const bool feeds = m.program.inputs.size() == m.program.outputs.size();
    if (repeat_count < 1 || (repeat_count > 1 && !feeds)) return bad_argument(kCall, "the model cannot be repeated so");
    return execute_repeat(session, m, *inputs, *outputs, repeat_count);
  });
}

NRT_STATUS nrt_profile_start(nrt_model_t* model, const char* filename) {
  return with_model("nrt_profile_start", model, [&](Session& session, Model& m) -> NRT_STATUS {
    if (!filename) return bad_argument("nrt_profile_start", "null for the file's name");
    if (const auto status = write_profile(filename, nullptr)) return status;
    const std::lock_guard lock(session.mutex);
    session.profiles[filename] = model;
    m.executions = 0;
    m.busy_ns = 0;
    return NRT_SUCCESS;
  });
}

NRT_STATUS nrt_profile_stop(const char* filename) {
  return in_session("nrt_profile_stop", [&](Session& session) -> NRT_STATUS {
    if (!filename) return bad_argument("nrt_profile_stop", "null for the file's name");
    if (const auto injected = session.injected("nrt_profile_stop")) return injected;
    const std::lock_guard lock(session.mutex);
    const auto found = session.profiles.extract(std::string(filename));
    const auto model = found ? session.models.find(found.mapped()) : nullptr;
    if (!model) return bad_argument("nrt_profile_stop", "no profile of a loaded model was started with that name");
    return write_profile(filename, model.get());
  });
}

}  // extern "C"
