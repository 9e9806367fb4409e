#pragma once
// What a NEFF for the simulator holds: a network (ONNX, or OpenVINO's IR) and sim.json, which says what its tensors are
// once compiled. `posecam compile --target sim` writes these, the simulator reads them.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "models/core/result.h"
#include "models/core/tensor.h"
#include "pipeline/neuron/neff/device_time.h"
#include "pipeline/neuron/neff/neff.h"

namespace posecam {

constexpr std::string_view kSimProgramMember = "sim.json";  ///< its name in the archive

/// A tensor of the compiled network: fixed shape with the batch outermost; f32, f16, bf16 or u8.
struct SimTensorSpec {
  std::string name;
  DType dtype = DType::kF32;
  Shape shape;

  std::size_t bytes() const { return shape.elements() * size_of(dtype); }  ///< of all rows
  friend bool operator==(const SimTensorSpec&, const SimTensorSpec&) = default;
};

/// What sim.json says.
struct SimProgram {
  /// The member that holds it; data outside the file is not supported. That of an IR ends in ".xml", and its constants
  /// are the member of the same name that ends in ".bin".
  std::string network = "network.onnx";
  std::vector<SimTensorSpec> inputs;   ///< 1 to 64, as the outputs
  std::vector<SimTensorSpec> outputs;  ///< names differ from each other and from those of inputs
  std::uint32_t batch = 1;             ///< rows of every tensor
  std::uint32_t cores = 1;             ///< neighbouring cores that one copy occupies
  std::optional<DeviceTime> time;  ///< of a core for `batch` rows; needed for timed mode unless the simulator is told

  friend bool operator==(const SimProgram&, const SimProgram&) = default;
};

/// sim.json as text. kModel; the message starts with "sim.json".
Result<SimProgram> read_sim_program(std::string_view text);
/// Checks as reading does; equal programs give equal texts.
Result<std::string> write_sim_program(const SimProgram& program);

/// Borrowed bytes of a network: ONNX, or IR with its constants.
struct SimNetwork {
  std::span<const std::byte> graph;
  std::span<const std::byte> constants{};  ///< IR only
};

/// A NEFF of the program and its network. `name` (at most 255 bytes) goes into the header.
Result<std::vector<std::byte>> write_sim_neff(const SimProgram& program, const SimNetwork& network,
                                              std::string_view name);

/// A NEFF for the simulator, unpacked.
struct SimNeff {
  NeffHeader header;
  SimProgram program;
  std::vector<std::byte> graph{};      ///< ONNX, or the XML of an IR
  std::vector<std::byte> constants{};  ///< of an IR

  SimNetwork network() const { return {graph, constants}; }  ///< valid as long as this
};
/// kModel, also for a NEFF that was compiled for real hardware.
Result<SimNeff> read_sim_neff(std::span<const std::byte> file);

}  // namespace posecam
