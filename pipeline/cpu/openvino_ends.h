#pragma once
// A network between the ends that a descriptor names: it may stop before steps that posecam takes itself.

#include <memory>

#include <openvino/core/model.hpp>

#include "models/core/result.h"
#include "models/spec/model_spec.h"

namespace posecam {

/// Whether an output of `spec` is none of the network's own, so that cut_to_outputs() would cut it.
bool has_inner_outputs(const ov::Model& network, const ModelSpec& spec);

/// The network that ends where `spec` says. Its outputs may name any tensor, or a layer by its own name where it has
/// one result and that has no name; what lies behind is left out then, as a post-processing that is made for one frame.
/// A network whose own outputs are all that is named comes back as it is. kModel if it has no such input or tensor.
/// Tensors of the result have the names of `spec`.
Result<std::shared_ptr<ov::Model>> cut_to_outputs(const std::shared_ptr<ov::Model>& network, const ModelSpec& spec);

}  // namespace posecam
