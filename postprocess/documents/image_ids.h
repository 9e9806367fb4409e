#pragma once
// The image ids of COCO results, from the names of picture files.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "models/core/result.h"

namespace posecam {

/// One for each name (without extension): the last number in it, as OpenPose does for `--write_coco_json`
/// (COCO_val2014_000000000785 has 785). If not one of the names has a number: their places, from 0. kUsage if only some
/// have one, two have the same, or one does not fit into 63 bits: people of two pictures would have one id.
Result<std::vector<std::int64_t>> image_ids_of(std::span<const std::string> names);

}  // namespace posecam
