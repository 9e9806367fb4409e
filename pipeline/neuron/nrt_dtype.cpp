#include "pipeline/neuron/nrt_dtype.h"

namespace posecam {
namespace {

constexpr std::uint64_t kRenumberedIn = 30;

std::optional<DType> in_old_numbering(nrt_dtype_t value) {
  switch (value) {
    case NRT_DTYPE_V1_FLOAT32: return DType::kF32;
    case NRT_DTYPE_V1_FLOAT16: return DType::kF16;
    case NRT_DTYPE_V1_BFLOAT16: return DType::kBf16;
    case NRT_DTYPE_V1_UINT8: return DType::kU8;
    case NRT_DTYPE_V1_INT32: return DType::kI32;
    default: return {};
  }
}

std::optional<DType> in_new_numbering(nrt_dtype_t value) {
  switch (value) {
    case NRT_DTYPE_V2_FLOAT32:
    case NRT_DTYPE_V2_FP32R: return DType::kF32;
    case NRT_DTYPE_V2_FLOAT16: return DType::kF16;
    case NRT_DTYPE_V2_BFLOAT16: return DType::kBf16;
    case NRT_DTYPE_V2_UINT8: return DType::kU8;
    case NRT_DTYPE_V2_INT32: return DType::kI32;
    default: return {};
  }
}

}  // namespace

std::optional<DType> dtype_of(nrt_dtype_t value, std::uint64_t minor, std::size_t elements, std::size_t bytes) {
  const auto fits = [&](std::optional<DType> type) { return type && elements * size_of(*type) == bytes; };
  const auto old = in_old_numbering(value);
  const auto renumbered = in_new_numbering(value);
  const auto& likely = minor >= kRenumberedIn ? renumbered : old;
  const auto& other = minor >= kRenumberedIn ? old : renumbered;
  if (fits(likely)) return likely;
  if (fits(other)) return other;
  return {};
}

}  // namespace posecam
