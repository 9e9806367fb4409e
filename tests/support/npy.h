#pragma once
// Reads the .npy files of recorded tensors: format version 1, little-endian float32, C order. That is all NumPy wrote.

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

#include "models/core/tensor.h"

namespace posecam::test {

struct NpyArray {
  Shape shape;
  std::vector<float> values;

  /// The array as a tensor of one batch row: 1 x shape.
  TensorView as_row() const {
    std::vector<std::int64_t> dims{1};
    for (std::size_t i = 0; i < shape.rank(); ++i) dims.push_back(shape[i]);
    return {reinterpret_cast<const std::byte*>(values.data()), DType::kF32, Shape(dims)};
  }
};

/// Throws std::runtime_error with the path when the file is not such an array: a test that cannot read its data fails.
inline NpyArray read_npy(const std::filesystem::path& path) {
  const auto fail = [&path](const char* why) { return std::runtime_error(path.string() + ": " + why); };
  std::ifstream file(path, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  constexpr std::size_t kPreamble = 10;  // magic, version, length of the header
  if (bytes.size() < kPreamble || bytes.compare(0, 8, std::string("\x93NUMPY\x01\x00", 8)) != 0) {
    throw fail("not a .npy file of version 1");
  }
  const auto low = static_cast<unsigned char>(bytes[8]);
  const auto high = static_cast<unsigned char>(bytes[9]);
  const std::size_t data = kPreamble + low + 256U * high;
  const std::string header = bytes.substr(kPreamble, data - kPreamble);
  if (header.find("'<f4'") == std::string::npos) throw fail("dtype is not little-endian float32");
  if (header.find("'fortran_order': False") == std::string::npos) throw fail("not in C order");

  std::vector<std::int64_t> dims;
  const std::size_t open = header.find('(');
  const std::size_t close = header.find(')', open);
  for (std::size_t at = open + 1; at < close;) {
    std::size_t used = 0;
    dims.push_back(std::stoll(header.substr(at, close - at), &used));
    at = std::min(close, header.find_first_of("0123456789", at + used));
  }
  NpyArray array;
  array.shape = Shape(dims);
  array.values.resize(array.shape.elements());
  if (bytes.size() != data + array.values.size() * sizeof(float)) throw fail("size does not match its shape");
  std::memcpy(array.values.data(), bytes.data() + data, array.values.size() * sizeof(float));
  return array;
}

}  // namespace posecam::test
