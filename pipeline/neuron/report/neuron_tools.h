#pragma once
// What AWS's tools say about the machine's Neuron devices: neuron-ls and neuron-monitor, where they are installed.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "models/core/result.h"
#include "pipeline/backend/backend.h"

namespace posecam {

/// A process that holds cores of a device.
struct NeuronProcess {
  std::int64_t pid = 0;  ///< 0 where the tool does not say
  std::string command;   ///< as the tool shortens it
};

/// A chip.
struct NeuronDevice {
  std::uint32_t index = 0;               ///< on the instance
  std::uint32_t cores = 0;               ///< how many it has
  std::uint64_t memory_bytes = 0;        ///< of the device; 0 where the tool does not say
  std::vector<CoreId> core_ids;          ///< on the instance
  std::vector<NeuronProcess> processes;  ///< that hold cores of it
};

/// Of one process, in the period that neuron-monitor looked at.
struct NeuronCoreUse {
  std::int64_t pid = 0;
  CoreId core = 0;     ///< as neuron-monitor counts
  double percent = 0;  ///< of the period in which it was busy
};

/// "neuron-ls --json-output" of any SDK: keys that are missing get their defaults, and core ids are counted through
/// where the tool does not say them. kDevice for anything but such a list.
Result<std::vector<NeuronDevice>> parse_neuron_ls(std::string_view json);
/// A line of "neuron-monitor". kDevice.
Result<std::vector<NeuronCoreUse>> parse_neuron_monitor(std::string_view json);

/// Runs the tool: PATH, then /opt/aws/neuron/bin. Blocks for seconds at worst. kDevice where it is not installed, and
/// without devices.
Result<std::vector<NeuronDevice>> neuron_ls();
/// Its first report, of a period of one second. Blocks and fails as neuron_ls().
Result<std::vector<NeuronCoreUse>> neuron_monitor();

/// "process 4711 (python3 serve.py)" for each that is on a device of these cores; empty if none is known.
std::string holders_of(const std::vector<NeuronDevice>& devices, const std::vector<CoreId>& cores);

}  // namespace posecam
