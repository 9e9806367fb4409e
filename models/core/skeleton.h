#pragma once
// Keypoint orders and limbs of the formats the project speaks, and of networks with keypoints of their own.

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace posecam {

inline constexpr std::size_t kMaxKeypoints = 133;  ///< of a skeleton: COCO-WholeBody has the most

/// A limb joins two keypoints; its PAF occupies two channels (x, y), counted from the first PAF channel.
struct Limb {
  std::uint8_t from = 0;  ///< index into Skeleton::parts, of the end nearer to the trunk
  std::uint8_t to = 0;    ///< likewise, of the outer end: it gives the limb its colour
  std::uint8_t paf_x = 0;
  std::uint8_t paf_y = 0;
  /// False for the two shoulder-ear limbs of the OpenPose formats: they score, but start no person and are not drawn.
  bool drawn = true;
};

/// Which keypoints there are and how they are joined. Immutable once a model has it.
struct Skeleton {
  std::string name;                ///< as descriptors name it: "coco-18"
  std::string tag;                 ///< semantic tag in metadata and JSON: "body-pose/openpose-18"
  std::vector<std::string> parts;  ///< names in channel order, "RShoulder"; 1 to kMaxKeypoints
  std::vector<Limb> limbs;         ///< in grouping order; PAF channels (0,0) in formats that no PAF network has
  /// For each COCO-17 keypoint its index in this skeleton, if it has that part.
  std::array<std::optional<std::uint8_t>, 17> to_coco17{};
  std::optional<std::uint8_t> neck{};  ///< index of the part between the shoulders
};

/// Fills in what follows from the names of the parts (`to_coco17`, `neck`), however they are spelled: "left_shoulder",
/// "LShoulder", "leftShoulder", "Left shoulder". At most kMaxKeypoints parts.
void find_parts(Skeleton& skeleton);

/// A built-in one: coco-17, coco-18, body-25, halpe-26, blazepose-33, mpii-16, ai-challenger-14. Null for other names.
std::shared_ptr<const Skeleton> find_skeleton(std::string_view name);
/// The names that find_skeleton() knows.
std::span<const std::string_view> skeleton_names();

const Skeleton& coco18();  ///< OpenPose COCO, tf-pose, lightweight OpenPose: 18 parts, 19 limbs
const Skeleton& body25();  ///< OpenPose BODY_25: 25 parts, 26 limbs
const Skeleton& coco17();  ///< COCO's own 17 keypoints

/// camelCase names of the COCO-17 keypoints ("leftEye"), as motion-analysis services spell them.
std::span<const std::string_view, 17> coco17_camel_names();

}  // namespace posecam
