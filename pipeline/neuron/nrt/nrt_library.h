#pragma once
// libnrt.so.1, loaded at run time: this program links nothing of AWS's and starts without it.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "models/core/result.h"
#include "pipeline/neuron/nrt/nrt_abi.h"

namespace posecam {

// X(function), those that every runtime since 2.2 has, and those that may be missing (null then).
#define POSECAM_NRT_REQUIRED(X)   \
  X(nrt_init)                     \
  X(nrt_close)                    \
  X(nrt_get_visible_nc_count)     \
  X(nrt_load)                     \
  X(nrt_unload)                   \
  X(nrt_get_model_tensor_info)    \
  X(nrt_free_model_tensor_info)   \
  X(nrt_allocate_tensor_set)      \
  X(nrt_destroy_tensor_set)       \
  X(nrt_add_tensor_to_tensor_set) \
  X(nrt_tensor_allocate)          \
  X(nrt_tensor_free)              \
  X(nrt_tensor_read)              \
  X(nrt_tensor_write)             \
  X(nrt_execute)
#define POSECAM_NRT_OPTIONAL(X) \
  X(nrt_get_total_nc_count)     \
  X(nrt_get_version)            \
  X(nrt_get_instance_info)      \
  X(nrt_get_model_nc_count)     \
  X(nrt_get_model_info)         \
  X(nrt_get_vnc_memory_stats)

/// The folder of the project's own libnrt.so.1, which has the real one's name.
inline constexpr const char* kSimulatorFolder = "neuron-sim";

/// The functions, immutable once loaded.
struct NrtFunctions {
// A member is named like its function, which parentheses would hide. NOLINTNEXTLINE(bugprone-macro-parentheses)
#define POSECAM_NRT_MEMBER(name) decltype(&::name) name = nullptr;
  POSECAM_NRT_REQUIRED(POSECAM_NRT_MEMBER)
  POSECAM_NRT_OPTIONAL(POSECAM_NRT_MEMBER)
#undef POSECAM_NRT_MEMBER
};

/// A loaded library. Never unloaded: its threads may outlive its last user. Thread-safe.
class NrtLibrary {
 public:
  /// The first of `candidates` that loads; a bare name is left to the loader. kDevice: what was tried and why it
  /// failed, or which functions a library lacks.
  static Result<std::shared_ptr<const NrtLibrary>> load(const std::vector<std::filesystem::path>& candidates);

  /// Those of POSECAM_NRT_OPTIONAL may be null. Valid for the life of the process, as the library is.
  const NrtFunctions& functions() const { return functions_; }
  /// Of the file, links resolved.
  const std::filesystem::path& path() const { return path_; }
  /// "2.30.50.0"; "unknown" where the runtime does not say.
  const std::string& version() const { return version_; }
  /// The second number of the version, 0 if unknown.
  std::uint64_t minor() const { return minor_; }

 private:
  NrtLibrary() = default;
  Result<void> resolve(void* library);
  void ask_version();

  NrtFunctions functions_;
  std::filesystem::path path_;
  std::string version_ = "unknown";
  std::uint64_t minor_ = 0;
};

}  // namespace posecam
