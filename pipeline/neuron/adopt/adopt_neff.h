#pragma once
// NEFFs that somebody else compiled (torch_neuronx.trace and the like), taken in with a descriptor.

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "models/core/result.h"
#include "models/spec/model_spec.h"
#include "pipeline/neuron/adopt/output_names.h"

namespace posecam {

/// What the user says of them.
struct AdoptOptions {
  std::map<std::uint32_t, std::filesystem::path> neffs;  ///< by batch; at least one
  std::map<std::string, std::string> said;               ///< as said_names() takes it
  std::string target;  ///< what they are compiled for; empty: "sim" if they are the simulator's, else this machine
};

/// What became of them.
struct Adopted {
  std::filesystem::path descriptor;
  std::string target;
  std::vector<NeffTensor> tensors;  ///< of the smallest batch; empty where no runtime could tell
  std::string untold;               ///< why not
  OutputNames outputs;              ///< all of the spec's
};

/// Checks headers and, where a runtime is there, tensors; copies the files into `folder` (made if missing) as
/// MODEL-TARGET-bN.neff and writes neuron-TARGET.json there, all or nothing. `spec`: the model that was compiled, at
/// the resolution that it was compiled for. kUsage: what the user must say (AdoptOptions); kModel: a file that is no
/// such NEFF; kOutput.
Result<Adopted> adopt_neffs(const ModelSpec& spec, const AdoptOptions& options, const std::filesystem::path& folder);

}  // namespace posecam
