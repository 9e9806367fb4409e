#include "postprocess/decode/section.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "models/spec/labels.h"

namespace posecam {

std::string read_output(const JsonNode& node, std::span<const std::string> outputs) {
  const JsonNode output = node.at("output");
  std::string name = output.text(1, 256);
  if (std::ranges::find(outputs, name) == outputs.end()) {
    output.mismatch(fmt::format("one of the outputs \"{}\"", fmt::join(outputs, "\", \"")));
  }
  return name;
}

std::string read_named(const JsonNode& section, std::string_view key, std::span<const std::string> outputs) {
  const JsonNode node = section.at(key);
  node.expect_keys({"output"});
  return read_output(node, outputs);
}

ChannelRange read_range(const JsonNode& node, std::span<const std::string> outputs) {
  node.expect_keys({"output", "first"});
  return {read_output(node, outputs), static_cast<int>(node.at("first").integer(0, 4096))};
}

void read_share(const JsonNode& section, std::string_view key, float& value) {
  if (section.has(key)) value = section.at(key).number(0, 1);
}

void read_count(const JsonNode& section, std::string_view key, int& value) {
  if (section.has(key)) value = static_cast<int>(section.at(key).integer(1, 1000));
}

std::vector<std::uint8_t> wanted_labels(const ModelSpec& spec, const DecodeOptions& options) {
  std::vector<std::uint8_t> wanted;
  for (std::size_t label = 0; label < spec.labels.size(); ++label) {
    const bool asked = options.labels.empty() || (label < options.labels.size() && options.labels[label] != 0);
    wanted.push_back(asked && spec.labels[label] != kNoLabel ? 1 : 0);
  }
  return wanted;
}

}  // namespace posecam
