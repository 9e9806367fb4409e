#pragma once
// The networks that `posecam compile` left in the user's store: <store>/<model>/neuron-<target>.json, a whole
// descriptor with the compiled files beside it.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "models/core/result.h"
#include "models/spec/model_spec.h"

namespace posecam {

/// Whether a device runs what was compiled for a target: "sim" on neuron-sim (and on neuron if POSECAM_NRT_LIBRARY
/// names a library), all others on neuron, if `product`, EC2's name of the machine, is of that family, of one
/// with the same cores (inf2 and trn1: NeuronCore-v2), or says nothing.
bool runs_target(std::string_view device, std::string_view target, std::string_view product);

/// What a model is compiled for, of the targets that a device of this machine runs. Sorted.
std::vector<std::string> compiled_targets(std::string_view model, std::string_view device);

/// The compiled descriptor of a model for the device: `original` itself if it is one, else what the store has under its
/// name. Of several targets the one of this EC2 instance. kModel: there is none, with the command that makes it.
Result<ModelSpec> find_compiled(const ModelSpec& original, std::string_view device);

/// Sets the batch to the largest compiled size that `asked` rows allow (0: the largest of all). Without
/// `dynamic_batch_size` it must be a compiled size. kUsage.
Result<void> choose_batch(ModelSpec& compiled, std::uint32_t asked, bool dynamic_batch_size);

}  // namespace posecam
