#pragma once
// "all", "0-3", "0,2": which cores to use.

#include <string_view>
#include <vector>

#include "models/core/result.h"
#include "pipeline/backend/backend.h"

namespace posecam {

/// Sorted, without repeats. kUsage for any other text, an empty list, or a core that is not below `available`.
Result<std::vector<CoreId>> parse_core_list(std::string_view text, CoreId available);

}  // namespace posecam
