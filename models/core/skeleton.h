#pragma once
// Keypoint orders and limbs of the formats the project speaks. Constant data, one instance per format.

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace posecam {

inline constexpr std::size_t kMaxKeypoints = 25;  ///< BODY_25 has the most

/// A limb joins two keypoints; its PAF occupies two channels (x, y), counted from the first PAF channel.
struct Limb {
  std::uint8_t from = 0;  ///< index into Skeleton::parts
  std::uint8_t to = 0;    ///< likewise
  std::uint8_t paf_x = 0;
  std::uint8_t paf_y = 0;
  /// False for the two shoulder-ear limbs of the OpenPose formats: they score, but start no person and are not drawn.
  bool drawn = true;
};

/// Which keypoints there are and how they are joined. Find one by find_skeleton().
struct Skeleton {
  std::string_view name;                     ///< "coco-18", "body-25", "coco-17"
  std::string_view tag;                      ///< semantic tag in metadata and JSON, "body-pose/openpose-18"
  std::span<const std::string_view> parts;   ///< names in channel order, "RShoulder"
  std::span<const Limb> limbs;               ///< in grouping order; empty PAF channels (0,0) for coco-17
  std::array<std::uint8_t, 17> to_coco17{};  ///< for each COCO-17 keypoint, its index in this skeleton
};

/// The skeleton of that name, or nullptr.
const Skeleton* find_skeleton(std::string_view name);

const Skeleton& coco18();  ///< OpenPose COCO, tf-pose, lightweight OpenPose: 18 parts, 19 limbs
const Skeleton& body25();  ///< OpenPose BODY_25: 25 parts, 26 limbs
const Skeleton& coco17();  ///< COCO's own 17 keypoints

/// camelCase names of the COCO-17 keypoints ("leftEye"), as motion-analysis services spell them.
std::span<const std::string_view, 17> coco17_camel_names();

}  // namespace posecam
