#include "postprocess/eval/keypoint_names.h"

#include <algorithm>
#include <array>

namespace posecam {
namespace {

struct KnownSigma {
  std::string_view key;
  double sigma = 0;
};

constexpr std::array<KnownSigma, 26> kSigmas{
    {{"nose", .026},       {"lefteye", .025},      {"righteye", .025},      {"leftear", .035},
     {"rightear", .035},   {"leftshoulder", .079}, {"rightshoulder", .079}, {"leftelbow", .072},
     {"rightelbow", .072}, {"leftwrist", .062},    {"rightwrist", .062},    {"lefthip", .107},
     {"righthip", .107},   {"leftknee", .087},     {"rightknee", .087},     {"leftankle", .089},
     {"rightankle", .089}, {"head", .026},         {"neck", .026},          {"hip", .066},
     {"leftbigtoe", .079}, {"rightbigtoe", .079},  {"leftsmalltoe", .079},  {"rightsmalltoe", .079},
     {"leftheel", .079},   {"rightheel", .079}}};

}  // namespace

std::span<const std::string> coco_keypoint_names() { return coco17().parts; }

std::string keypoint_key(std::string_view name) {
  std::string key = part_key(name);
  return key == "midhip" || key == "pelvis" ? "hip" : key;
}

std::optional<double> keypoint_sigma(std::string_view name) {
  const std::string key = keypoint_key(name);
  const auto known = std::ranges::find(kSigmas, key, &KnownSigma::key);
  if (known == kSigmas.end()) return std::nullopt;
  return known->sigma;
}

std::vector<std::optional<std::uint8_t>> match_keypoints(std::span<const std::string> names, const Skeleton& skeleton) {
  std::vector<std::string> keys;
  for (const auto& part : skeleton.parts) keys.push_back(keypoint_key(part));
  std::vector<std::optional<std::uint8_t>> matched;
  for (const std::string& name : names) {
    const auto at = std::ranges::find(keys, keypoint_key(name));
    matched.push_back(at == keys.end() ? std::nullopt : std::optional(static_cast<std::uint8_t>(at - keys.begin())));
  }
  return matched;
}

}  // namespace posecam
