#pragma once
// `posecam compile MODEL --neff BATCH=FILE`: NEFFs that somebody else compiled.

#include <filesystem>
#include <string>
#include <vector>

#include "models/core/result.h"
#include "models/spec/model_spec.h"

namespace posecam {

/// As typed: "1=graph.neff", "output0=heatmaps".
struct NeffRequest {
  std::vector<std::string> neffs;
  std::vector<std::string> map;
  std::string target;  ///< may be empty
};

/// Takes them in, and prints their tensors, the descriptor, and how to run it. `in_store`: the name of the model finds
/// it in `folder`. kUsage for what cannot be read as such, else as adopt_neffs().
Result<void> compile_neffs(const ModelSpec& spec, const NeffRequest& request, const std::filesystem::path& folder,
                           bool in_store);

}  // namespace posecam
