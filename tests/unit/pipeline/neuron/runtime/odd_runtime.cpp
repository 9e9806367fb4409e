// A libnrt that differs from the simulator, which stands behind it: it says of the tensor that POSECAM_TEST_ODD_TENSOR
// names that it has a type that posecam does not read, and no shape; of every model that it is on the core that
// POSECAM_TEST_LOADED_ON says; and with POSECAM_TEST_NEEDS_COUNT nrt_load wants to know for how many cores.

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>

#include "pipeline/neuron/nrt/nrt_abi.h"

extern "C" NRT_STATUS nrt_get_model_tensor_info(nrt_model_t* model, nrt_tensor_info_array_t** array) {
  const auto real = reinterpret_cast<decltype(&nrt_get_model_tensor_info)>(::dlsym(RTLD_NEXT, __func__));
  if (!real) return NRT_FAILURE;
  const NRT_STATUS status = real(model, array);
  const char* const odd = std::getenv("POSECAM_TEST_ODD_TENSOR");
  if (status != NRT_SUCCESS || !odd) return status;
  for (std::uint64_t i = 0; i < (*array)->tensor_count; ++i) {
    nrt_tensor_info_t& info = (*array)->tensor_array[i];
    if (std::strncmp(info.name, odd, sizeof info.name) != 0) continue;
    info.dtype = NRT_DTYPE_V2_FP8_E4;
    info.ndim = 0;
  }
  return status;
}

extern "C" NRT_STATUS nrt_load(const void* bytes, size_t size, int32_t vnc, int32_t vnc_count, nrt_model_t** model) {
  const auto real = reinterpret_cast<decltype(&nrt_load)>(::dlsym(RTLD_NEXT, __func__));
  if (!real || (std::getenv("POSECAM_TEST_NEEDS_COUNT") && vnc_count < 1)) return NRT_INVALID;
  return real(bytes, size, vnc, vnc_count, model);
}

extern "C" NRT_STATUS nrt_get_model_info(const nrt_model_t* model, nrt_model_info_t* info, size_t in, size_t* out) {
  const auto real = reinterpret_cast<decltype(&nrt_get_model_info)>(::dlsym(RTLD_NEXT, __func__));
  const NRT_STATUS status = real ? real(model, info, in, out) : NRT_STATUS{NRT_FAILURE};
  const char* const core = std::getenv("POSECAM_TEST_LOADED_ON");
  if (status == NRT_SUCCESS && core) info->vnc = static_cast<std::uint32_t>(std::atoi(core));
  return status;
}
