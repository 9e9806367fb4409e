#pragma once
// One set of shapes over the planes of any pixel format, each plane in its own colour and resolution.

#include "models/core/geometry.h"
#include "models/core/image.h"
#include "postprocess/draw/draw_style.h"
#include "postprocess/draw/pixel_rect.h"

namespace posecam {

/// Borrows the image. Points in continuous pixels (0 = left edge of pixel 0), finite and within a few frames of it;
/// everything is clipped. May throw cv::Exception.
class Canvas {
 public:
  explicit Canvas(const MutableImageView& image) : image_(image) {}

  void line(Point from, Point to, int width, Rgb color) const;      ///< round ends, soft edges
  void disc(Point center, float radius, Rgb color) const;           ///< soft edge
  void fill(const PixelRect& rect, Rgb color) const;                ///< all of it, hard edges
  void outline(const PixelRect& rect, int width, Rgb color) const;  ///< drawn inside the rectangle
  /// `origin`: left end of the base line.
  void text(const char* text, int x, int y, const DrawStyle& style, Rgb color) const;
  /// Pixels that text() covers above the base line.
  static Size text_size(const char* text, const DrawStyle& style);

  /// Of the image.
  Size size() const { return {image_.width, image_.height}; }

 private:
  template <class Shape>
  void on_planes(Rgb color, const Shape& shape) const;

  MutableImageView image_;
};

}  // namespace posecam
