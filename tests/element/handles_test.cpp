#include "elements/base/handles.h"

#include <gmock/gmock.h>
#include <gst/video/gstvideometa.h>

#include "tests/element/harness.h"

namespace posecam::test {
namespace {

/// An NV12 frame of 16x16 pixels, rows of `stride` bytes, in `size` bytes of memory.
gst::BufferPtr frame_with_meta(gint stride, gsize chroma_offset, gsize size) {
  gst::BufferPtr buffer(gst_buffer_new_allocate(nullptr, size, nullptr));
  gsize offsets[GST_VIDEO_MAX_PLANES] = {0, chroma_offset};
  gint strides[GST_VIDEO_MAX_PLANES] = {stride, stride};
  gst_buffer_add_video_meta_full(buffer.get(), GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_FORMAT_NV12, 16, 16, 2, offsets,
                                 strides);
  return buffer;
}

bool maps(const gst::BufferPtr& buffer) {
  return static_cast<bool>(gst::MappedFrame(video_info(GST_VIDEO_FORMAT_NV12, 16, 16), buffer.get(), GST_MAP_READ));
}

TEST(MappedFrame, TakesPaddedRowsThatEndWithTheMemory) {
  EXPECT_TRUE(maps(frame_with_meta(20, 16 * 20, 16 * 20 + 7 * 20 + 16)));
  EXPECT_TRUE(maps(frame_with_meta(16, 16 * 16, 16 * 16 + 8 * 16)));
}

TEST(MappedFrame, RefusesMemorySmallerThanItsMetaSays) {
  EXPECT_FALSE(maps(frame_with_meta(20, 16 * 20, 16 * 20 + 7 * 20 + 15)));
  EXPECT_FALSE(maps(frame_with_meta(1 << 30, 16 * 16, 16 * 16 + 8 * 16)));
}

TEST(MappedFrame, RefusesRowsThatOverlapOrRunBackwards) {
  EXPECT_FALSE(maps(frame_with_meta(15, 16 * 16, 16 * 16 + 8 * 16)));
  EXPECT_FALSE(maps(frame_with_meta(-16, 16 * 16, 16 * 16 + 8 * 16)));
}

/// What a decoder with a crop or with padding hands out: 32x24 pixels whose values are 1, but for the picture of 16x16
/// at (8, 4), whose values are 2.
gst::BufferPtr picture_within(gint y_step) {
  constexpr gint kWidth = 32;
  constexpr gint kHeight = 24;
  gst::BufferPtr buffer(gst_buffer_new_allocate(nullptr, kWidth * kHeight * 3 / 2, nullptr));
  gst_buffer_memset(buffer.get(), 0, 1, kWidth * kHeight * 3 / 2);
  for (gsize y = 0; y < 16; ++y) gst_buffer_memset(buffer.get(), (y + 4) * kWidth + 8, 2, 16);
  for (gsize y = 0; y < 8; ++y) gst_buffer_memset(buffer.get(), kWidth * kHeight + (y + 2) * kWidth + 8, 2, 16);
  gsize offsets[GST_VIDEO_MAX_PLANES] = {0, kWidth * kHeight};
  gint strides[GST_VIDEO_MAX_PLANES] = {kWidth, kWidth};
  gst_buffer_add_video_meta_full(buffer.get(), GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_FORMAT_NV12, kWidth, kHeight, 2,
                                 offsets, strides);
  GstVideoCropMeta* crop = gst_buffer_add_video_crop_meta(buffer.get());
  crop->x = 8;
  crop->y = static_cast<guint>(4 + y_step);
  crop->width = crop->height = 16;
  return buffer;
}

TEST(MappedFrame, ShowsThePictureThatACropMetaMarks) {
  const auto buffer = picture_within(0);
  gst::MappedFrame frame(video_info(GST_VIDEO_FORMAT_NV12, 16, 16), buffer.get(), GST_MAP_READ);
  ASSERT_TRUE(frame);
  const auto view = frame.view();
  EXPECT_EQ(view.width, 16);
  EXPECT_EQ(view.height, 16);
  for (int y = 0; y < 16; ++y) {
    EXPECT_THAT(std::vector<int>(view.row(0, y), view.row(0, y) + 16), testing::Each(2)) << "row " << y;
  }
  for (int y = 0; y < 8; ++y) {
    EXPECT_THAT(std::vector<int>(view.row(1, y), view.row(1, y) + 16), testing::Each(2)) << "chroma row " << y;
  }
}

TEST(MappedFrame, RefusesACropOutsideItsFrame) {
  const auto buffer = picture_within(6);
  EXPECT_FALSE(maps(buffer));
}

TEST(MappedFrame, IsAsLargeAsTheCapsSayWhateverADecoderPads) {
  const auto buffer = picture_within(0);
  gst_buffer_remove_meta(buffer.get(), &gst_buffer_get_video_crop_meta(buffer.get())->meta);
  gst::MappedFrame frame(video_info(GST_VIDEO_FORMAT_NV12, 32, 16), buffer.get(), GST_MAP_READ);
  ASSERT_TRUE(frame);
  EXPECT_EQ(frame.view().height, 16);
}

TEST(NeuronInfer, ReportsMemorySmallerThanItsMetaSays) {
  use_fake_device({});
  HarnessPtr h(gst_harness_new_parse(fake_line().c_str()));
  set_caps(h.get(), video_info(GST_VIDEO_FORMAT_NV12, 16, 16));
  EXPECT_EQ(gst_harness_push(h.get(), frame_with_meta(64, 16 * 64, 16 * 64).release()), GST_FLOW_ERROR);
}

// What appsrc sends unless it is told otherwise; GStreamer's warning ends this program (main.cpp).
TEST(NeuronInfer, TakesSegmentsThatAreNotOfTime) {
  use_fake_device({});
  HarnessPtr h(gst_harness_new_parse((fake_line("qos=true") + " ! neuronjson location=/dev/null").c_str()));
  const auto info = video_info(GST_VIDEO_FORMAT_BGR, 16, 16);
  set_caps(h.get(), info);
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_BYTES);
  ASSERT_TRUE(gst_harness_push_event(h.get(), gst_event_new_segment(&segment)));
  ASSERT_EQ(gst_harness_push(h.get(), frame_of(info, GST_SECOND, 1).release()), GST_FLOW_OK);
  EXPECT_TRUE(gst::BufferPtr(gst_harness_pull(h.get())));
}

}  // namespace
}  // namespace posecam::test
