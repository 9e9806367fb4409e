#pragma once
// Operators that OpenVINO's readers refuse and whose work posecam does itself, behind the network.

#include <openvino/core/model.hpp>
#include <openvino/runtime/core.hpp>

#include "models/core/result.h"

namespace posecam {

/// Has `core` read networks with TFLite_Detection_PostProcess, the operator that ends SSDs of TensorFlow Lite: it
/// becomes a layer that cannot run, so the network must be cut in front of it (openvino_ends.h).
void read_unknown_operators(ov::Core& core);

/// kModel if such a layer is left in a network, with the names of the tensors to end at.
Result<void> check_operators(const ov::Model& network);

}  // namespace posecam
