#pragma once
// The EC2 instances and runtime versions that the simulator can be.

#include <cstdint>
#include <span>
#include <string_view>

#include "pipeline/neuron/nrt/nrt_abi.h"

namespace posecam::sim {

/// One type of instance.
struct Instance {
  std::string_view name;             ///< "inf2.xlarge"
  nrt_instance_family_t family = 0;  ///< as in nrt_codes.h
  nrt_instance_size_t size = 0;      ///< as in nrt_codes.h
  std::uint32_t cores = 0;           ///< NeuronCores of the instance
  std::uint32_t cores_per_chip = 0;  ///< that share a chip's memory
  std::uint64_t chip_bytes = 0;      ///< device memory of a chip, shared out evenly among its cores
  std::string_view arch;             ///< as nrt_get_instance_info names it

  bool is_inf1() const { return family == NRT_INSTANCE_FAMILY_INF1; }
  /// Device memory of one core.
  std::uint64_t core_bytes() const { return chip_bytes / cores_per_chip; }
};

/// One version 2.minor.patch, and what it does differently from others.
struct RuntimeVersion {
  std::string_view name;    ///< "2.30"
  std::uint64_t minor = 0;  ///< the second number of the version
  std::uint64_t patch = 0;  ///< the third

  bool old_dtypes() const { return minor < 30; }           ///< types are numbered as NRT_DTYPE_V1
  bool runs_inf1() const { return minor < 23; }            ///< it knows that family
  bool has_virtual_tensors() const { return minor < 32; }  ///< placement VIRTUAL, buffers can be attached
  bool has_implicit_async() const { return minor < 34; }   ///< NEURON_RT_ASYNC_EXEC_MAX_INFLIGHT_REQUESTS exists
  bool long_instance_info() const { return minor >= 30; }  ///< nrt_instance_info_t has its texts
};

/// All that can be simulated. Static storage.
std::span<const Instance> instances();
/// All that can be simulated, oldest first: the last is the default, the first that of Inf1. Static storage.
std::span<const RuntimeVersion> runtime_versions();

}  // namespace posecam::sim
