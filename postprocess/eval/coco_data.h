#pragma once
// COCO annotations and results of keypoints and boxes as the evaluation needs them, read strictly from their JSON text
// (https://cocodataset.org/#format-data and #format-results).

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "models/core/geometry.h"
#include "models/core/result.h"

namespace posecam {

enum class CocoKind : std::uint8_t { kKeypoints, kBoxes };  ///< what is compared

/// A picture of an annotation file.
struct CocoImage {
  std::int64_t id = 0;
  std::string file_name;  ///< relative to the folder of pictures
  Size size;              ///< pixels; 0 x 0 where the file does not say
};

/// What an annotated object may be.
struct CocoCategory {
  std::int64_t id = 0;
  std::string name;                    ///< "person"; empty where the file does not say
  std::vector<std::string> keypoints;  ///< names, "left_eye"; empty where the file does not say

  /// COCO's 17 where there are no names.
  std::size_t keypoint_count() const { return keypoints.empty() ? 17 : keypoints.size(); }
};

using CocoBox = std::array<double, 4>;  ///< x, y, width, height in pixels

/// Something annotated.
struct CocoObject {
  std::int64_t image_id = 0;
  std::int64_t category_id = 0;
  std::vector<double> keypoints;  ///< x, y (pixels), v of each; v = 0: not labelled. Empty where boxes are compared
  CocoBox bbox{};
  double area = 0;       ///< of the segmentation, square pixels, at least 0
  bool crowd = false;    ///< a group that was not told apart: neither to be found nor wrong to find (iscrowd)
  bool labelled = true;  ///< has a keypoint (num_keypoints > 0); true where boxes are compared
};

/// What an annotation file says.
struct CocoAnnotations {
  CocoKind kind = CocoKind::kKeypoints;
  std::vector<CocoImage> images;  ///< by rising id, each once
  /// By rising id, each once. Where keypoints are compared and some categories name theirs, only those.
  std::vector<CocoCategory> categories;
  std::vector<CocoObject> objects;  ///< in the order of the file
};

/// Something found.
struct CocoResult {
  std::int64_t image_id = 0;
  std::int64_t category_id = 0;
  std::vector<double> keypoints;  ///< x, y, confidence of each; empty in results of boxes
  CocoBox bbox{};                 ///< of results of keypoints only if they have one
  double score = 0;               ///< ranks what was found; any range
  double area = 0;  ///< as pycocotools derives it: of bbox if the results have any, else of all keypoints' extent
};

/// What a file of results says.
struct CocoResults {
  std::optional<CocoKind> kind;  ///< by the first result; absent if there is none
  std::vector<CocoResult> list;
};

/// Both: kMedia with `where` (a file name for messages), the place in the file and the expectation on what is wrong.
/// Of boxes, annotations may leave out "area": it is then that of the box.
Result<CocoAnnotations> parse_coco_annotations(std::string_view json, std::string_view where, CocoKind kind);
Result<CocoResults> parse_coco_results(std::string_view json, std::string_view where);

}  // namespace posecam
