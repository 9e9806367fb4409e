#pragma once
// Points, boxes and the mapping between an image and the network input that was made from it.

#include <algorithm>
#include <cmath>

namespace posecam {

/// Extent in whole pixels, unless its user says otherwise.
struct Size {
  int width = 0;
  int height = 0;
  friend bool operator==(const Size&, const Size&) = default;
};

/// How a picture is displayed whose pixels are `pixel_aspect` times as wide as high: as high, and as wide as it takes.
inline Size display_size(Size stored, float pixel_aspect) {
  const double width = std::round(static_cast<double>(stored.width) * static_cast<double>(pixel_aspect));
  return {static_cast<int>(std::clamp(width, 1.0, 1e6)), stored.height};
}

/// A place, in the unit of its user.
struct Point {
  float x = 0;
  float y = 0;
  friend bool operator==(const Point&, const Point&) = default;
};

/// Top-left corner and extent, in the unit of its user (normalised image coordinates in results).
struct Box {
  float x = 0;
  float y = 0;
  float width = 0;
  float height = 0;

  float area() const { return width * height; }  ///< in the square of that unit
};

/// The box about the same middle with sides `by` times as long.
inline Box scaled(const Box& b, float by) {
  return {b.x + b.width * (1 - by) / 2, b.y + b.height * (1 - by) / 2, b.width * by, b.height * by};
}

/// Intersection over union; 0 when either box is empty.
inline float iou(const Box& a, const Box& b) {
  const float w = std::min(a.x + a.width, b.x + b.width) - std::max(a.x, b.x);
  const float h = std::min(a.y + a.height, b.y + b.height) - std::max(a.y, b.y);
  if (!(w > 0 && h > 0)) return 0;
  return w * h / (a.area() + b.area() - w * h);
}

/// Image <-> model mapping of one frame: the image was scaled to `content` pixels, by a factor of its own for each axis
/// where its pixels are not square, and put at `offset` in the network input. Continuous coordinates: 0 is the left
/// edge of pixel 0, `width` the right edge of the last.
struct Letterbox {
  Size image;     ///< source pixels
  Size input;     ///< network input pixels
  Point offset;   ///< where the scaled image starts in the network input
  Point content;  ///< extent of the scaled image in the network input, > 0

  /// Network input pixels -> normalised image coordinates ([0,1] inside the image, outside it beyond).
  Point to_image(Point p) const { return {(p.x - offset.x) / content.x, (p.y - offset.y) / content.y}; }
  /// Normalised image coordinates -> network input pixels.
  Point to_input(Point p) const { return {p.x * content.x + offset.x, p.y * content.y + offset.y}; }
};

}  // namespace posecam
