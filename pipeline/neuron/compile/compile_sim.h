#pragma once
// "Compiles" a model for the simulator: packs its network, once a batch size, into NEFFs that the simulator runs.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

#include "models/core/result.h"
#include "models/core/tensor.h"
#include "models/spec/model_spec.h"
#include "pipeline/neuron/neff/device_time.h"

namespace posecam {

/// What the compiled network is to be like.
struct SimCompileOptions {
  std::vector<std::uint32_t> batches{1};  ///< ascending, no repeats
  std::uint32_t cores_per_model = 1;      ///< neighbouring cores that one copy occupies; 1 to 64
  DType dtype = DType::kF32;              ///< of the network's inputs and outputs on the device: kF32, kBf16 or kF16
  std::optional<DeviceTime> time;  ///< how long a core takes; without it, as long as the CPU needs to calculate it
};

/// Whether the descriptor lists weights that compile_for_sim() can start from.
bool lists_network_for_sim(const ModelSpec& spec);
/// Whether some of them are on this machine, by their size; damaged counts.
bool has_network_for_sim(const ModelSpec& spec);

/// Writes MODEL-sim-bN.neff for each batch size into `folder` (made if missing), then neuron-sim.json, the descriptor
/// that lists them, and returns its path. The files get their names when all are complete, the descriptor last: what
/// fails leaves the folder as it was.
/// `spec`: at the resolution wanted, with weights that OpenVINO reads (ONNX in builds with OpenCV only);
/// source_weights() chooses. Runs the network once, to learn the shapes of its outputs. kModel: no such weights, or a
/// network that cannot be run. kOutput.
Result<std::filesystem::path> compile_for_sim(const ModelSpec& spec, const SimCompileOptions& options,
                                              const std::filesystem::path& folder);

}  // namespace posecam
