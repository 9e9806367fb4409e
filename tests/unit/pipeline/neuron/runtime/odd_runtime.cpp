// A libnrt that differs from the simulator, which stands behind it, in what it says of the tensor that
// POSECAM_TEST_ODD_TENSOR names: a type that posecam does not read, and no shape.

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
