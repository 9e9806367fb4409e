#pragma once
// Keypoints by name: which of two formats are the same place of the body, and how exactly people find them.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "models/core/skeleton.h"

namespace posecam {

/// COCO's keypoint k, by name: "left_eye". 17 of them, the ones a file means that names none.
std::span<const std::string> coco_keypoint_names();

/// part_key(), and one text for names that mean the same: "MidHip" and "pelvis" are "hip".
std::string keypoint_key(std::string_view name);

/// Standard deviation of human annotators at that keypoint, relative to the square root of the person's area.
/// COCO's 17: cocodataset.org/#keypoints-eval. head, neck, hip, toes and heels: HALPE's evaluation
/// (github.com/Fang-Haoshu/Halpe-FullBody, halpecocotools). Absent for all others.
std::optional<double> keypoint_sigma(std::string_view name);

/// For keypoints of which nobody published one: in the middle of COCO's, which go from .025 (eyes) to .107 (hips).
inline constexpr double kUnknownSigma = .05;

/// For each of `names` the keypoint of the skeleton that is the same place; absent where it has none.
std::vector<std::optional<std::uint8_t>> match_keypoints(std::span<const std::string> names, const Skeleton& skeleton);

}  // namespace posecam
