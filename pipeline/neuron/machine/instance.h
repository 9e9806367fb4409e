#pragma once
// The EC2 instances and runtime versions that the simulator can be.

#include <cstdint>
#include <span>
#include <string_view>

#include "pipeline/neuron/nrt/nrt_abi.h"

namespace posecam::sim {

struct Instance {
  std::string_view name;
  nrt_instance_family_t family = 0;
  nrt_instance_size_t size = 0;
  std::uint32_t cores = 0;
  std::uint32_t cores_per_chip = 0;
  std::uint64_t chip_bytes = 0;  ///< device memory of a chip, shared out evenly among its cores
  std::string_view arch;         ///< as nrt_get_instance_info names it

  bool is_inf1() const { return family == NRT_INSTANCE_FAMILY_INF1; }
  std::uint64_t core_bytes() const { return chip_bytes / cores_per_chip; }
};

struct RuntimeVersion {
  std::string_view name;  ///< "2.30"
  std::uint64_t minor = 0;
  std::uint64_t patch = 0;

  bool old_dtypes() const { return minor < 30; }
  bool runs_inf1() const { return minor < 23; }
  bool has_virtual_tensors() const { return minor < 32; }
  bool has_implicit_async() const { return minor < 34; }
  bool long_instance_info() const { return minor >= 30; }
};

std::span<const Instance> instances();
std::span<const RuntimeVersion> runtime_versions();

}  // namespace posecam::sim
