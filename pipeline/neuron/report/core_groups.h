#pragma once
// NEURONCORE_GROUP_SIZES, by which AWS's frameworks of the first years shared cores out among the models of a process.

#include <cstdint>
#include <string_view>
#include <vector>

#include "models/core/result.h"
#include "pipeline/backend/backend.h"

namespace posecam {

/// The cores of one model: copies of it, each on `cores` of them.
struct CoreGroup {
  std::uint32_t copies = 1;  ///< of the model
  std::uint32_t cores = 1;   ///< of one copy

  std::uint32_t total() const { return copies * cores; }
  friend bool operator==(const CoreGroup&, const CoreGroup&) = default;
};

/// "4x1": four copies on a core each; "2x1,1x2" or "3,4,1": a group a model, in the order in which models start ("3" is
/// "1x3"). Brackets and blanks are ignored. kUsage for other texts and for more than 1024 cores in all.
Result<std::vector<CoreGroup>> parse_core_groups(std::string_view text);

/// The runs of `need` neighbouring cores that fit into `cores` (ascending), each as its cores; the first ones first.
std::vector<std::vector<CoreId>> neighbours(const std::vector<CoreId>& cores, std::uint32_t need);

}  // namespace posecam
