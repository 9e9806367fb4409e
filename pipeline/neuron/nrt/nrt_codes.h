#pragma once
// The enumerations of AWS's libnrt.so.1. They are 32-bit integers here, because the library may return values that no
// header knows yet. Valid C99 and C++.

#include <stdint.h>  // NOLINT(modernize-deprecated-headers): C, too

// The names are the library's. NOLINTBEGIN(readability-identifier-naming, modernize-use-using)

/// What almost every call returns. Codes are appended by newer libraries: treat an unknown one as a plain number.
typedef uint32_t NRT_STATUS;
enum {
  NRT_SUCCESS = 0,
  NRT_FAILURE = 1,
  NRT_INVALID = 2,
  NRT_INVALID_HANDLE = 3,
  NRT_RESOURCE = 4,
  NRT_TIMEOUT = 5,
  NRT_HW_ERROR = 6,
  NRT_QUEUE_FULL = 7,
  NRT_LOAD_NOT_ENOUGH_NC = 9,
  NRT_UNSUPPORTED_NEFF_VERSION = 10,
  NRT_FAIL_HOST_MEM_ALLOC = 11,
  NRT_UNINITIALIZED = 13,
  NRT_CLOSED = 14,
  NRT_QUEUE_EMPTY = 15,
  NRT_EXEC_UNIT_UNRECOVERABLE = 101,
  NRT_EXEC_BAD_INPUT = 1002,
  NRT_EXEC_COMPLETED_WITH_NUM_ERR = 1003,
  NRT_EXEC_COMPLETED_WITH_ERR = 1004,
  NRT_EXEC_NC_BUSY = 1005,
  NRT_EXEC_OOB = 1006,
  NRT_COLL_PENDING = 1100,
  NRT_EXEC_HW_ERR_COLLECTIVES = 1200,
  NRT_EXEC_HW_ERR_HBM_UE = 1201,
  NRT_EXEC_HW_ERR_NC_UE = 1202,
  NRT_EXEC_HW_ERR_DMA_ABORT = 1203,
  NRT_EXEC_SW_NQ_OVERFLOW = 1204,
  NRT_EXEC_HW_ERR_REPAIRABLE_HBM_UE = 1205,
  NRT_NETWORK_PROXY_FAILURE = 1206
};

/// Who calls nrt_init: this program is none of AWS's frameworks.
typedef uint32_t nrt_framework_type_t;
enum { NRT_FRAMEWORK_TYPE_INVALID = 0, NRT_FRAMEWORK_TYPE_NO_FW = 1 };

/// Where a tensor's memory lies. VIRTUAL: on the host, from where Inf1 fetches; gone in newer runtimes.
typedef uint32_t nrt_tensor_placement_t;
enum { NRT_TENSOR_PLACEMENT_DEVICE = 0, NRT_TENSOR_PLACEMENT_HOST = 1, NRT_TENSOR_PLACEMENT_VIRTUAL = 2 };

/// Which side of the network a tensor is on.
typedef uint32_t nrt_tensor_usage_t;
enum { NRT_TENSOR_USAGE_INPUT = 0, NRT_TENSOR_USAGE_OUTPUT = 1 };

/// Element types. The numbers changed with runtime 2.30: ask nrt_get_version, then check by size.
typedef uint32_t nrt_dtype_t;
enum {
  NRT_DTYPE_UNKNOWN = 0,
  // runtime 2.2 to 2.29
  NRT_DTYPE_V1_FLOAT32 = 1,
  NRT_DTYPE_V1_FLOAT16 = 2,
  NRT_DTYPE_V1_BFLOAT16 = 3,
  NRT_DTYPE_V1_INT8 = 4,
  NRT_DTYPE_V1_UINT8 = 5,
  NRT_DTYPE_V1_INT16 = 6,
  NRT_DTYPE_V1_UINT16 = 7,
  NRT_DTYPE_V1_INT32 = 8,
  NRT_DTYPE_V1_UINT32 = 9,
  NRT_DTYPE_V1_INT64 = 10,
  NRT_DTYPE_V1_UINT64 = 11,
  // runtime 2.30 and later
  NRT_DTYPE_V2_UINT64 = 1,
  NRT_DTYPE_V2_INT8 = 2,
  NRT_DTYPE_V2_UINT8 = 3,
  NRT_DTYPE_V2_INT16 = 4,
  NRT_DTYPE_V2_UINT16 = 5,
  NRT_DTYPE_V2_BFLOAT16 = 6,
  NRT_DTYPE_V2_FLOAT16 = 7,
  NRT_DTYPE_V2_INT32 = 8,
  NRT_DTYPE_V2_UINT32 = 9,
  NRT_DTYPE_V2_FLOAT32 = 10,
  NRT_DTYPE_V2_FP32R = 11,
  NRT_DTYPE_V2_INT64 = 12,
  NRT_DTYPE_V2_FP8_E3 = 13,
  NRT_DTYPE_V2_FP8_E4 = 14,
  NRT_DTYPE_V2_FP8_E5 = 15
};

/// Of EC2; family_name() has the words. Newer libraries know more.
typedef uint32_t nrt_instance_family_t;
enum {
  NRT_INSTANCE_FAMILY_UNKNOWN = 0,
  NRT_INSTANCE_FAMILY_INF1 = 1,
  NRT_INSTANCE_FAMILY_TRN1 = 2,
  NRT_INSTANCE_FAMILY_TRN1N = 3,
  NRT_INSTANCE_FAMILY_INF2 = 4,
  NRT_INSTANCE_FAMILY_TRN2 = 5
};

/// Of an instance within its family: xlarge, 2xlarge, ...
typedef uint32_t nrt_instance_size_t;
enum {
  NRT_INSTANCE_SIZE_1XL = 0,
  NRT_INSTANCE_SIZE_2XL = 1,
  NRT_INSTANCE_SIZE_4XL = 2,
  NRT_INSTANCE_SIZE_6XL = 3,
  NRT_INSTANCE_SIZE_8XL = 4,
  NRT_INSTANCE_SIZE_24XL = 5,
  NRT_INSTANCE_SIZE_32XL = 6,
  NRT_INSTANCE_SIZE_48XL = 7
};

// NOLINTEND(readability-identifier-naming, modernize-use-using)
