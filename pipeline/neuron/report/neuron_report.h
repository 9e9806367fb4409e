#pragma once
// What is known of Neuron devices without taking a core: for people and programs that look.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/backend/device.h"
#include "pipeline/neuron/report/core_board.h"
#include "pipeline/neuron/report/neuron_tools.h"

namespace posecam {

/// One of the two devices at one moment.
struct NeuronReport {
  DeviceInfo info;                    ///< without a usable device the lists are empty
  std::string runtime;                ///< "2.30.50.0"; empty without a library
  std::string library;                ///< its file
  std::vector<NeuronDevice> devices;  ///< neuron: of neuron-ls, empty where it is not installed
  std::vector<CoreActivity> use;      ///< of this program's processes, by core
  /// Of neuron-monitor, which report_neuron() does not ask: it takes its period.
  std::vector<NeuronCoreUse> monitor;
};

/// `device`: neuron or neuron-sim. Loads the library, does not initialise it; may run neuron-ls.
NeuronReport report_neuron(std::string_view device);

/// The part for lists of all devices; runs nothing.
DeviceInfo describe_neuron(std::string_view device);

/// The simulator's cores in the shape of neuron-ls: one device for each core that was ever used and that the
/// instance still has or a process still holds, in the pool that NEURON_SIM_POOL or NEURON_SIM_CONFIG names. Empty if
/// the simulator could not read these.
std::vector<NeuronDevice> simulated_devices();

}  // namespace posecam
