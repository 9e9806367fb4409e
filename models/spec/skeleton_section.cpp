#include "models/spec/skeleton_section.h"

#include <algorithm>
#include <string>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace posecam {
namespace {

constexpr std::size_t kMostLimbs = 127;  // two PAF channels each, numbered in a byte
constexpr std::size_t kLongestPart = 64;

/// A name that goes into tags and file names.
bool is_format_name(std::string_view name) {
  return std::ranges::all_of(name, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; });
}

std::uint8_t part_index(const JsonNode& node, const std::vector<std::string>& parts) {
  const std::string name = node.text(1, kLongestPart);
  const auto found = std::ranges::find(parts, name);
  if (found == parts.end()) {
    node.mismatch("one of the parts");
    return 0;
  }
  return static_cast<std::uint8_t>(found - parts.begin());
}

void read_limbs(const JsonNode& node, Skeleton& skeleton) {
  for (const JsonNode& item : node.items(0, kMostLimbs)) {
    const auto ends = item.items(2, 2);
    if (ends.size() != 2) return;
    const auto channel = static_cast<std::uint8_t>(2 * skeleton.limbs.size());
    Limb limb{part_index(ends[0], skeleton.parts), part_index(ends[1], skeleton.parts), channel,
              static_cast<std::uint8_t>(channel + 1)};
    if (limb.from == limb.to) item.mismatch("two different parts");
    skeleton.limbs.push_back(limb);
  }
}

}  // namespace

std::shared_ptr<const Skeleton> read_skeleton(const JsonNode& node) {
  if (!node.is_object()) return find_skeleton(skeleton_names()[node.choice(skeleton_names())]);
  node.expect_keys({"name", "parts", "limbs"});
  auto skeleton = std::make_shared<Skeleton>();
  skeleton->name = node.at("name").text(1, 64);
  if (!is_format_name(skeleton->name)) node.at("name").mismatch("lower-case letters, digits and -");
  if (find_skeleton(skeleton->name))
    node.at("name").problem("is the name of a skeleton that is built in: give another");
  skeleton->tag = "body-pose/" + skeleton->name;
  for (const JsonNode& item : node.at("parts").items(1, kMaxKeypoints)) {
    std::string part = item.text(1, kLongestPart);
    if (std::ranges::find(skeleton->parts, part) != skeleton->parts.end()) item.mismatch("each part once");
    skeleton->parts.push_back(std::move(part));
  }
  read_limbs(node.at("limbs"), *skeleton);
  find_parts(*skeleton);
  return skeleton;
}

}  // namespace posecam
