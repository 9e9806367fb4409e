#pragma once
// Devices by name.

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "models/core/result.h"
#include "models/spec/model_spec.h"
#include "pipeline/backend/backend.h"
#include "pipeline/backend/backend_options.h"

namespace posecam {

/// "$XDG_CACHE_HOME/posecam/openvino", else "~/.cache/posecam/openvino" (XDG Base Directory 0.8: a relative value is
/// ignored); empty if there is neither.
std::filesystem::path default_cache_dir();

/// A backend with the model's weights found and checked. `device`: neuron or neuron-sim (the model must be a compiled
/// one), openvino, opencv, or auto: the first of the last two that is built in and has weights for the model. kUsage
/// for another name, kModel without weights, kDevice.
Result<std::unique_ptr<InferenceBackend>> make_backend(std::string_view device, const ModelSpec& spec,
                                                       const BackendOptions& options);

/// Makes a backend for a network whose weights are its own affair.
using BackendFactory =
    std::function<Result<std::unique_ptr<InferenceBackend>>(const ModelSpec& spec, const BackendOptions& options)>;

/// From now on `name` is a device too, for programs that bring their own. Any thread. A second factory of one name
/// replaces the first; the names of the built-in devices stay theirs.
void add_device(std::string name, BackendFactory factory);

std::vector<DeviceInfo> list_devices();

}  // namespace posecam
