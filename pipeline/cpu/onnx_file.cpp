#include "pipeline/cpu/onnx_file.h"

#include <algorithm>
#include <cstdint>
#include <optional>

namespace posecam {
namespace {

constexpr int kMostNested = 64;  // graphs within graphs; protobuf itself stops at 100 messages
constexpr std::uint64_t kExternal = 1;

enum class Message : std::uint8_t { kModel, kTraining, kFunction, kGraph, kNode, kAttribute, kTensor, kSparse, kEntry };

/// The messages on the way to tensors; field numbers: onnx/onnx.proto3 of the ONNX project, IR version 8.
struct Child {
  Message parent;
  std::uint64_t field;
  Message kind;
};
constexpr Child kChildren[] = {{Message::kModel, 7, Message::kGraph},       {Message::kModel, 20, Message::kTraining},
                               {Message::kModel, 25, Message::kFunction},   {Message::kTraining, 1, Message::kGraph},
                               {Message::kTraining, 2, Message::kGraph},    {Message::kFunction, 7, Message::kNode},
                               {Message::kGraph, 1, Message::kNode},        {Message::kGraph, 5, Message::kTensor},
                               {Message::kGraph, 15, Message::kSparse},     {Message::kNode, 5, Message::kAttribute},
                               {Message::kAttribute, 5, Message::kTensor},  {Message::kAttribute, 6, Message::kGraph},
                               {Message::kAttribute, 10, Message::kTensor}, {Message::kAttribute, 11, Message::kGraph},
                               {Message::kAttribute, 22, Message::kSparse}, {Message::kAttribute, 23, Message::kSparse},
                               {Message::kSparse, 1, Message::kTensor},     {Message::kSparse, 2, Message::kTensor},
                               {Message::kTensor, 13, Message::kEntry}};
constexpr std::uint64_t kDataLocation = 14;  // of a tensor
constexpr std::uint64_t kKey = 1;            // of an entry
constexpr std::uint64_t kValue = 2;

struct Field {
  std::uint64_t number = 0;
  std::uint64_t value = 0;  ///< of a varint
  std::string_view bytes;   ///< of all that has a length
};

std::optional<std::uint64_t> take_varint(std::string_view& text) {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64 && !text.empty(); shift += 7) {
    const auto byte = static_cast<std::uint8_t>(text.front());
    text.remove_prefix(1);
    value |= std::uint64_t{byte & 0x7FU} << shift;
    if (byte < 0x80) return value;
  }
  return {};
}

bool take_bytes(std::string_view& text, std::uint64_t size, std::string_view& out) {
  if (size > text.size()) return false;
  out = text.substr(0, size);
  text.remove_prefix(size);
  return true;
}

/// protobuf.dev/programming-guides/encoding
bool take_field(std::string_view& text, Field& field) {
  const auto tag = take_varint(text);
  if (!tag) return false;
  field = {*tag >> 3U, 0, {}};
  std::optional<std::uint64_t> number;
  switch (*tag & 7U) {
    case 0:
      number = take_varint(text);
      field.value = number.value_or(0);
      return number.has_value();
    case 1: return take_bytes(text, 8, field.bytes);
    case 2: number = take_varint(text); return number && take_bytes(text, *number, field.bytes);
    case 5: return take_bytes(text, 4, field.bytes);
    default: return false;  // groups: ONNX has none
  }
}

class Walk {
 public:
  bool message(Message kind, std::string_view text, int depth) {
    if (depth > kMostNested) return false;
    bool external = false;
    std::string_view key;
    std::string_view value;
    for (Field field; !text.empty();) {
      if (!take_field(text, field)) return false;
      if (kind == Message::kTensor && field.number == kDataLocation) external = field.value == kExternal;
      if (kind == Message::kEntry && field.number == kKey) key = field.bytes;
      if (kind == Message::kEntry && field.number == kValue) value = field.bytes;
      const auto* const child =
          std::ranges::find_if(kChildren, [&](const Child& c) { return c.parent == kind && c.field == field.number; });
      if (child != std::end(kChildren) && !message(child->kind, field.bytes, depth + 1)) return false;
    }
    if (key == "location") add(std::string(value));
    if (external && files_.empty()) add("?");
    return true;
  }

  std::vector<std::string> take() { return std::move(files_); }

 private:
  void add(std::string file) {
    if (std::ranges::find(files_, file) == files_.end()) files_.push_back(std::move(file));
  }

  std::vector<std::string> files_;
};

}  // namespace

Result<std::vector<std::string>> external_data(std::string_view onnx) {
  Walk walk;
  if (onnx.empty() || !walk.message(Message::kModel, onnx, 0)) return Error{Errc::kModel, "damaged, or no ONNX"};
  return walk.take();
}

}  // namespace posecam
