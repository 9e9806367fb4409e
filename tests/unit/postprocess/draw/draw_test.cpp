#include "postprocess/draw/draw.h"

#include <algorithm>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "postprocess/draw/draw_canvas.h"

namespace posecam {
namespace {

constexpr std::uint8_t kBackground = 128;
constexpr PixelFormat kFormats[]{PixelFormat::kNv12, PixelFormat::kI420, PixelFormat::kBgr,
                                 PixelFormat::kRgb,  PixelFormat::kBgrx, PixelFormat::kRgbx};

/// Grey frame whose rows are followed by `padding` bytes.
struct Frame {
  Frame(PixelFormat format, int width, int height, int padding = 0) {
    view.format = format;
    view.width = width;
    view.height = height;
    view.colorimetry.full_range = true;
    for (int p = 0; p < plane_count(format); ++p) {
      const auto i = static_cast<std::size_t>(p);
      row_bytes[i] = p == 0 ? width * pixel_bytes(format) : (width + 1) / 2 * (format == PixelFormat::kNv12 ? 2 : 1);
      rows[i] = p == 0 ? height : (height + 1) / 2;
      view.strides[i] = row_bytes[i] + padding;
      bytes[i].assign(static_cast<std::size_t>(view.strides[i] * rows[i]), kBackground);
      view.planes[i] = bytes[i].data();
    }
  }
  MutableImageView view;
  std::array<std::vector<std::uint8_t>, 3> bytes;
  std::array<int, 3> row_bytes{};
  std::array<int, 3> rows{};
};

FrameResult scene() {
  auto model = std::make_shared<ModelSpec>();
  model->skeleton = find_skeleton("coco-17");
  model->labels = {"person"};
  FrameResult result;
  result.model = model;
  Pose pose;
  for (std::size_t i = 0; i < 17; ++i) {
    pose.keypoints[i] =
        Keypoint{0.2F + 0.035F * static_cast<float>(i), 0.3F + 0.03F * static_cast<float>(i * 7 % 17), 1};
  }
  pose.id = 7;
  result.poses = {pose};
  result.detections = {{{0.15F, 0.25F, 0.7F, 0.6F}, 0.93F, 0, 3}};
  return result;
}

std::size_t changed(const Frame& frame) {
  std::size_t n = 0;
  for (const auto& plane : frame.bytes)
    n += static_cast<std::size_t>(std::ranges::count_if(plane, [](auto b) { return b != kBackground; }));
  return n;
}

TEST(Draw, BoxEdgesAreExactAndNothingElseChanges) {
  FrameResult result;
  result.detections = {{{0.25F, 0.25F, 0.5F, 0.5F}, 1, 0, {}}};
  Frame frame(PixelFormat::kBgr, 40, 20);
  ASSERT_TRUE(draw(result, {.labels = false}, frame.view));
  const Rgb color = index_color(0);
  for (int y = 0; y < 20; ++y) {
    for (int x = 0; x < 40; ++x) {
      const bool inside = x >= 10 && x < 30 && y >= 5 && y < 15;
      const bool edge = inside && (x == 10 || x == 29 || y == 5 || y == 14);
      const std::uint8_t* p = frame.view.row(0, y) + 3 * x;
      EXPECT_EQ(p[0], edge ? color.b : kBackground) << x << "," << y;
      EXPECT_EQ(p[2], edge ? color.r : kBackground) << x << "," << y;
    }
  }
}

TEST(Draw, AJointIsCentredOnItsKeypoint) {
  for (const PixelFormat format : kFormats) {
    Frame frame(format, 640, 360);
    Canvas(frame.view).disc({320, 180}, 8, {255, 0, 0});
    const int bytes = pixel_bytes(format);
    for (int d = 0; d < 12; ++d) {  // mirrored: pixels 319-d and 320+d
      EXPECT_EQ(frame.view.row(0, 180)[(319 - d) * bytes], frame.view.row(0, 180)[(320 + d) * bytes]) << d;
    }
    EXPECT_NE(frame.view.row(0, 180)[320 * bytes], kBackground);
  }
}

TEST(Draw, LeavesPaddingBytesAloneAtOddSizes) {
  for (const PixelFormat format : kFormats) {
    for (const Size size : {Size{321, 181}, Size{1, 1}, Size{3, 2}, Size{2, 301}}) {
      Frame frame(format, size.width, size.height, 13);
      ASSERT_TRUE(draw(scene(), {}, frame.view)) << to_string(format);
      for (std::size_t p = 0; p < 3; ++p) {
        for (int y = 0; y < frame.rows[p]; ++y) {
          for (std::ptrdiff_t x = frame.row_bytes[p]; x < frame.view.strides[p]; ++x) {
            ASSERT_EQ(frame.view.row(static_cast<int>(p), y)[x], kBackground) << to_string(format);
          }
        }
      }
    }
  }
}

/// Columns and rows that differ from the background.
Size extent(const Frame& frame) {
  int x0 = frame.view.width, x1 = 0, y0 = frame.view.height, y1 = 0;
  for (int y = 0; y < frame.view.height; ++y) {
    for (int x = 0; x < frame.view.width; ++x) {
      if (frame.view.row(0, y)[x] == kBackground) continue;
      x0 = std::min(x0, x);
      x1 = std::max(x1, x + 1);
      y0 = std::min(y0, y);
      y1 = std::max(y1, y + 1);
    }
  }
  return {x1 - x0, y1 - y0};
}

TEST(Draw, WhatIsRoundLooksRoundWhenPixelsAreNotSquare) {
  constexpr int kSoft = 2;  // pixels that the edges add
  for (const float aspect : {0.5F, 2.F}) {
    for (const PixelFormat format : {PixelFormat::kNv12, PixelFormat::kI420}) {
      Frame frame(format, 640, 360);
      frame.view.pixel_aspect = aspect;
      Canvas(frame.view).disc({320, 180}, 20, {255, 255, 255});
      EXPECT_NEAR(extent(frame).height, 40 + kSoft, 3) << aspect;
      EXPECT_NEAR(extent(frame).width, 40 / aspect + kSoft, 3) << aspect;
    }
    Frame frame(PixelFormat::kI420, 640, 360);
    frame.view.pixel_aspect = aspect;
    Canvas(frame.view).line({100, 180}, {300, 180}, 12, {255, 255, 255});
    EXPECT_NEAR(extent(frame).height, 12 + kSoft, 3) << "a line across, " << aspect;
    EXPECT_NEAR(extent(frame).width, 200 + 12 / aspect + kSoft, 3);
    Frame upright(PixelFormat::kI420, 640, 360);
    upright.view.pixel_aspect = aspect;
    Canvas(upright.view).line({320, 100}, {320, 200}, 12, {255, 255, 255});
    EXPECT_NEAR(extent(upright).width, 12 / aspect + kSoft, 3) << "a line upright, " << aspect;
  }
}

TEST(Draw, IsTheSameEveryTime) {
  for (const PixelFormat format : kFormats) {
    Frame a(format, 320, 180);
    Frame b(format, 320, 180);
    ASSERT_TRUE(draw(scene(), {}, a.view));
    ASSERT_TRUE(draw(scene(), {}, b.view));
    EXPECT_EQ(a.bytes, b.bytes);
    EXPECT_GT(changed(a), 100U);
  }
}

TEST(Draw, YuvFramesShowWhatBgrFramesShow) {
  Frame bgr(PixelFormat::kBgr, 640, 360);
  ASSERT_TRUE(draw(scene(), {}, bgr.view));
  for (const PixelFormat format : {PixelFormat::kNv12, PixelFormat::kI420}) {
    Frame yuv(format, 640, 360);
    ASSERT_TRUE(draw(scene(), {}, yuv.view));
    double chroma_error = 0;
    for (int y = 0; y < 360; ++y) {
      for (int x = 0; x < 640; ++x) {
        const std::uint8_t* p = bgr.view.row(0, y) + 3 * x;
        const Yuv expected = to_yuv({p[2], p[1], p[0]}, yuv.view.colorimetry);
        ASSERT_NEAR(yuv.view.row(0, y)[x], expected.y, 3) << x << "," << y;
        const int u = format == PixelFormat::kNv12 ? yuv.view.row(1, y / 2)[x / 2 * 2] : yuv.view.row(1, y / 2)[x / 2];
        chroma_error += std::abs(u - expected.u);
      }
    }
    EXPECT_LT(chroma_error / (640 * 360), 1.5);  // half resolution: only the rims of shapes differ
  }
}

TEST(Draw, I420AndNv12HoldTheSameBoxChroma) {
  Frame nv12(PixelFormat::kNv12, 100, 60);
  Frame i420(PixelFormat::kI420, 100, 60);
  for (Frame* frame : {&nv12, &i420}) Canvas(frame->view).fill({11, 7, 50, 31}, {200, 30, 90});
  for (int y = 0; y < 30; ++y) {
    for (int x = 0; x < 50; ++x) {
      EXPECT_EQ(nv12.view.row(1, y)[2 * x], i420.view.row(1, y)[x]);
      EXPECT_EQ(nv12.view.row(1, y)[2 * x + 1], i420.view.row(2, y)[x]);
    }
  }
}

TEST(Draw, LeavesOutWhatIsTooUnsureOrNotDrawn) {
  FrameResult result = scene();
  result.detections.clear();
  for (auto& k : result.poses[0].keypoints) {
    if (k) k->score = 0.04F;
  }
  Frame frame(PixelFormat::kBgr, 320, 180);
  ASSERT_TRUE(draw(result, {.labels = false}, frame.view));
  EXPECT_EQ(changed(frame), 0U);
  ASSERT_TRUE(draw(scene(), {.skeletons = false, .boxes = false, .labels = false}, frame.view));
  EXPECT_EQ(changed(frame), 0U);
}

TEST(Draw, SaysBeforehandWhetherAFrameWillChange) {
  const auto agrees = [](const FrameResult& result, const DrawOptions& options) {
    Frame frame(PixelFormat::kBgr, 320, 180);
    EXPECT_TRUE(draw(result, options, frame.view));
    EXPECT_EQ(draws_anything(result, options), changed(frame) > 0);
  };
  FrameResult unsure = scene();
  for (auto& k : unsure.poses[0].keypoints) {
    if (k) k->score = 0.04F;
  }
  FrameResult nowhere = scene();
  nowhere.detections[0].box.x = 2;
  FrameResult nobody = scene();
  nobody.poses.clear();
  nobody.detections.clear();
  FrameResult owl = nobody;
  owl.classes = {{0.5F, 0}};
  FrameResult headless = scene();
  headless.model = std::make_shared<ModelSpec>();  // without a skeleton
  for (const bool skeletons : {false, true}) {
    for (const bool boxes : {false, true}) {
      for (const bool labels : {false, true}) {
        for (const FrameResult& result : {scene(), unsure, nowhere, nobody, owl, headless, FrameResult{}}) {
          agrees(result, {.skeletons = skeletons, .boxes = boxes, .labels = labels});
        }
      }
    }
  }
}

TEST(Draw, HostileCoordinatesAreHarmless) {
  constexpr float kInf = std::numeric_limits<float>::infinity();
  for (const float v : {std::numeric_limits<float>::quiet_NaN(), kInf, -kInf, 1e30F, -1e30F, 1e9F, -1.9F, 1.9F}) {
    FrameResult result = scene();
    for (std::size_t i = 0; i < 17; i += 2) result.poses[0].keypoints[i] = Keypoint{v, -v, 1};
    result.detections = {{{v, v, v, v}, v, -5, {}}, {{-v, 0, v, 1}, 1, 1 << 30, {}}, {{0, 0, v, v}, 1, 0, -1}};
    for (const PixelFormat format : kFormats) {
      Frame frame(format, 161, 91);
      EXPECT_TRUE(draw(result, {}, frame.view)) << v;
    }
  }
}

TEST(Draw, LinesFollowTheFrameSize) {
  EXPECT_EQ(style_for({320, 180}).line_width, 1);
  EXPECT_EQ(style_for({1920, 1080}).line_width, 4);
  EXPECT_EQ(style_for({1, 1}).line_width, 1);
}

TEST(Draw, LeftAndRightPartsDiffer) {
  for (const std::string_view name : skeleton_names()) {
    const auto skeleton = find_skeleton(name);
    const auto colors = part_colors(*skeleton);
    const std::size_t left = skeleton->to_coco17[5].value();
    const std::size_t right = skeleton->to_coco17[6].value();
    EXPECT_GT(colors[right].r, 200);
    EXPECT_LT(colors[left].r, 100);
  }
}

TEST(Draw, ColoursFollowTheColorimetry) {
  using Matrix = YuvColorimetry::Matrix;
  EXPECT_EQ(to_yuv({255, 255, 255}, {Matrix::kBt601, false}).y, 235);
  EXPECT_EQ(to_yuv({0, 0, 0}, {Matrix::kBt709, false}).y, 16);
  EXPECT_EQ(to_yuv({255, 0, 0}, {Matrix::kBt601, true}).y, 76);
  EXPECT_EQ(to_yuv({255, 0, 0}, {Matrix::kBt709, false}).y, 63);
  EXPECT_EQ(to_yuv({255, 0, 0}, {Matrix::kBt709, false}).v, 240);
}

/// Labels of COCO, the colours of which stand side by side.
TEST(IndexColor, TellsNinetyLabelsApart) {
  int least = 1000;
  for (int a = 0; a < 90; ++a) {
    for (int b = 0; b < a; ++b) {
      const Rgb p = index_color(a);
      const Rgb q = index_color(b);
      least = std::min(least, std::abs(p.r - q.r) + std::abs(p.g - q.g) + std::abs(p.b - q.b));
    }
  }
  EXPECT_GE(least, 15);
}

}  // namespace
}  // namespace posecam
