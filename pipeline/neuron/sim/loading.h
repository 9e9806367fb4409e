#pragma once
// From the bytes of a NEFF to a model on cores.

#include <cstddef>
#include <memory>
#include <span>

#include "pipeline/neuron/sim/session.h"

namespace posecam::sim {

/// What nrt_load returns.
struct Loaded {
  NRT_STATUS status = NRT_SUCCESS;
  std::shared_ptr<Model> model;  ///< null unless status is NRT_SUCCESS
};

/// `vnc` counts the process's cores, -1 takes those with the fewest models; `count` is -1, what the model needs, or a
/// multiple of that for several copies behind one handle.
Loaded load_model(Session& session, std::span<const std::byte> neff, std::int32_t vnc, std::int32_t count);

/// Its cores may take another one.
void unload_model(Session& session, Model& model);

}  // namespace posecam::sim
