#pragma once
// Devices by name.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "models/model_spec.h"
#include "models/result.h"
#include "pipeline/backend.h"

namespace posecam {

enum class Precision : std::uint8_t { kAuto, kF32, kBf16 };
enum class Scheduling : std::uint8_t { kThroughput, kLatency };

struct BackendOptions {
  std::vector<CoreId> cores;  ///< of this machine's CPU; never empty
  Precision precision = Precision::kAuto;
  Scheduling scheduling = Scheduling::kThroughput;

  /// From the words of users: cores as in core_list.h, "auto|f32|bf16", "throughput|latency". kUsage.
  static Result<BackendOptions> parse(std::string_view cores, std::string_view precision, std::string_view scheduling);
};

/// A backend with the model's weights found and checked. `device`: auto (openvino if it is built in and has weights for
/// the model, else opencv), openvino, opencv. kUsage for another name, kModel without weights, kDevice.
Result<std::unique_ptr<InferenceBackend>> make_backend(std::string_view device, const ModelSpec& spec,
                                                       const BackendOptions& options);

struct DeviceInfo {
  std::string name;         ///< as `device` takes it
  std::string description;  ///< what it is; or why it is not available
  bool available = false;
  CoreId cores = 0;
};
std::vector<DeviceInfo> list_devices();

}  // namespace posecam
