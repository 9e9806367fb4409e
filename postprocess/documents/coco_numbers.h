#pragma once
// The numbers by which COCO results name what was found: ids of categories, and the order of keypoints.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace posecam {

/// What one annotation file calls things, so that results can be compared with it.
struct CocoNumbers {
  std::int64_t person = 1;  ///< id of the category of people
  /// For each keypoint of that category the index into the skeleton's parts; absent: written as 0, 0, 0.
  std::vector<std::optional<std::uint8_t>> keypoints;
  /// Id of the category by label id; absent, and of labels beyond: such objects are not written.
  std::vector<std::optional<std::int64_t>> categories;
};

/// COCO's own id of a category, 1 to 90 with gaps: "person" is 1, "toothbrush" 90
/// (instances_val2017.json, "categories"). Absent for other names.
std::optional<std::int64_t> coco_category_id(std::string_view name);

/// The category id of a label where there is no annotation file: COCO's own if each of the labels is a name of COCO's
/// or "background" or kNoLabel, else label id + 1.
std::int64_t category_id_of(int label_id, std::span<const std::string> labels);

}  // namespace posecam
