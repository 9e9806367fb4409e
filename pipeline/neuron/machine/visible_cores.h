#pragma once
// Which cores a process wants: NEURON_RT_VISIBLE_CORES.

#include <string_view>

#include "models/core/result.h"
#include "pipeline/neuron/machine/faults.h"

namespace posecam::sim {

/// "3", "0-3", "3,4,5", "3-5,6": increasing and contiguous. kUsage.
Result<CoreRange> parse_visible_cores(std::string_view text);

}  // namespace posecam::sim
