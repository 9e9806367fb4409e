#pragma once
// One run of a loaded model: from the tensors of one set to those of another.

#include "pipeline/neuron/sim/session.h"

namespace posecam::sim {

/// Blocks as long as a device would. `call` is the name that faults know it by.
NRT_STATUS execute(Session& session, Model& model, TensorSet& inputs, TensorSet& outputs, const char* call);

/// What moving bytes to or from a core costs in timed mode; 0 in exact mode.
Nanos transfer_time(const Session& session, std::size_t bytes);

}  // namespace posecam::sim
