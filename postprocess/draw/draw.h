#pragma once
// Results drawn into the frame they were found in: limbs, keypoints, boxes, labels, ids. The frame is never converted.

#include "models/core/image.h"
#include "models/core/result.h"
#include "models/spec/frame_result.h"

namespace posecam {

/// What of a result is drawn.
struct DrawOptions {
  float min_score = 0.05F;  ///< keypoints below it are left out (OpenPose's render_threshold)
  bool skeletons = true;    ///< limbs and keypoints of poses
  bool boxes = true;        ///< of detections
  bool labels = true;       ///< "person 0.93" on boxes, "#7" on people with an id, the likeliest class in the corner
  bool classes = true;      ///< false: not the class
};

/// False if draw() would leave every frame as it is, so that none needs to be writable.
bool draws_anything(const FrameResult& result, const DrawOptions& options);

/// Draws in place, on any format and size. Line widths and letters follow the frame's size. Limbs are coloured by body
/// part, the person's right side warm, the left cold; boxes by track id, else by label. YUV planes get each shape in
/// the colours of image.colorimetry, chroma at half resolution; only bytes under a shape (its soft edge included)
/// change. Where pixels are not square, lines and discs look right when the frame is displayed; letters are as wide as
/// the pixels make them. Coordinates may be anything: what is not finite or far outside the frame is left out.
/// Skeletons need result.model with its skeleton, names of labels those of its network. Re-entrant. OpenCV may allocate
/// inside. kMedia if OpenCV refuses (out of memory).
Result<void> draw(const FrameResult& result, const DrawOptions& options, const MutableImageView& image);

}  // namespace posecam
