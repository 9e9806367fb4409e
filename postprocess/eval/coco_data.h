#pragma once
// COCO person keypoints as the evaluation needs them: annotations and results, read strictly from their JSON text
// (https://cocodataset.org/#format-data and #format-results).

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "models/core/geometry.h"
#include "models/core/result.h"

namespace posecam {

/// A picture of an annotation file.
struct CocoImage {
  std::int64_t id = 0;
  std::string file_name;  ///< relative to the folder of pictures
  Size size;              ///< pixels; 0 x 0 where the file does not say
};

/// x, y, v of the 17 keypoints; pixels. v = 0: not labelled.
using CocoKeypoints = std::array<double, 51>;

/// An annotated person.
struct CocoPerson {
  std::int64_t image_id = 0;
  std::int64_t category_id = 0;
  CocoKeypoints keypoints{};
  std::array<double, 4> bbox{};  ///< x, y, width, height in pixels
  double area = 0;               ///< of the segmentation, square pixels
  bool crowd = false;            ///< a group that was not told apart: neither to be found nor wrong to find (iscrowd)
  bool labelled = false;         ///< has a keypoint (num_keypoints > 0)
};

/// What an annotation file says.
struct CocoAnnotations {
  std::vector<CocoImage> images;         ///< by rising id, each once
  std::vector<std::int64_t> categories;  ///< by rising id, each once
  std::vector<CocoPerson> people;        ///< in the order of the file
};

/// A person found.
struct CocoResult {
  std::int64_t image_id = 0;
  std::int64_t category_id = 0;
  CocoKeypoints keypoints{};
  double score = 0;  ///< ranks the people; any range
  double area = 0;   ///< as pycocotools derives it: of bbox if the results have any, else of all 17 keypoints' extent
};

/// Both: kMedia with `where` (a file name for messages), the place in the file and the expectation on what is wrong.
Result<CocoAnnotations> parse_coco_annotations(std::string_view json, std::string_view where);
Result<std::vector<CocoResult>> parse_coco_results(std::string_view json, std::string_view where);

}  // namespace posecam
