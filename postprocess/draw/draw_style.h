#pragma once
// Colours that can be told apart and sizes that fit the frame.

#include <array>
#include <cstdint>

#include "models/core/geometry.h"
#include "models/core/image.h"
#include "models/core/skeleton.h"

namespace posecam {

/// A colour, 0 to 255 each.
struct Rgb {
  std::uint8_t r = 0;
  std::uint8_t g = 0;
  std::uint8_t b = 0;
};

/// A colour as the planes of a YUV image have it.
struct Yuv {
  std::uint8_t y = 0;
  std::uint8_t u = 128;
  std::uint8_t v = 128;
};

/// ITU-R BT.601 / BT.709, studio range (16..235, 16..240) or full.
Yuv to_yuv(Rgb color, const YuvColorimetry& colorimetry);

/// Hue in degrees (any finite value), saturation and value in [0,1].
Rgb from_hsv(float hue, float saturation, float value);

/// A colour for the n-th of anything; neighbours in n are far apart in hue (steps of the golden angle).
Rgb index_color(std::int64_t n);

/// Black or white, whichever reads better on `background`.
Rgb text_color(Rgb background);

/// One colour per part: right side red to yellow, left side green to violet, head and middle pink to white.
std::array<Rgb, kMaxKeypoints> part_colors(const Skeleton& skeleton);

/// Pixels, from the geometric mean of the frame's sides: 1-pixel lines at 320x180, 4 at 1920x1080.
struct DrawStyle {
  int line_width = 1;        ///< of limbs and boxes
  float joint_radius = 1;    ///< of keypoints
  double font_scale = 0.35;  ///< of cv::FONT_HERSHEY_SIMPLEX, whose capitals are 21 pixels high at 1
  int font_width = 1;        ///< of the strokes of letters
  int text_margin = 1;       ///< around a text on its ground
};

/// For a frame of that many pixels, >= 1x1.
DrawStyle style_for(Size frame);

}  // namespace posecam
