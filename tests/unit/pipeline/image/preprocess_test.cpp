#include "pipeline/image/preprocess.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <opencv2/imgproc.hpp>

namespace posecam {
namespace {

using Matrix = YuvColorimetry::Matrix;

constexpr PixelFormat kFormats[] = {PixelFormat::kNv12, PixelFormat::kI420, PixelFormat::kBgr,
                                    PixelFormat::kRgb,  PixelFormat::kBgrx, PixelFormat::kRgbx};

/// Planes with padded strides; the padding holds a value that must not leak into any result.
struct Picture {
  ImageView view;
  std::array<std::vector<std::uint8_t>, 3> planes;
};

/// Smooth colours well inside the RGB cube, with a slope that shows a shift of a fraction of a pixel.
std::uint8_t sample(int plane, int channel, int x, int y, int width, int height, bool yuv) {
  const double u = (x + 0.5) / width;
  const double v = (y + 0.5) / height;
  const double wave = std::sin(9 * u + channel) * std::cos(7 * v + plane);
  if (!yuv) return static_cast<std::uint8_t>(std::lround(128 + 110 * wave));
  return static_cast<std::uint8_t>(std::lround(plane == 0 ? 126 + 30 * wave : 128 + 20 * wave));
}

Picture make_picture(PixelFormat format, int width, int height, YuvColorimetry colorimetry = {}) {
  Picture p;
  p.view.format = format;
  p.view.width = width;
  p.view.height = height;
  p.view.colorimetry = colorimetry;
  for (int plane = 0; plane < plane_count(format); ++plane) {
    const bool chroma = plane > 0;
    const int w = chroma ? (width + 1) / 2 : width;
    const int h = chroma ? (height + 1) / 2 : height;
    const int channels = chroma ? (format == PixelFormat::kNv12 ? 2 : 1) : pixel_bytes(format);
    const int stride = w * channels + 5 + plane;
    auto& bytes = p.planes[static_cast<std::size_t>(plane)];
    bytes.assign(static_cast<std::size_t>(stride * h), 255);
    for (int y = 0; y < h; ++y) {
      for (int i = 0; i < w * channels; ++i) {
        const int channel = chroma && channels == 2 ? 0 : i % channels;
        const int of_plane = chroma && channels == 2 ? 1 + i % 2 : plane;
        bytes[static_cast<std::size_t>(y * stride + i)] =
            sample(of_plane, channel, i / channels, y, w, h, is_yuv(format));
      }
    }
    p.view.planes[static_cast<std::size_t>(plane)] = bytes.data();
    p.view.strides[static_cast<std::size_t>(plane)] = stride;
  }
  return p;
}

/// One pixel as R, G, B, by the equations of BT.601/BT.709 in floating point.
std::array<double, 3> rgb_at(const ImageView& v, int x, int y) {
  if (!is_yuv(v.format)) {
    const std::uint8_t* p = v.row(0, y) + x * pixel_bytes(v.format);
    const bool bgr = v.format == PixelFormat::kBgr || v.format == PixelFormat::kBgrx;
    return {double(p[bgr ? 2 : 0]), double(p[1]), double(p[bgr ? 0 : 2])};
  }
  const bool nv12 = v.format == PixelFormat::kNv12;
  const double cb = nv12 ? v.row(1, y / 2)[x / 2 * 2] : v.row(1, y / 2)[x / 2];
  const double cr = nv12 ? v.row(1, y / 2)[x / 2 * 2 + 1] : v.row(2, y / 2)[x / 2];
  const bool full = v.colorimetry.full_range;
  const double luma = full ? v.row(0, y)[x] : (v.row(0, y)[x] - 16) * 255.0 / 219;
  const double pb = (cb - 128) * (full ? 1 : 255.0 / 224);
  const double pr = (cr - 128) * (full ? 1 : 255.0 / 224);
  const auto rgb = v.colorimetry.matrix == Matrix::kBt601
                       ? std::array{luma + 1.402 * pr, luma - 0.344136 * pb - 0.714136 * pr, luma + 1.772 * pb}
                       : std::array{luma + 1.5748 * pr, luma - 0.187324 * pb - 0.468124 * pr, luma + 1.8556 * pb};
  return {std::clamp(rgb[0], 0.0, 255.0), std::clamp(rgb[1], 0.0, 255.0), std::clamp(rgb[2], 0.0, 255.0)};
}

/// The naive twin: every output pixel by itself, in double.
double naive(const ImageView& image, const InputSpec& spec, const Letterbox& box, int channel, int x, int y) {
  const auto c = static_cast<std::size_t>(channel);
  const double cx = double(x) - box.offset.x;
  const double cy = double(y) - box.offset.y;
  if (cx < 0 || cy < 0 || cx >= box.content.x || cy >= box.content.y) {
    return (spec.pad_value - spec.mean[c]) * spec.scale[c];
  }
  const auto source = [](double at, double content, int size) {
    return std::clamp((at + 0.5) * size / content - 0.5, 0.0, size - 1.0);
  };
  const double sx = source(cx, box.content.x, image.width);
  const double sy = source(cy, box.content.y, image.height);
  const int x0 = static_cast<int>(sx);
  const int y0 = static_cast<int>(sy);
  const int x1 = std::min(x0 + 1, image.width - 1);
  const int y1 = std::min(y0 + 1, image.height - 1);
  const std::size_t rgb = spec.color == ColorOrder::kRgb ? c : 2 - c;
  const double top = rgb_at(image, x0, y0)[rgb] * (1 - (sx - x0)) + rgb_at(image, x1, y0)[rgb] * (sx - x0);
  const double low = rgb_at(image, x0, y1)[rgb] * (1 - (sx - x0)) + rgb_at(image, x1, y1)[rgb] * (sx - x0);
  return (top * (1 - (sy - y0)) + low * (sy - y0) - spec.mean[c]) * spec.scale[c];
}

struct Row {
  std::vector<std::byte> bytes;
  MutableTensorView view;
  explicit Row(const InputSpec& spec) {
    const Shape batch = spec.shape();
    view = {nullptr, spec.dtype, batch};
    bytes.assign(view.bytes(), std::byte{0xFF});  // NaN as float: what is not written shows
    view.data = bytes.data();
  }
};

double value_at(const Row& row, const InputSpec& spec, int channel, int x, int y) {
  const int at = spec.layout == Layout::kNchw ? (channel * spec.size.height + y) * spec.size.width + x
                                              : (y * spec.size.width + x) * 3 + channel;
  const auto i = static_cast<std::size_t>(at);
  if (spec.dtype == DType::kU8) return row.view.as<std::uint8_t>()[i];
  if (spec.dtype == DType::kF32) return row.view.as<float>()[i];
  return std::bit_cast<float>(static_cast<std::uint32_t>(row.view.as<std::uint16_t>()[i]) << 16U);
}

/// Largest difference to the naive twin, in steps of 1/255; infinite for NaN.
double worst(const Picture& picture, const InputSpec& spec) {
  Row row(spec);
  Preprocessor preprocessor(spec);
  const Letterbox box = preprocessor.write(picture.view, row.view);
  double most = 0;
  for (int c = 0; c < 3; ++c) {
    for (int y = 0; y < spec.size.height; ++y) {
      for (int x = 0; x < spec.size.width; ++x) {
        const double off = std::abs(value_at(row, spec, c, x, y) - naive(picture.view, spec, box, c, x, y)) /
                           spec.scale[static_cast<std::size_t>(c)];
        most = std::isnan(off) ? std::numeric_limits<double>::infinity() : std::max(most, off);
      }
    }
  }
  return most;
}

InputSpec input(Size size) {
  InputSpec spec;
  spec.size = size;
  return spec;
}

TEST(Letterbox, KeepsTheAspectAndAnchors) {
  InputSpec spec = input({456, 256});
  Letterbox box = letterbox_for(spec, {1280, 720});
  EXPECT_EQ(box.content.x, 455);
  EXPECT_EQ(box.content.y, 256);
  EXPECT_EQ(box.offset.x, 0);
  spec.anchor = PadAnchor::kCenter;
  box = letterbox_for(spec, {100, 200});
  EXPECT_EQ(box.content.x, 128);
  EXPECT_EQ(box.offset.x, 164);
  EXPECT_EQ(box.offset.y, 0);
}

/// 720x576 of a 16:9 broadcast, and a picture squeezed to half its width.
TEST(Letterbox, KeepsTheAspectThatIsDisplayed) {
  const InputSpec spec = input({456, 256});
  Letterbox box = letterbox_for(spec, {720, 576}, 64.F / 45);
  EXPECT_EQ(box.content.x, 455);
  EXPECT_EQ(box.content.y, 256);
  box = letterbox_for(spec, {320, 360}, 2);
  const Letterbox whole = letterbox_for(spec, {640, 360});
  EXPECT_EQ(box.content.x, whole.content.x);
  EXPECT_EQ(box.content.y, whole.content.y);
  EXPECT_EQ(box.image, (Size{320, 360}));
  for (const Point p : {Point{0, 0}, Point{0.25F, 0.75F}, Point{1, 1}}) {
    const Point there = box.to_input(p);
    EXPECT_NEAR(there.x, whole.to_input(p).x, 1e-3);
    EXPECT_NEAR(box.to_image(there).x, p.x, 1e-6);
    EXPECT_NEAR(box.to_image(there).y, p.y, 1e-6);
  }
}

TEST(Letterbox, IsThatOfSquarePixelsBitForBitAndNeverVanishes) {
  const InputSpec spec = input({456, 256});
  for (const Size image : {Size{1, 1}, Size{1279, 721}, Size{333, 777}}) {
    const Letterbox a = letterbox_for(spec, image);
    const Letterbox b = letterbox_for(spec, image, 1);
    EXPECT_EQ(a.content.x, b.content.x);
    EXPECT_EQ(a.content.y, b.content.y);
  }
  EXPECT_EQ(letterbox_for(spec, {100, 100}, 1e-6F).content.x, 1);
  EXPECT_EQ(letterbox_for(spec, {100, 100}, 1e6F).content.y, 1);
}

TEST(Preprocess, ASqueezedPictureFillsTheInputAsTheWholeOneDoes) {
  const InputSpec spec = input({64, 64});
  Picture whole = make_picture(PixelFormat::kBgr, 64, 48);
  Picture squeezed = make_picture(PixelFormat::kBgr, 32, 48);
  for (int y = 0; y < 48; ++y) {
    for (int x = 0; x < 64; ++x) {
      for (int c = 0; c < 3; ++c) {
        const auto value = static_cast<std::uint8_t>(3 * x + y + 20 * c);  // straight lines: scaling loses nothing
        const_cast<std::uint8_t*>(whole.view.row(0, y))[3 * x + c] = value;
        if (x % 2 == 0)
          const_cast<std::uint8_t*>(squeezed.view.row(0, y))[3 * (x / 2) + c] = static_cast<std::uint8_t>(value + 1);
      }
    }
  }
  squeezed.view.pixel_aspect = 2;
  Row a(spec);
  Row b(spec);
  const Letterbox of_whole = Preprocessor(spec).write(whole.view, a.view);
  Preprocessor kept(spec);
  kept.write(make_picture(PixelFormat::kBgr, 32, 48).view, b.view);  // the same size with square pixels before it
  const Letterbox of_squeezed = kept.write(squeezed.view, b.view);
  EXPECT_EQ(of_squeezed.content.x, of_whole.content.x);
  EXPECT_EQ(of_squeezed.content.y, of_whole.content.y);
  for (int y = 0; y < 48; ++y) {
    for (int x = 2; x < 62; ++x)
      EXPECT_NEAR(value_at(a, spec, 0, x, y), value_at(b, spec, 0, x, y), 1.5) << x << "," << y;
  }
}

TEST(Letterbox, NeverVanishesAndStretchesWhenTold) {
  InputSpec spec = input({32, 32});
  EXPECT_EQ(letterbox_for(spec, {10000, 1}).content.y, 1);
  EXPECT_EQ(letterbox_for(spec, {1, 10000}).content.x, 1);
  spec.resize = ResizeRule::kStretch;
  EXPECT_EQ(letterbox_for(spec, {10000, 1}).content.y, 32);
}

TEST(Preprocess, AgreesWithItsNaiveTwinForEveryFormatAndSize) {
  const Size images[] = {{1, 1}, {1, 9}, {9, 1}, {2, 2}, {3, 5}, {33, 17}, {64, 36}, {161, 91}, {320, 240}};
  const Size inputs[] = {{8, 8}, {56, 32}, {24, 40}};
  for (const PixelFormat format : kFormats) {
    for (const Size image : images) {
      const Picture picture = make_picture(format, image.width, image.height);
      for (const Size size : inputs) {
        EXPECT_LE(worst(picture, input(size)), 0.75)
            << fmt::format("{} {}x{} -> {}x{}", to_string(format), image.width, image.height, size.width, size.height);
      }
    }
  }
}

TEST(Preprocess, HonoursTheColorimetry) {
  for (const Matrix matrix : {Matrix::kBt601, Matrix::kBt709}) {
    for (const bool full : {false, true}) {
      const Picture picture = make_picture(PixelFormat::kNv12, 50, 30, {matrix, full});
      EXPECT_LE(worst(picture, input({24, 16})), 0.75) << static_cast<int>(matrix) << full;
    }
  }
}

TEST(Preprocess, NormalisesOrdersAndPadsInEveryLayout) {
  const Picture picture = make_picture(PixelFormat::kI420, 37, 53);
  for (const Layout layout : {Layout::kNchw, Layout::kNhwc}) {
    for (const ColorOrder color : {ColorOrder::kBgr, ColorOrder::kRgb}) {
      for (const PadAnchor anchor : {PadAnchor::kTopLeft, PadAnchor::kCenter}) {
        InputSpec spec = input({40, 24});
        spec.layout = layout;
        spec.color = color;
        spec.anchor = anchor;
        spec.mean = {100, 110, 120};
        spec.scale = {0.5F, 0.25F, 2.0F};
        spec.pad_value = 114;
        EXPECT_LE(worst(picture, spec), 0.75) << to_string(spec.shape());
      }
    }
  }
}

TEST(Preprocess, WritesBytesRoundedAndBf16Rounded) {
  const Picture picture = make_picture(PixelFormat::kRgbx, 61, 47);
  for (const Layout layout : {Layout::kNchw, Layout::kNhwc}) {
    InputSpec spec = input({32, 32});
    spec.layout = layout;
    spec.dtype = DType::kU8;
    EXPECT_LE(worst(picture, spec), 1.25);
    spec.dtype = DType::kBf16;
    EXPECT_LE(worst(picture, spec), 1.25);  // 8 bits of mantissa: half a step of 1 at 128..255
  }
}

TEST(Preprocess, SaturatesBytesInsteadOfWrapping) {
  InputSpec spec = input({8, 8});
  spec.dtype = DType::kU8;
  spec.mean = {128, 128, 128};
  spec.scale = {100, 100, 100};
  Row row(spec);
  Preprocessor(spec).write(make_picture(PixelFormat::kBgr, 64, 64).view, row.view);
  EXPECT_THAT(row.view.as<std::uint8_t>(), ::testing::Contains(0));
  EXPECT_THAT(row.view.as<std::uint8_t>(), ::testing::Contains(255));
}

TEST(Preprocess, AgreesWithThePlainOpenCvSteps) {
  const Size images[] = {{64, 36}, {640, 360}, {1280, 720}, {30, 20}, {1920, 1080}};
  for (const Size image : images) {
    const Picture picture = make_picture(PixelFormat::kI420, image.width, image.height);
    cv::Mat yuv(image.height * 3 / 2, image.width, CV_8UC1);  // planes one after the other, dense
    std::uint8_t* to = yuv.data;
    for (int plane = 0; plane < 3; ++plane) {
      const int part = plane == 0 ? 1 : 2;
      for (int y = 0; y < image.height / part; ++y) {
        to = std::copy_n(picture.view.row(plane, y), image.width / part, to);
      }
    }
    cv::Mat bgr;
    cv::cvtColor(yuv, bgr, cv::COLOR_YUV2BGR_I420);
    InputSpec spec = input({456, 256});
    spec.resize = ResizeRule::kStretch;
    cv::Mat resized;
    cv::resize(bgr, resized, {456, 256}, 0, 0, cv::INTER_LINEAR);
    Row row(spec);
    Preprocessor(spec).write(picture.view, row.view);
    double most = 0;
    for (int y = 0; y < 256; ++y) {
      for (int x = 0; x < 456; ++x) {
        for (int c = 0; c < 3; ++c) {
          most = std::max(most, std::abs(value_at(row, spec, c, x, y) - resized.at<cv::Vec3b>(y, x)[c]));
        }
      }
    }
    EXPECT_LE(most, 2.0) << image.width << "x" << image.height;
  }
}

TEST(Preprocess, FollowsChangesOfSizeAndFormat) {
  const InputSpec spec = input({24, 16});
  Preprocessor kept(spec);
  for (const PixelFormat format : kFormats) {
    for (const Size image : {Size{40, 30}, Size{15, 33}, Size{40, 30}}) {
      const Picture picture = make_picture(format, image.width, image.height);
      Row a(spec);
      Row b(spec);
      kept.write(picture.view, a.view);
      Preprocessor(spec).write(picture.view, b.view);
      EXPECT_EQ(a.bytes, b.bytes) << to_string(format);
    }
  }
}

TEST(Preprocess, TakesFramesOf8K) {
  const Picture picture = make_picture(PixelFormat::kNv12, 7680, 4320);
  EXPECT_LE(worst(picture, input({56, 32})), 0.75);
}

TEST(Preprocess, PutsAnImageWhereItIsTold) {
  InputSpec spec;
  spec.size = {24, 16};
  spec.pad_value = 7;
  const Picture p = make_picture(PixelFormat::kBgr, 12, 8);
  InputSpec alone = spec;
  alone.size = {10, 6};
  alone.resize = ResizeRule::kStretch;
  std::vector<float> small(3 * 10 * 6);
  std::vector<float> large(3 * 24 * 16);
  Preprocessor(alone).write(p.view, {reinterpret_cast<std::byte*>(small.data()), DType::kF32, {1, 3, 6, 10}});
  Preprocessor whole(spec);
  const MutableTensorView row{reinterpret_cast<std::byte*>(large.data()), DType::kF32, {1, 3, 16, 24}};
  whole.write(p.view, row);  // its tables are of another place
  for (const Point offset : {Point{5, 9}, Point{14, 10}, Point{0, 0}}) {
    whole.write(p.view, Letterbox{{12, 8}, spec.size, offset, {10, 6}}, row);
    for (int y = 0; y < 16; ++y) {
      for (int x = 0; x < 24; ++x) {
        const int column = x - static_cast<int>(offset.x);
        const int line = y - static_cast<int>(offset.y);
        const bool inside = column >= 0 && column < 10 && line >= 0 && line < 6;
        const float expected = inside ? small[static_cast<std::size_t>(line * 10 + column)] : 7;
        ASSERT_EQ(large[static_cast<std::size_t>(y * 24 + x)], expected) << x << ' ' << y;
      }
    }
  }
}

}  // namespace
}  // namespace posecam
