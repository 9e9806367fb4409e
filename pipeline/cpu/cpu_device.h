#pragma once
// What the devices have in common that calculate on this computer's CPU: weights from the store, any resolution and
// batch, the CPU's cores.

#include <filesystem>
#include <memory>
#include <string_view>

#include "pipeline/backend/device.h"

namespace posecam {

/// A library that runs networks on the CPU. Its name is that of the device and of the weights it reads.
struct CpuLibrary {
  std::string_view name;                 ///< of static storage
  bool built_in = true;                  ///< false: the device is listed, and is never the one that auto chooses
  DeviceInfo (*describe)(CoreId cores);  ///< `cores`: how many the CPU has
  /// `weights`: the checked file to open. kModel, kDevice.
  Result<std::unique_ptr<InferenceBackend>> (*load)(const ModelSpec& model, const std::filesystem::path& weights,
                                                    const BackendOptions& options);
};

/// Finds its weights in the user's store; keeps compiled networks in the user's cache folder.
std::shared_ptr<const Device> make_cpu_device(const CpuLibrary& library);

}  // namespace posecam
