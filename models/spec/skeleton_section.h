#pragma once
// The skeleton of a descriptor: the name of a known one, or parts and limbs of its own.

#include <memory>

#include "models/core/skeleton.h"
#include "models/spec/json_reader.h"

namespace posecam {

/// "coco-17" (find_skeleton), or {"name": "tennis-20", "parts": ["head", ...], "limbs": [["head", "neck"], ...]}: names
/// of parts in the order of the network's channels, each once; each limb from the trunk outwards, with the PAF channels
/// of its place in the list. Parts that are named like COCO's stand for them where results have that format. Null after
/// a problem.
std::shared_ptr<const Skeleton> read_skeleton(const JsonNode& node);

}  // namespace posecam
