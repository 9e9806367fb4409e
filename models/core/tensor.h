#pragma once
// Tensors as the project passes them around: borrowed bytes with a dtype and a shape, dense, row-major.

#include <array>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

namespace posecam {

/// Types of elements; bf16 is the upper half of an f32.
enum class DType : std::uint8_t { kU8, kI32, kBf16, kF16, kF32 };

/// Bytes of one element.
constexpr std::size_t size_of(DType type) {
  switch (type) {
    case DType::kU8: return 1;
    case DType::kBf16:
    case DType::kF16: return 2;
    case DType::kI32:
    case DType::kF32: return 4;
  }
  return 0;
}

/// "u8", "i32", "bf16", "f16", "f32": the spellings of the model descriptors.
std::string_view to_string(DType type);

/// Dimensions, outermost first. At most kMaxRank of them; a value type without allocation.
class Shape {
 public:
  static constexpr std::size_t kMaxRank = 6;  ///< no network here has more

  Shape() = default;
  Shape(std::initializer_list<std::int64_t> dims) : Shape(std::span(dims.begin(), dims.size())) {}
  explicit Shape(std::span<const std::int64_t> dims) : rank_(dims.size()) {
    assert(dims.size() <= kMaxRank);
    for (std::size_t i = 0; i < dims.size(); ++i) dims_[i] = dims[i];
  }

  std::size_t rank() const { return rank_; }  ///< number of dimensions
  std::int64_t operator[](std::size_t i) const {
    assert(i < rank_);
    return dims_[i];
  }
  std::int64_t& operator[](std::size_t i) {
    assert(i < rank_);
    return dims_[i];
  }
  /// Product of the dimensions; 1 for a scalar, 0 if any dimension is 0.
  std::size_t elements() const {
    std::size_t n = 1;
    for (std::size_t i = 0; i < rank_; ++i) n *= static_cast<std::size_t>(dims_[i]);
    return n;
  }
  friend bool operator==(const Shape&, const Shape&) = default;

 private:
  std::array<std::int64_t, kMaxRank> dims_{};
  std::size_t rank_ = 0;
};

/// "1x19x32x57".
std::string to_string(const Shape& shape);

/// Borrowed, read-only. Valid only as long as its owner says (a Slot's output: until the slot's next run).
struct TensorView {
  const std::byte* data = nullptr;
  DType dtype = DType::kF32;
  Shape shape;

  std::size_t bytes() const { return shape.elements() * size_of(dtype); }  ///< of all elements

  /// All elements in row-major order. T is as large as the dtype (assert); that it is the same type is up to the
  /// caller.
  template <class T>
  std::span<const T> as() const {
    assert(sizeof(T) == size_of(dtype));
    return {reinterpret_cast<const T*>(data), shape.elements()};
  }

  /// Row `n` of the outermost dimension (the batch), with that dimension kept as 1.
  TensorView row(std::size_t n) const {
    TensorView view = *this;
    view.shape[0] = 1;
    view.data = data + n * view.bytes();
    return view;
  }
};

/// Borrowed and writable.
struct MutableTensorView {
  std::byte* data = nullptr;
  DType dtype = DType::kF32;
  Shape shape;

  std::size_t bytes() const { return shape.elements() * size_of(dtype); }  ///< of all elements

  /// As TensorView::as.
  template <class T>
  std::span<T> as() const {
    assert(sizeof(T) == size_of(dtype));
    return {reinterpret_cast<T*>(data), shape.elements()};
  }

  /// As TensorView::row.
  MutableTensorView row(std::size_t n) const {
    MutableTensorView view = *this;
    view.shape[0] = 1;
    view.data = data + n * view.bytes();
    return view;
  }

  /// The same for those who only read.
  operator TensorView() const { return {data, dtype, shape}; }  // NOLINT(google-explicit-constructor)
};

}  // namespace posecam
