#pragma once
// What decoder sections of several families have in common.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "models/spec/json_reader.h"
#include "postprocess/decode/decoder.h"

namespace posecam {

/// Channels of one output, from `first` on: of maps dimension 1 of NCHW, of a list its values.
struct ChannelRange {
  std::string output;
  int first = 0;
};

/// The name of an output under the key "output". A decoder names outputs by that key only, anywhere in its section:
/// `posecam compile` renames them there.
std::string read_output(const JsonNode& node, std::span<const std::string> outputs);

/// {"output": NAME} under `key`.
std::string read_named(const JsonNode& section, std::string_view key, std::span<const std::string> outputs);

/// {"output": NAME, "first": CHANNEL}.
ChannelRange read_range(const JsonNode& node, std::span<const std::string> outputs);

/// An optional number from 0 to 1; `value` keeps its default without it.
void read_share(const JsonNode& section, std::string_view key, float& value);

/// An optional whole number from 1 to 1000.
void read_count(const JsonNode& section, std::string_view key, int& value);

/// For each label id of the model whether it is told: those that the user wants, without numbers that name nothing.
std::vector<std::uint8_t> wanted_labels(const ModelSpec& spec, const DecodeOptions& options);

}  // namespace posecam
