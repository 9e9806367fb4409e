#pragma once
// As much of ONNX as a network of our own making needs: its graph as protobuf
// (protobuf.dev/programming-guides/encoding; field numbers: onnx/onnx.proto3 of the ONNX project, IR version 8).

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace posecam {

/// The fields of one protobuf message, in the order of the calls.
class ProtoMessage {
 public:
  ProtoMessage& integer(std::uint32_t field, std::uint64_t value);   ///< varint: int64, int32, enumerations
  ProtoMessage& real(std::uint32_t field, float value);              ///< float
  ProtoMessage& bytes(std::uint32_t field, std::string_view value);  ///< strings and blobs
  /// A message within this one.
  ProtoMessage& message(std::uint32_t field, const ProtoMessage& value) { return message(field, {&value}); }
  /// A message of the fields of all parts, one after the other.
  ProtoMessage& message(std::uint32_t field, std::initializer_list<const ProtoMessage*> parts);
  /// The bytes; the message is used up.
  std::string text() && { return std::move(text_); }

 private:
  void varint(std::uint64_t value);
  std::string text_;
};

/// One network: nodes in the order they are added, which must be one in which they can run. Opset 13.
class OnnxWriter {
 public:
  /// Of a node: FLOAT, INT or INTS.
  struct Attribute {
    std::string_view name;  ///< as the operator's specification has it
    std::variant<float, std::int64_t, std::vector<std::int64_t>> value;
  };

  /// An f32 constant.
  void constant(std::string_view name, std::span<const std::int64_t> shape, std::span<const float> values);
  /// A list of whole numbers that is constant: the shape of a Reshape.
  void integers(std::string_view name, std::span<const std::int64_t> values);
  /// A node with one output, which has its name.
  void node(std::string_view op, std::string_view name, std::span<const std::string> inputs,
            std::span<const Attribute> attributes);
  /// The whole file: one f32 input and one f32 output whose first dimension, `batch`, is free; `shape`: the others.
  std::string finish(std::string_view network, std::string_view input, std::span<const std::int64_t> input_shape,
                     std::string_view output, std::span<const std::int64_t> output_shape) const;

 private:
  ProtoMessage nodes_;
  ProtoMessage constants_;
};

}  // namespace posecam
