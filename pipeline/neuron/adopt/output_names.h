#pragma once
// Which tensor of a NEFF is which output of a model: as the user says, by name, or by shape.

#include <map>
#include <string>
#include <vector>

#include "models/core/result.h"
#include "models/spec/model_spec.h"
#include "pipeline/neuron/runtime/tensor_info.h"

namespace posecam {

/// The NEFF's names by those of the spec.
using OutputNames = std::map<std::string, std::string>;

/// What the user says: a NEFF's tensor and what it is, an output of the spec or the part of the decoder that reads it
/// ("heatmaps", "pafs"). kUsage: no such part, or one thing said twice.
Result<OutputNames> said_names(const ModelSpec& spec, const std::map<std::string, std::string>& said);

/// All outputs of the spec. What is not in `said` is found by name, else by shape: the only way to give the decoder
/// tensors that it takes. kUsage where there are several (the message is what to say), kModel where there is none.
Result<OutputNames> matched_names(const ModelSpec& spec, const OutputNames& said,
                                  const std::vector<NeffTensor>& tensors);

/// The same where nobody can tell the tensors: a lone output is called as torch_neuronx calls it. kUsage.
Result<OutputNames> assumed_names(const ModelSpec& spec, const OutputNames& said);

/// What the decoder calls this output of the spec ("heatmaps"), else its own name.
std::string role_of(const ModelSpec& spec, const std::string& output);

}  // namespace posecam
