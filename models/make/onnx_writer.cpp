#include "models/make/onnx_writer.h"

#include <bit>
#include <cstring>

namespace posecam {
namespace {

static_assert(std::endian::native == std::endian::little, "raw_data of ONNX is little endian");

enum WireType : std::uint8_t { kVarint = 0, kLength = 2, kFixed32 = 5 };

constexpr std::uint64_t kFloat = 1;  // TensorProto.DataType and AttributeProto.AttributeType both call it so
constexpr std::uint64_t kInt = 2;
constexpr std::uint64_t kInts = 7;
constexpr std::uint64_t kInt64 = 7;  // of TensorProto.DataType
constexpr std::uint64_t kIrVersion = 8;
constexpr std::uint64_t kOpset = 13;

ProtoMessage attribute_proto(const OnnxWriter::Attribute& attribute) {
  ProtoMessage proto;
  proto.bytes(1, attribute.name);
  if (const auto* real = std::get_if<float>(&attribute.value)) {
    proto.real(2, *real).integer(20, kFloat);
  } else if (const auto* integer = std::get_if<std::int64_t>(&attribute.value)) {
    proto.integer(3, static_cast<std::uint64_t>(*integer)).integer(20, kInt);
  } else {
    for (const std::int64_t value : std::get<std::vector<std::int64_t>>(attribute.value)) {
      proto.integer(8, static_cast<std::uint64_t>(value));
    }
    proto.integer(20, kInts);
  }
  return proto;
}

/// ValueInfoProto: f32, batch x shape.
ProtoMessage value_info(std::string_view name, std::span<const std::int64_t> shape) {
  ProtoMessage dimensions;
  dimensions.message(1, ProtoMessage().bytes(2, "batch"));
  for (const std::int64_t extent : shape) {
    dimensions.message(1, ProtoMessage().integer(1, static_cast<std::uint64_t>(extent)));
  }
  const ProtoMessage tensor = ProtoMessage().integer(1, kFloat).message(2, dimensions);
  return ProtoMessage().bytes(1, name).message(2, ProtoMessage().message(1, tensor));
}

}  // namespace

void ProtoMessage::varint(std::uint64_t value) {
  constexpr std::uint64_t kMore = 0x80;
  for (; value >= kMore; value >>= 7U) text_ += static_cast<char>((value & 0x7FU) | kMore);
  text_ += static_cast<char>(value);
}

ProtoMessage& ProtoMessage::integer(std::uint32_t field, std::uint64_t value) {
  varint(field << 3U | kVarint);
  varint(value);
  return *this;
}

ProtoMessage& ProtoMessage::real(std::uint32_t field, float value) {
  varint(field << 3U | kFixed32);
  char raw[sizeof value];
  std::memcpy(raw, &value, sizeof raw);
  text_.append(raw, sizeof raw);
  return *this;
}

ProtoMessage& ProtoMessage::bytes(std::uint32_t field, std::string_view value) {
  varint(field << 3U | kLength);
  varint(value.size());
  text_ += value;
  return *this;
}

ProtoMessage& ProtoMessage::message(std::uint32_t field, std::initializer_list<const ProtoMessage*> parts) {
  std::size_t size = 0;
  for (const ProtoMessage* part : parts) size += part->text_.size();
  varint(field << 3U | kLength);
  varint(size);
  text_.reserve(text_.size() + size);
  for (const ProtoMessage* part : parts) text_ += part->text_;
  return *this;
}

void OnnxWriter::constant(std::string_view name, std::span<const std::int64_t> shape, std::span<const float> values) {
  ProtoMessage tensor;
  for (const std::int64_t extent : shape) tensor.integer(1, static_cast<std::uint64_t>(extent));
  tensor.integer(2, kFloat).bytes(8, name);
  tensor.bytes(9, {reinterpret_cast<const char*>(values.data()), values.size_bytes()});
  constants_.message(5, tensor);
}

void OnnxWriter::integers(std::string_view name, std::span<const std::int64_t> values) {
  ProtoMessage tensor;
  tensor.integer(1, values.size()).integer(2, kInt64).bytes(8, name);
  tensor.bytes(9, {reinterpret_cast<const char*>(values.data()), values.size_bytes()});
  constants_.message(5, tensor);
}

void OnnxWriter::node(std::string_view op, std::string_view name, std::span<const std::string> inputs,
                      std::span<const Attribute> attributes) {
  ProtoMessage node;
  for (const std::string& input : inputs) node.bytes(1, input);
  node.bytes(2, name).bytes(3, name).bytes(4, op);
  for (const Attribute& attribute : attributes) node.message(5, attribute_proto(attribute));
  nodes_.message(1, node);
}

std::string OnnxWriter::finish(std::string_view network, std::string_view input,
                               std::span<const std::int64_t> input_shape, std::string_view output,
                               std::span<const std::int64_t> output_shape) const {
  const ProtoMessage name = ProtoMessage().bytes(2, network);
  ProtoMessage ends;
  ends.message(11, value_info(input, input_shape)).message(12, value_info(output, output_shape));
  const ProtoMessage opset = ProtoMessage().bytes(1, "").integer(2, kOpset);
  ProtoMessage file;
  file.integer(1, kIrVersion).bytes(2, "posecam").message(7, {&nodes_, &name, &constants_, &ends}).message(8, opset);
  return std::move(file).text();
}

}  // namespace posecam
