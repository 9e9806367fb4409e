#pragma once
// A part of a frame in whole pixels.

namespace posecam {

/// Pixel rectangle [x0, x1) x [y0, y1).
struct PixelRect {
  int x0 = 0;
  int y0 = 0;
  int x1 = 0;
  int y1 = 0;

  friend bool operator==(const PixelRect&, const PixelRect&) = default;
};

}  // namespace posecam
