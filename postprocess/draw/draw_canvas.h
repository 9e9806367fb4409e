#pragma once
// One set of shapes over the planes of any pixel format, each plane in its own colour and resolution.

#include "models/core/geometry.h"
#include "models/core/image.h"
#include "postprocess/draw/draw_style.h"
#include "postprocess/draw/pixel_rect.h"

namespace posecam {

/// Borrows the image. Points in continuous pixels (0 = left edge of pixel 0), finite and within a few frames of it;
/// everything is clipped. Widths and radii are in lines of the image: where its pixels are not square, shapes are as
/// much narrower or wider as they must be to look right when it is displayed. May throw cv::Exception.
class Canvas {
 public:
  explicit Canvas(const MutableImageView& image) : image_(image) {}

  void line(Point from, Point to, int width, Rgb color) const;      ///< round ends, soft edges
  void disc(Point center, float radius, Rgb color) const;           ///< round when displayed, soft edge
  void fill(const PixelRect& rect, Rgb color) const;                ///< all of it, hard edges
  void outline(const PixelRect& rect, int width, Rgb color) const;  ///< drawn inside the rectangle
  /// `origin`: left end of the base line.
  void text(const char* text, int x, int y, const DrawStyle& style, Rgb color) const;
  /// Pixels that text() covers above the base line.
  static Size text_size(const char* text, const DrawStyle& style);

  /// Of the image.
  Size size() const { return {image_.width, image_.height}; }
  /// Of the image as it is displayed.
  Size displayed() const { return display_size(size(), image_.pixel_aspect); }

 private:
  bool square() const { return image_.pixel_aspect == 1; }
  template <class Shape>
  void on_planes(Rgb color, const Shape& shape) const;

  MutableImageView image_;
};

}  // namespace posecam
