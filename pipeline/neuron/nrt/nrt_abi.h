#pragma once
// The C ABI of AWS's libnrt.so.1, in our own words: what the client looks up with dlsym and what the simulator exports.
// Valid C99 and C++. Nothing here is linked by the client: the prototypes are there for `decltype(&nrt_init)`.

#include <stdbool.h>  // NOLINT(modernize-deprecated-headers): C, too
#include <stddef.h>   // NOLINT(modernize-deprecated-headers)
#include <stdint.h>   // NOLINT(modernize-deprecated-headers)

#include "pipeline/neuron/nrt/nrt_codes.h"

// The names are the library's. NOLINTBEGIN(readability-identifier-naming, modernize-use-using)

#ifdef __cplusplus
extern "C" {
#define POSECAM_NRT_ASSERT(name, condition) static_assert(condition, #name)
#else
#define POSECAM_NRT_ASSERT(name, condition) typedef char posecam_nrt_assert_##name[(condition) ? 1 : -1]
#endif

// Handles, owned by whoever made them.
typedef struct nrt_model nrt_model_t;
typedef struct nrt_tensor nrt_tensor_t;
typedef void nrt_tensor_set_t;

#define NRT_TENSOR_NAME_MAX 256  ///< bytes, with the 0 at the end

/// One tensor of a model.
typedef struct nrt_tensor_info {
  char name[NRT_TENSOR_NAME_MAX];
  nrt_tensor_usage_t usage;
  size_t size;  ///< bytes, of all rows
  nrt_dtype_t dtype;
  uint32_t* shape;  ///< `ndim` numbers; they go with the array
  uint32_t ndim;
} nrt_tensor_info_t;

/// Inputs and outputs mixed, in no particular order. Freed once, by nrt_free_model_tensor_info.
typedef struct nrt_tensor_info_array {
  uint64_t tensor_count;
  __extension__ nrt_tensor_info_t tensor_array[];
} nrt_tensor_info_array_t;

/// "2.30.50.0", and what the library adds to that.
typedef struct nrt_version {
  uint64_t rt_major;
  uint64_t rt_minor;
  uint64_t rt_patch;
  uint64_t rt_maintenance;
  char rt_detail[128];
  char git_hash[64];
} nrt_version_t;

/// The first 8 bytes are all that runtimes before 2.30 know.
typedef struct nrt_instance_info {
  nrt_instance_family_t family;
  nrt_instance_size_t size;
  char arch_name[16];
  char device_revision[8];
} nrt_instance_info_t;

typedef struct nrt_model_info {
  uint32_t vnc;  ///< first core, within those of the process
} nrt_model_info_t;

/// Device memory of one core.
typedef struct nrt_vnc_memory_stats {
  size_t bytes_used;
  size_t bytes_limit;
} nrt_vnc_memory_stats_t;

POSECAM_NRT_ASSERT(status_size, sizeof(NRT_STATUS) == 4);
POSECAM_NRT_ASSERT(info_size, sizeof(nrt_tensor_info_t) == 296);
POSECAM_NRT_ASSERT(info_usage, offsetof(nrt_tensor_info_t, usage) == 256);
POSECAM_NRT_ASSERT(info_bytes, offsetof(nrt_tensor_info_t, size) == 264);
POSECAM_NRT_ASSERT(info_dtype, offsetof(nrt_tensor_info_t, dtype) == 272);
POSECAM_NRT_ASSERT(info_shape, offsetof(nrt_tensor_info_t, shape) == 280);
POSECAM_NRT_ASSERT(info_ndim, offsetof(nrt_tensor_info_t, ndim) == 288);
POSECAM_NRT_ASSERT(array_header, sizeof(nrt_tensor_info_array_t) == 8);
POSECAM_NRT_ASSERT(version_size, sizeof(nrt_version_t) == 224);
POSECAM_NRT_ASSERT(version_minor, offsetof(nrt_version_t, rt_minor) == 8);
POSECAM_NRT_ASSERT(version_detail, offsetof(nrt_version_t, rt_detail) == 32);
POSECAM_NRT_ASSERT(version_hash, offsetof(nrt_version_t, git_hash) == 160);
POSECAM_NRT_ASSERT(instance_size, sizeof(nrt_instance_info_t) == 32);
POSECAM_NRT_ASSERT(instance_arch, offsetof(nrt_instance_info_t, arch_name) == 8);
POSECAM_NRT_ASSERT(instance_revision, offsetof(nrt_instance_info_t, device_revision) == 24);
POSECAM_NRT_ASSERT(model_info_size, sizeof(nrt_model_info_t) == 4);
POSECAM_NRT_ASSERT(memory_size, sizeof(nrt_vnc_memory_stats_t) == 16);

// Present in every runtime this project supports. A handle or array that a call makes is its caller's, who gives it
// back once, with the unload, free or destroy function of its kind. Sizes and offsets of tensors are in bytes.
NRT_STATUS nrt_init(nrt_framework_type_t framework, const char* fw_version, const char* fal_version);
void nrt_close(void);
NRT_STATUS nrt_get_visible_nc_count(uint32_t* nc_count);
/// `vnc` counts within the cores this process owns, -1 lets the runtime choose; pass -1 as `vnc_count`.
NRT_STATUS nrt_load(const void* neff_bytes, size_t size, int32_t vnc, int32_t vnc_count, nrt_model_t** model);
NRT_STATUS nrt_unload(nrt_model_t* model);
NRT_STATUS nrt_get_model_tensor_info(nrt_model_t* model, nrt_tensor_info_array_t** tensor_info);
NRT_STATUS nrt_free_model_tensor_info(nrt_tensor_info_array_t* tensor_info);
NRT_STATUS nrt_allocate_tensor_set(nrt_tensor_set_t** result);
void nrt_destroy_tensor_set(nrt_tensor_set_t** tensor_set);
NRT_STATUS nrt_add_tensor_to_tensor_set(nrt_tensor_set_t* tensor_set, const char* tensor_name, nrt_tensor_t* tensor);
NRT_STATUS nrt_tensor_allocate(nrt_tensor_placement_t tensor_placement, int vnc, size_t size, const char* name,
                               nrt_tensor_t** tensor);
void nrt_tensor_free(nrt_tensor_t** tensor);
NRT_STATUS nrt_tensor_read(const nrt_tensor_t* tensor, void* buf, size_t offset, size_t size);
NRT_STATUS nrt_tensor_write(nrt_tensor_t* tensor, const void* buf, size_t offset, size_t size);
NRT_STATUS nrt_execute(nrt_model_t* model, const nrt_tensor_set_t* input_set, nrt_tensor_set_t* output_set);

// May be missing: check for null after dlsym. The size of a struct that is handed in is the caller's, which may be
// older or newer than the library's.
NRT_STATUS nrt_get_total_nc_count(uint32_t* nc_count);
NRT_STATUS nrt_get_total_vnc_count(uint32_t* vnc_count);
NRT_STATUS nrt_get_visible_vnc_count(uint32_t* vnc_count);
NRT_STATUS nrt_get_version(nrt_version_t* ver, size_t size);
NRT_STATUS nrt_get_instance_info(nrt_instance_info_t* info, size_t instance_info_len);
NRT_STATUS nrt_get_model_nc_count(const nrt_model_t* model, uint32_t* nc_count);
NRT_STATUS nrt_get_model_vnc_count(const nrt_model_t* model, uint32_t* vnc_count);
NRT_STATUS nrt_get_model_instance_count(nrt_model_t* model, uint32_t* instance_count);
NRT_STATUS nrt_get_model_info(const nrt_model_t* model, nrt_model_info_t* info, size_t info_size_in,
                              size_t* info_size_out);
NRT_STATUS nrt_get_tensor_from_tensor_set(nrt_tensor_set_t* tensor_set, const char* tensor_name, nrt_tensor_t** tensor);
NRT_STATUS nrt_tensor_allocate_empty(const char* name, nrt_tensor_t** tensor);
NRT_STATUS nrt_tensor_attach_buffer(nrt_tensor_t* tensor, void* buffer, size_t size);
NRT_STATUS nrt_tensor_allocate_slice(const nrt_tensor_t* tensor_source, size_t offset, size_t size, const char* name,
                                     nrt_tensor_t** tensor_slice);
NRT_STATUS nrt_tensor_copy(const nrt_tensor_t* src, size_t src_offset, nrt_tensor_t* dst, size_t dst_offset,
                           size_t size);
NRT_STATUS nrt_tensor_memset(nrt_tensor_t* tensor, uint64_t offset, int value, size_t size);
size_t nrt_tensor_get_size(const nrt_tensor_t* tensor);
void* nrt_tensor_get_va(const nrt_tensor_t* tensor);
/// Feeds the outputs of a run to the inputs of the next: no loop for measurements.
NRT_STATUS nrt_execute_repeat(nrt_model_t* model, const nrt_tensor_set_t* input_set, nrt_tensor_set_t* output_set,
                              int repeat_count);
NRT_STATUS nrt_get_vnc_memory_stats(uint32_t vnc, nrt_vnc_memory_stats_t* stats, size_t stats_size_in,
                                    size_t* stats_size_out);
NRT_STATUS nrt_profile_start(nrt_model_t* model, const char* filename);
NRT_STATUS nrt_profile_stop(const char* filename);
const char* nrt_get_status_as_str(NRT_STATUS status);
// Runtimes 2.15 to 2.33, where NEURON_RT_ASYNC_EXEC_MAX_INFLIGHT_REQUESTS is above 0: nrt_execute only queues.
typedef void (*NRT_ASYNC_EXEC_STATUS_CALLBACK)(void* params, uint32_t model_id, uint32_t vnc, uint64_t job_id,
                                               NRT_STATUS status);
NRT_STATUS nrt_register_async_exec_callback(NRT_ASYNC_EXEC_STATUS_CALLBACK callback, void* params);
NRT_STATUS nrt_async_drain_queued_execs(int32_t vnc);

#undef POSECAM_NRT_ASSERT
#ifdef __cplusplus
}
#endif

// NOLINTEND(readability-identifier-naming, modernize-use-using)
