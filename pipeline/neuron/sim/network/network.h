#pragma once
// The true calculation of a network, one row at a time: what a row gives cannot depend on its batch, core or
// neighbours.

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

#include "models/core/result.h"
#include "pipeline/neuron/neff/sim_program.h"

namespace posecam::sim {

/// Thread-safe; the same input gives the same bits.
class Network {
 public:
  virtual ~Network() = default;
  /// f32 of one row of each input and output, in the order of the program. kDevice.
  virtual Result<void> run(std::span<const std::span<const float>> inputs,
                           std::span<const std::span<float>> outputs) = 0;
};

/// A row of the tensor: its shape with batch 1.
Shape row_shape(const SimTensorSpec& tensor);

/// "OpenVINO" or "OpenCV": which of them computes in this build.
std::string_view network_library();

/// With OpenVINO where the simulator was built with it, else with OpenCV. kModel if the network cannot be read (OpenCV
/// reads no IR) or does not have the program's tensors.
Result<std::unique_ptr<Network>> make_network(const SimNetwork& network, const SimProgram& program);

}  // namespace posecam::sim
