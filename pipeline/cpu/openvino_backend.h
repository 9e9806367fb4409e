#pragma once
// CPU at full speed: OpenVINO. A core is an execution stream; slots are infer requests that queue on the streams.

#include <filesystem>
#include <memory>
#include <string>

#include "pipeline/backend/device.h"

namespace posecam {

/// Reads IR, ONNX, TFLite or frozen TensorFlow graphs, cuts off what lies behind the spec's outputs (which may be inner
/// tensors, openvino_ends.h), reshapes to the spec's input and compiles, once for all cores.
/// Other files that the network names must be of the spec's weights, so that they were checked. Loops must have a fixed
/// number of rounds: nothing ends an inference that does not end.
/// INT8 networks run as INT8; precision says how float ones run.
/// kModel if the file or its tensors do not fit the spec, kDevice if the runtime refuses.
Result<std::unique_ptr<InferenceBackend>> make_openvino_backend(const ModelSpec& spec,
                                                                const std::filesystem::path& weights,
                                                                const BackendOptions& options);
/// Whether the network can be read and has no such loops, for those who read it with something that crashes. kModel.
Result<void> check_openvino_reads(const std::filesystem::path& weights);
/// A network in OpenVINO's own format (IR).
struct OpenVinoIr {
  std::string graph;      ///< the XML
  std::string constants;  ///< what goes into the .bin
};
/// Whatever make_openvino_backend() reads, as IR, at the sizes that it was exported with, ending at the spec's outputs.
/// kModel.
Result<OpenVinoIr> as_openvino_ir(const std::filesystem::path& weights, const ModelSpec& spec);
/// Whether the spec names outputs that the network has inside only. kModel if it cannot be read.
Result<bool> has_inner_outputs(const std::filesystem::path& weights, const ModelSpec& spec);
/// Loads OpenVINO's CPU plugin. Not available if that fails; the description is the reason then.
DeviceInfo describe_openvino(CoreId cores);

}  // namespace posecam
