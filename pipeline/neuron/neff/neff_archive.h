#pragma once
// The payload of a NEFF: a tar compressed with gzip (or left as it is), in memory.

#include <cstddef>
#include <span>
#include <vector>

#include "models/core/result.h"
#include "pipeline/neuron/neff/neff.h"

namespace posecam {

/// Regular files and folders only; names are relative and stay inside. `max_bytes` bounds all contents together, also
/// of the members that are not wanted and are left out.
Result<std::vector<NeffMember>> read_neff_archive(std::span<const std::byte> archive, std::size_t max_bytes,
                                                  const NeffNames& wanted = {});

/// Carries neither times nor users: equal members give equal bytes.
Result<std::vector<std::byte>> write_neff_archive(std::span<const NeffMember> members);

}  // namespace posecam
