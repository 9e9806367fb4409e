#pragma once
// Networks that say more than OnnxWriter can: one input "image" and one output "mean" of 1x3x16x24.

#include <string>
#include <string_view>
#include <utility>

#include "models/make/onnx_writer.h"

namespace posecam::test {

// Field numbers: onnx/onnx.proto3, IR version 8.

inline ProtoMessage onnx_port(std::string_view name, std::uint64_t type, std::initializer_list<std::uint64_t> dims) {
  ProtoMessage shape;
  for (const std::uint64_t dim : dims) shape.message(1, ProtoMessage().integer(1, dim));
  return ProtoMessage().bytes(1, name).message(
      2, ProtoMessage().message(1, ProtoMessage().integer(1, type).message(2, shape)));
}

inline ProtoMessage onnx_node(std::string_view op, std::initializer_list<std::string_view> inputs,
                              std::string_view output) {
  ProtoMessage node;
  for (const std::string_view input : inputs) node.bytes(1, input);
  return node.bytes(2, output).bytes(4, op);
}

inline std::string onnx_file(ProtoMessage graph) {
  graph.bytes(2, "g")
      .message(11, onnx_port("image", 1, {1, 3, 16, 24}))
      .message(12, onnx_port("mean", 1, {1, 3, 16, 24}));
  ProtoMessage model;
  model.integer(1, 8).message(7, graph).message(8, ProtoMessage().integer(2, 13));
  return std::move(model).text();
}

/// Adds a constant of one f32 that lies in the file `where`.
inline std::string onnx_with_data_in(std::string_view where) {
  ProtoMessage constant;
  constant.integer(1, 1).integer(2, 1).bytes(8, "w");
  constant.message(13, ProtoMessage().bytes(1, "location").bytes(2, where)).integer(14, 1);
  return onnx_file(ProtoMessage().message(1, onnx_node("Add", {"image", "w"}, "mean")).message(5, constant));
}

/// Doubles the image, `rounds` times.
inline std::string onnx_loop(std::uint64_t rounds) {
  const std::string little(reinterpret_cast<const char*>(&rounds), sizeof rounds);
  ProtoMessage body;
  body.message(1, onnx_node("Identity", {"on"}, "still")).message(1, onnx_node("Add", {"x", "x"}, "twice"));
  body.bytes(2, "body").message(11, onnx_port("i", 7, {})).message(11, onnx_port("on", 9, {}));
  body.message(11, onnx_port("x", 1, {1, 3, 16, 24})).message(12, onnx_port("still", 9, {}));
  body.message(12, onnx_port("twice", 1, {1, 3, 16, 24}));
  ProtoMessage loop = onnx_node("Loop", {"rounds", "yes", "image"}, "mean");
  loop.message(5, ProtoMessage().bytes(1, "body").message(6, body).integer(20, 5));
  ProtoMessage graph;
  graph.message(1, loop);
  graph.message(5, ProtoMessage().integer(2, 7).bytes(8, "rounds").bytes(9, little));
  graph.message(5, ProtoMessage().integer(2, 9).bytes(8, "yes").bytes(9, std::string_view("\1", 1)));
  return onnx_file(std::move(graph));
}

}  // namespace posecam::test
