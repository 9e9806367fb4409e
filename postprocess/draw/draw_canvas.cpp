#include "postprocess/draw/draw_canvas.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include <opencv2/imgproc.hpp>

namespace posecam {
namespace {

constexpr int kSubPixelBits = 4;
constexpr std::size_t kEndSteps = 8;  // of a half circle

// Continuous coordinates -> OpenCV's fixed point, where an integer is the centre of a pixel.
cv::Point to_fixed(Point p, float scale) {
  const auto fixed = [&](float v) {
    return static_cast<int>(std::lround((v * scale - 0.5F) * static_cast<float>(1 << kSubPixelBits)));
  };
  return {fixed(p.x), fixed(p.y)};
}

/// The outline of a line with round ends, in the plane's own pixels. It is one in the displayed picture, whose pixels
/// are `aspect` times as wide.
std::array<cv::Point, 2 * (kEndSteps + 1)> capsule(Point from, Point to, float width, float scale, float aspect) {
  const float angle = std::atan2(to.y - from.y, (to.x - from.x) * aspect);
  const float radius = std::max(1.F, width * scale) / 2 / scale;
  std::array<cv::Point, 2 * (kEndSteps + 1)> outline;
  for (std::size_t i = 0; i < outline.size(); ++i) {
    const bool far = i <= kEndSteps;
    const auto step = static_cast<float>(far ? i : i - 1);
    const float at = angle + std::numbers::pi_v<float> * (step / kEndSteps - 0.5F);
    const Point middle = far ? to : from;
    outline[i] = to_fixed({middle.x + radius * std::cos(at) / aspect, middle.y + radius * std::sin(at)}, scale);
  }
  return outline;
}

int scaled_width(int width, float scale) {
  return std::max(1, static_cast<int>(std::lround(static_cast<float>(width) * scale)));
}

cv::Mat plane(const MutableImageView& image, std::size_t index, int width, int height, int type) {
  return {height, width, type, image.planes[index], static_cast<std::size_t>(image.strides[index])};
}

}  // namespace

// Calls shape(mat, colour, scale) for each plane; scale is the plane's resolution in the frame's.
template <class Shape>
void Canvas::on_planes(Rgb color, const Shape& shape) const {
  const int w = image_.width;
  const int h = image_.height;
  if (!is_yuv(image_.format)) {
    const bool bgr = image_.format == PixelFormat::kBgr || image_.format == PixelFormat::kBgrx;
    const cv::Scalar scalar(bgr ? color.b : color.r, color.g, bgr ? color.r : color.b, 255);
    cv::Mat mat = plane(image_, 0, w, h, pixel_bytes(image_.format) == 3 ? CV_8UC3 : CV_8UC4);
    shape(mat, scalar, 1.F);
    return;
  }
  const Yuv yuv = to_yuv(color, image_.colorimetry);
  const int chroma_width = (w + 1) / 2;
  const int chroma_height = (h + 1) / 2;
  cv::Mat luma = plane(image_, 0, w, h, CV_8UC1);
  shape(luma, cv::Scalar(yuv.y), 1.F);
  if (image_.format == PixelFormat::kNv12) {
    cv::Mat chroma = plane(image_, 1, chroma_width, chroma_height, CV_8UC2);
    shape(chroma, cv::Scalar(yuv.u, yuv.v), 0.5F);
    return;
  }
  cv::Mat u = plane(image_, 1, chroma_width, chroma_height, CV_8UC1);
  cv::Mat v = plane(image_, 2, chroma_width, chroma_height, CV_8UC1);
  shape(u, cv::Scalar(yuv.u), 0.5F);
  shape(v, cv::Scalar(yuv.v), 0.5F);
}

void Canvas::line(Point from, Point to, int width, Rgb color) const {
  on_planes(color, [&](cv::Mat& mat, const cv::Scalar& scalar, float scale) {
    if (!square()) {
      const auto outline = capsule(from, to, static_cast<float>(width), scale, image_.pixel_aspect);
      cv::fillConvexPoly(mat, outline.data(), static_cast<int>(outline.size()), scalar, cv::LINE_AA, kSubPixelBits);
      return;
    }
    cv::line(mat, to_fixed(from, scale), to_fixed(to, scale), scalar, scaled_width(width, scale), cv::LINE_AA,
             kSubPixelBits);
  });
}

void Canvas::disc(Point center, float radius, Rgb color) const {
  if (!square()) return line(center, center, std::max(1, static_cast<int>(std::lround(2 * radius))), color);
  on_planes(color, [&](cv::Mat& mat, const cv::Scalar& scalar, float scale) {
    const int r = static_cast<int>(std::lround(radius * scale * static_cast<float>(1 << kSubPixelBits)));
    cv::circle(mat, to_fixed(center, scale), r, scalar, cv::FILLED, cv::LINE_AA, kSubPixelBits);
  });
}

void Canvas::fill(const PixelRect& rect, Rgb color) const {
  on_planes(color, [&](cv::Mat& mat, const cv::Scalar& scalar, float scale) {
    const int step = scale < 1 ? 2 : 1;
    const int x0 = std::max(rect.x0, 0) / step;
    const int y0 = std::max(rect.y0, 0) / step;
    const int x1 = std::min((rect.x1 + step - 1) / step, mat.cols);
    const int y1 = std::min((rect.y1 + step - 1) / step, mat.rows);
    if (x1 > x0 && y1 > y0) mat(cv::Rect(x0, y0, x1 - x0, y1 - y0)).setTo(scalar);
  });
}

void Canvas::outline(const PixelRect& r, int width, Rgb color) const {
  const int across = std::max(1, static_cast<int>(std::lround(static_cast<float>(width) / image_.pixel_aspect)));
  if (r.x1 - r.x0 <= 2 * across || r.y1 - r.y0 <= 2 * width) {
    fill(r, color);
    return;
  }
  fill({r.x0, r.y0, r.x1, r.y0 + width}, color);
  fill({r.x0, r.y1 - width, r.x1, r.y1}, color);
  fill({r.x0, r.y0 + width, r.x0 + across, r.y1 - width}, color);
  fill({r.x1 - across, r.y0 + width, r.x1, r.y1 - width}, color);
}

void Canvas::text(const char* text, int x, int y, const DrawStyle& style, Rgb color) const {
  on_planes(color, [&](cv::Mat& mat, const cv::Scalar& scalar, float scale) {
    const int step = scale < 1 ? 2 : 1;
    cv::putText(mat, text, {x / step, y / step}, cv::FONT_HERSHEY_SIMPLEX, style.font_scale * scale, scalar,
                scaled_width(style.font_width, scale), cv::LINE_AA);
  });
}

Size Canvas::text_size(const char* text, const DrawStyle& style) {
  int below = 0;
  const cv::Size size = cv::getTextSize(text, cv::FONT_HERSHEY_SIMPLEX, style.font_scale, style.font_width, &below);
  return {size.width, size.height};
}

}  // namespace posecam
