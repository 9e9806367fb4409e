#include "pipeline/neuron/nrt/nrt_dtype.h"

namespace posecam {
namespace {

constexpr std::uint64_t kRenumberedIn = 30;

/// What a number stands for: how long an element is (0: no such type), and the type if this program has it.
struct Meaning {
  std::size_t size = 0;
  std::optional<DType> type{};
};

Meaning known(DType type) { return {size_of(type), type}; }

Meaning in_old_numbering(nrt_dtype_t value) {
  switch (value) {
    case NRT_DTYPE_V1_FLOAT32: return known(DType::kF32);
    case NRT_DTYPE_V1_FLOAT16: return known(DType::kF16);
    case NRT_DTYPE_V1_BFLOAT16: return known(DType::kBf16);
    case NRT_DTYPE_V1_UINT8: return known(DType::kU8);
    case NRT_DTYPE_V1_INT32: return known(DType::kI32);
    case NRT_DTYPE_V1_INT8: return {1};
    case NRT_DTYPE_V1_INT16:
    case NRT_DTYPE_V1_UINT16: return {2};
    case NRT_DTYPE_V1_UINT32: return {4};
    case NRT_DTYPE_V1_INT64:
    case NRT_DTYPE_V1_UINT64: return {8};
    default: return {};
  }
}

Meaning in_new_numbering(nrt_dtype_t value) {
  switch (value) {
    case NRT_DTYPE_V2_FLOAT32:
    case NRT_DTYPE_V2_FP32R: return known(DType::kF32);
    case NRT_DTYPE_V2_FLOAT16: return known(DType::kF16);
    case NRT_DTYPE_V2_BFLOAT16: return known(DType::kBf16);
    case NRT_DTYPE_V2_UINT8: return known(DType::kU8);
    case NRT_DTYPE_V2_INT32: return known(DType::kI32);
    case NRT_DTYPE_V2_INT8:
    case NRT_DTYPE_V2_FP8_E3:
    case NRT_DTYPE_V2_FP8_E4:
    case NRT_DTYPE_V2_FP8_E5: return {1};
    case NRT_DTYPE_V2_INT16:
    case NRT_DTYPE_V2_UINT16: return {2};
    case NRT_DTYPE_V2_UINT32: return {4};
    case NRT_DTYPE_V2_INT64:
    case NRT_DTYPE_V2_UINT64: return {8};
    default: return {};
  }
}

}  // namespace

std::optional<DType> dtype_of(nrt_dtype_t value, std::uint64_t minor, std::size_t elements, std::size_t bytes) {
  const auto fits = [&](const Meaning& meaning) { return meaning.size > 0 && elements * meaning.size == bytes; };
  const Meaning old = in_old_numbering(value);
  const Meaning renumbered = in_new_numbering(value);
  const Meaning& likely = minor >= kRenumberedIn ? renumbered : old;
  const Meaning& other = minor >= kRenumberedIn ? old : renumbered;
  // A type that is not ours but fits, like int16, is that type: the other numbering would make a bf16 of it.
  if (fits(likely)) return likely.type;
  if (fits(other)) return other.type;
  return {};
}

}  // namespace posecam
