#pragma once
// NeuronCores as devices: the real ones, and the simulator's.

#include <memory>

#include "pipeline/backend/device.h"

namespace posecam {

/// "neuron": automatic where the kernel shows a device.
std::shared_ptr<const Device> make_neuron_device();
/// "neuron-sim": for those who name it.
std::shared_ptr<const Device> make_neuron_simulator();

}  // namespace posecam
