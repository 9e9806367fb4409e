#pragma once
// The devices there are.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "models/core/result.h"
#include "models/spec/model_spec.h"
#include "pipeline/backend/device.h"

namespace posecam {

/// Not a device: the best one for the model.
inline constexpr std::string_view kAutoDevice = "auto";

/// neuron, neuron-sim, openvino and opencv, in the order in which auto prefers them and whether or not this machine has
/// them, then those that were added.
std::vector<std::shared_ptr<const Device>> devices();

/// What users may choose from: "auto, neuron, neuron-sim, openvino or opencv".
std::string device_choices();

/// By its name, which is not auto. kUsage, with device_choices().
Result<std::shared_ptr<const Device>> find_device(std::string_view name);

/// Of a device that is only known by its name, as from a file; of a name that is no device's: nothing is true.
DeviceTraits device_traits(std::string_view name);

/// The first device that is automatic here and can run the model; null if none can.
std::shared_ptr<const Device> best_device(const ModelSpec& original);

/// The device of that name; for auto the best one, or if there is none the first automatic one that the model has
/// weights for, whose open() says what is missing. What is chosen stays chosen: if it then fails, a silent change to a
/// slower one would be worse than an error. kUsage, kModel.
Result<std::shared_ptr<const Device>> choose_device(std::string_view wish, const ModelSpec& original);

/// Why auto did not take a device that it prefers to this one although the machine has its hardware: "neuron: model 'x'
/// is not compiled ..."; empty where there is none. May load libraries.
std::string passed_over(const Device& chosen, const ModelSpec& original);

/// From now on this is a device too, never an automatic one, for programs that bring their own. Any thread. A second
/// one of a name replaces the first; the names of the built-in devices stay theirs.
void add_device(std::shared_ptr<const Device> device);

}  // namespace posecam
