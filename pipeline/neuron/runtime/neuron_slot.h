#pragma once
// One in-flight place on a core.

#include <memory>

#include "models/core/result.h"
#include "models/spec/model_spec.h"
#include "pipeline/backend/backend.h"
#include "pipeline/neuron/runtime/neuron_lanes.h"

namespace posecam {

/// A slot on the core of `lanes`, which are the slot's alone. `spec.input.batch`: the largest of the copy's sizes. With
/// `short_batches` false a run with fewer rows is refused (kBadInput). Within a NeuronRuntime::Use. kModel.
Result<std::unique_ptr<Slot>> make_neuron_slot(std::shared_ptr<NeuronLanes> lanes, const ModelSpec& spec,
                                               bool short_batches);

}  // namespace posecam
