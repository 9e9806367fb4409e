#pragma once
// Element types of libnrt, which were numbered anew with runtime 2.30.

#include <cstddef>
#include <cstdint>
#include <optional>

#include "models/core/tensor.h"
#include "pipeline/neuron/nrt/nrt_abi.h"

namespace posecam {

/// The type that `value` means to a runtime 2.`minor`, if it fits `elements` in `bytes`; else what it means in the
/// other numbering, if that fits. Nothing for UNKNOWN (the runtime does not know the type of every tensor) and where
/// the one that fits is a type that this program does not feed or read.
std::optional<DType> dtype_of(nrt_dtype_t value, std::uint64_t minor, std::size_t elements, std::size_t bytes);

}  // namespace posecam
