#pragma once
// The tensors of a NEFF as a runtime tells them.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "models/core/result.h"
#include "models/core/tensor.h"
#include "pipeline/neuron/neff/neff_file.h"
#include "pipeline/neuron/nrt/nrt_abi.h"

namespace posecam {

/// Valid as long as `info`.
std::string_view name_of(const nrt_tensor_info_t& info);
/// Nothing where it has none that can be used: no dimensions, too many, or one that is 0 or beyond 2^30.
std::optional<Shape> shape_of(const nrt_tensor_info_t& info);

/// An input or an output of a NEFF.
struct NeffTensor {
  std::string name;            ///< as the runtime has it
  bool is_input = false;       ///< else an output
  Shape shape;                 ///< batch outermost
  std::optional<DType> dtype;  ///< where the runtime says it, and it is one that we feed or read
};

/// "output0 1x19x32x57 f32".
std::string to_string(const NeffTensor& tensor);

/// Loads the file on the first cores of the device, or of what the environment leaves to this process, asks, and
/// unloads it. Blocks for as long as the device takes. kDevice: no runtime, or no core to be had; kModel: what the
/// runtime says to the file.
Result<std::vector<NeffTensor>> tensors_of(const NeffFile& file, std::string_view device);

}  // namespace posecam
