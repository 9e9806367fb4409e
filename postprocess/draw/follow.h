#pragma once
// Where a network that looks at one person is to look in the next frame.

#include <optional>

#include "models/core/geometry.h"
#include "models/core/skeleton.h"
#include "models/spec/frame_result.h"

namespace posecam {

/// The square about the hips of a person that holds all of them and some room to move, as the published example of
/// MoveNet cuts it out (TensorFlow's tutorial "MoveNet: Ultra fast and accurate pose detection model", Apache-2.0):
/// half its side is the larger of 1.9 times the torso's reach from there and 1.2 times the body's, on either axis, and
/// not more than the picture's from there. Normalised image coordinates; square as displayed. Nothing if no shoulder or
/// no hip is surer than 0.2, if the square is larger than the picture, or if the skeleton has no hips and shoulders:
/// then it is the whole picture's turn. `pixel_aspect` as in ImageView.
std::optional<Box> square_about(const Pose& pose, const Skeleton& skeleton, Size image, float pixel_aspect);

}  // namespace posecam
