#pragma once
// What must hold of any result, and of everything that is written or drawn from it.

#include "models/core/image.h"
#include "models/spec/frame_result.h"
#include "tests/fuzz/fuzz_input.h"

namespace posecam::fuzz {

/// The promises of frame_result.h and of the decoders' headers.
/// `outside`: how far outside the image a keypoint may be, in extents of the image.
void check_poses(const FrameResult& result, std::size_t most, float outside);
void check_detections(const FrameResult& result, std::size_t most, float nms_threshold);
void check_classes(const FrameResult& result, std::size_t most);
bool same_result(const FrameResult& a, const FrameResult& b);

/// Every format of results parses and has the keys its readers rely on. `result.model` must be set.
void check_writers(const FrameResult& result, Input& input);

/// Draws on a frame whose format, size and strides the input chooses; no byte beside the pixels changes.
void check_drawing(const FrameResult& result, Input& input);

}  // namespace posecam::fuzz
