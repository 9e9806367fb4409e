#pragma once
// Where people and their faces are in a frame, for what must not show them. In doubt a region is too large.

#include <cstdint>
#include <vector>

#include "models/spec/frame_result.h"
#include "postprocess/draw/pixel_rect.h"

namespace posecam {

/// How much of a person a region covers.
enum class PeoplePart : std::uint8_t { kFace, kWhole };

/// Adds to `regions` those of the result's people, in whole pixels of a frame of that size (>= 1x1) and inside it.
///
/// Every keypoint counts, however unsure. kFace: around nose, eyes and ears; with none of them found, above the neck or
/// the shoulders, away from the hips; nothing for a pose without either, whose head is out of view. kWhole: around all
/// keypoints and the head. People that only a detector found (label "person", or any label of a network that names
/// none): the box, for kFace its top, unless a pose there has shown the face. Objects labelled "face" are faces.
///
/// Coordinates may be anything: what is not finite or further out than two frames is left out. Allocates nothing once
/// `regions` is large enough. Re-entrant.
void find_people(const FrameResult& result, PeoplePart part, Size frame, std::vector<PixelRect>& regions);

}  // namespace posecam
