#pragma once
// Where the Neuron runtime lies, real or simulated.

#include <filesystem>
#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

#include "models/core/result.h"
#include "pipeline/neuron/nrt/nrt_library.h"

namespace posecam {

inline constexpr std::string_view kNeuron = "neuron";  ///< name of the real device, and of weights compiled for either
inline constexpr std::string_view kNeuronSim = "neuron-sim";  ///< name of the simulated device

/// neuron: the file that POSECAM_NRT_LIBRARY names and nothing else, or /opt/aws/neuron/lib, then where the loader
/// looks. neuron-sim: the simulator beside this program, in a build tree or installed.
std::vector<std::filesystem::path> neuron_library_candidates(std::string_view device);

/// Loads it, or finds it loaded. kDevice.
Result<std::shared_ptr<const NrtLibrary>> load_neuron_library(std::string_view device);

/// Held while a runtime's variables are put into the environment or taken out, and by load_neuron_library(): a library
/// that is asked for its version reads the environment, and setenv() may move it meanwhile. Nothing else is locked
/// under it.
std::mutex& environment_mutex();

/// Whether the kernel's driver shows a Neuron device: any /dev/neuronN, as a container may have some of them only.
bool has_neuron_device();

}  // namespace posecam
