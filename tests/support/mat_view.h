#pragma once
// Pictures that OpenCV has read, as posecam sees them.

#include <opencv2/core.hpp>

#include "models/core/image.h"

namespace posecam::test {

/// Of 8-bit BGR. Borrows the pixels.
inline ImageView view_of(const cv::Mat& picture) {
  ImageView view;
  view.format = PixelFormat::kBgr;
  view.width = picture.cols;
  view.height = picture.rows;
  view.planes[0] = picture.data;
  view.strides[0] = static_cast<std::ptrdiff_t>(picture.step[0]);
  return view;
}

}  // namespace posecam::test
