#pragma once
// What an ONNX file says of other files, read without a library: importers that meet what they do not expect crash.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "models/core/result.h"

namespace posecam {

inline constexpr std::size_t kMostOnnxBytes = std::size_t{2} << 30;  ///< protobuf's limit

/// The names of the files that hold tensors of the network in place of itself ("?" where it does not say), each once.
/// `onnx`: the whole file. kModel, the message is the reason only: it is no message of protobuf.
Result<std::vector<std::string>> external_data(std::string_view onnx);

}  // namespace posecam
