#pragma once
// A network between the ends that a descriptor names: steps before and behind may be posecam's own.

#include <memory>
#include <set>

#include <openvino/core/model.hpp>

#include "models/core/result.h"
#include "models/spec/model_spec.h"

namespace posecam {

/// The inputs of the network that these tensors are calculated from; none if they are weights.
std::set<const ov::Node*> parameters_before(const ov::OutputVector& tensors);

/// Whether an end of `spec` is none of the network's own, so that cut_to_ends() would cut it.
bool has_inner_ends(const ov::Model& network, const ModelSpec& spec);

/// The network that begins and ends where `spec` says. Its input and outputs may name any tensor, or a layer by its own
/// name where it has one result; what lies before or behind is left out then, as steps that were made for one frame
/// only. A network whose own ends are all that is named comes back as it is. kModel if it has no such tensor. Tensors
/// of the result have the names of `spec`.
Result<std::shared_ptr<ov::Model>> cut_to_ends(const std::shared_ptr<ov::Model>& network, const ModelSpec& spec);

}  // namespace posecam
