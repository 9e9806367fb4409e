#include "models/core/tensor.h"

#include <fmt/format.h>

namespace posecam {

std::string_view to_string(DType type) {
  switch (type) {
    case DType::kU8: return "u8";
    case DType::kI32: return "i32";
    case DType::kBf16: return "bf16";
    case DType::kF16: return "f16";
    case DType::kF32: return "f32";
  }
  return "?";
}

std::string to_string(const Shape& shape) {
  std::string text;
  for (std::size_t i = 0; i < shape.rank(); ++i) {
    if (i > 0) text += 'x';
    text += fmt::to_string(shape[i]);
  }
  return text;
}

}  // namespace posecam
