#include "elements/base/handles.h"

#include <algorithm>

namespace posecam::gst {
namespace {

bool plane_in_memory(const GstVideoFrame& frame, guint plane) {
  gint components[GST_VIDEO_MAX_COMPONENTS];
  gst_video_format_info_component(frame.info.finfo, plane, components);
  const gsize row = static_cast<gsize>(GST_VIDEO_FRAME_COMP_WIDTH(&frame, components[0])) *
                    static_cast<gsize>(GST_VIDEO_FRAME_COMP_PSTRIDE(&frame, components[0]));
  const auto rows = static_cast<gsize>(GST_VIDEO_FRAME_COMP_HEIGHT(&frame, components[0]));
  const gint stride = GST_VIDEO_FRAME_PLANE_STRIDE(&frame, plane);
  const GstMapInfo& memory = frame.map[frame.meta ? plane : 0];
  const auto* first = static_cast<const guint8*>(GST_VIDEO_FRAME_PLANE_DATA(&frame, plane));
  if (!first || stride < 0 || static_cast<gsize>(stride) < row) return false;
  const auto before = static_cast<gsize>(first - memory.data);
  const gsize needed = static_cast<gsize>(stride) * (rows - 1) + row;
  return before <= memory.size && needed <= memory.size - before;
}

}  // namespace

bool rows_in_memory(const GstVideoFrame& frame) {
  for (guint p = 0; p < GST_VIDEO_FRAME_N_PLANES(&frame); ++p) {
    if (!plane_in_memory(frame, p)) return false;
  }
  return true;
}

Error unusable_frame() {
  return {
      Errc::kMedia,
      "a frame's memory cannot be mapped, or is smaller than its caps or video meta say: put videoconvert behind the "
      "element that makes such frames"};
}

std::optional<std::int64_t> stream_time_ns(const GstSegment& segment, const GstBuffer* buffer) {
  if (segment.format != GST_FORMAT_TIME) return {};  // appsrc's are of bytes, unless told
  const guint64 time = gst_segment_to_stream_time(&segment, GST_FORMAT_TIME, GST_BUFFER_PTS(buffer));
  if (!GST_CLOCK_TIME_IS_VALID(time)) return {};
  return static_cast<std::int64_t>(time);
}

MappedFrame::MappedFrame(const GstVideoInfo& info, GstBuffer* buffer, GstMapFlags flags)
    : size_{GST_VIDEO_INFO_WIDTH(&info), GST_VIDEO_INFO_HEIGHT(&info)},
      pixel_aspect_(pixel_aspect(info)),
      mapped_(gst_video_frame_map(&frame_, &info, buffer,
                                  static_cast<GstMapFlags>(flags | GST_VIDEO_FRAME_MAP_FLAG_NO_REF)) != 0),
      usable_(mapped_ && rows_in_memory(frame_)) {
  if (!usable_) return;
  const auto* crop = gst_buffer_get_video_crop_meta(buffer);
  if (!crop) return;
  x_ = static_cast<int>(std::min<guint>(crop->x, G_MAXINT)) / 2 * 2;  // chroma samples are shared by two pixels
  y_ = static_cast<int>(std::min<guint>(crop->y, G_MAXINT)) / 2 * 2;
  usable_ = x_ <= GST_VIDEO_FRAME_WIDTH(&frame_) - size_.width && y_ <= GST_VIDEO_FRAME_HEIGHT(&frame_) - size_.height;
}

float pixel_aspect(const GstVideoInfo& info) {
  const gint n = GST_VIDEO_INFO_PAR_N(&info);
  const gint d = GST_VIDEO_INFO_PAR_D(&info);
  constexpr float kMost = 256;  // more is a mistake, and would not be drawn
  return n > 0 && d > 0 ? std::clamp(static_cast<float>(n) / static_cast<float>(d), 1 / kMost, kMost) : 1;
}

std::optional<PixelFormat> pixel_format(GstVideoFormat format) {
  switch (format) {
    case GST_VIDEO_FORMAT_NV12: return PixelFormat::kNv12;
    case GST_VIDEO_FORMAT_I420: return PixelFormat::kI420;
    case GST_VIDEO_FORMAT_BGR: return PixelFormat::kBgr;
    case GST_VIDEO_FORMAT_RGB: return PixelFormat::kRgb;
    case GST_VIDEO_FORMAT_BGRx:
    case GST_VIDEO_FORMAT_BGRA: return PixelFormat::kBgrx;
    case GST_VIDEO_FORMAT_RGBx:
    case GST_VIDEO_FORMAT_RGBA: return PixelFormat::kRgbx;
    default: return {};
  }
}

MutableImageView MappedFrame::view() {
  MutableImageView view;
  view.format = pixel_format(GST_VIDEO_FRAME_FORMAT(&frame_)).value_or(PixelFormat::kBgr);
  view.width = size_.width;
  view.height = size_.height;
  view.pixel_aspect = pixel_aspect_;
  for (guint p = 0; p < GST_VIDEO_FRAME_N_PLANES(&frame_); ++p) {
    gint components[GST_VIDEO_MAX_COMPONENTS];
    gst_video_format_info_component(frame_.info.finfo, p, components);
    const gint c = components[0];
    view.strides[p] = GST_VIDEO_FRAME_PLANE_STRIDE(&frame_, p);
    view.planes[p] =
        static_cast<std::uint8_t*>(GST_VIDEO_FRAME_PLANE_DATA(&frame_, p)) +
        static_cast<std::ptrdiff_t>(GST_VIDEO_FORMAT_INFO_SCALE_HEIGHT(frame_.info.finfo, c, y_)) * view.strides[p] +
        static_cast<std::ptrdiff_t>(GST_VIDEO_FORMAT_INFO_SCALE_WIDTH(frame_.info.finfo, c, x_)) *
            GST_VIDEO_FRAME_COMP_PSTRIDE(&frame_, c);
  }
  const GstVideoColorimetry& c = frame_.info.colorimetry;
  view.colorimetry.matrix =
      c.matrix == GST_VIDEO_COLOR_MATRIX_BT709 ? YuvColorimetry::Matrix::kBt709 : YuvColorimetry::Matrix::kBt601;
  view.colorimetry.full_range = c.range == GST_VIDEO_COLOR_RANGE_0_255;
  return view;
}

void refuse_crop_meta(GstQuery* allocation) {
  guint index = 0;
  while (gst_query_find_allocation_meta(allocation, GST_VIDEO_CROP_META_API_TYPE, &index) != 0) {
    gst_query_remove_nth_allocation_meta(allocation, index);
  }
}

void ask_for_buffers(GstQuery* allocation, std::size_t held) {
  const auto extra = static_cast<guint>(held);
  for (guint i = 0; i < gst_query_get_n_allocation_pools(allocation); ++i) {
    GstBufferPool* pool = nullptr;
    guint size = 0;
    guint min = 0;
    guint max = 0;
    gst_query_parse_nth_allocation_pool(allocation, i, &pool, &size, &min, &max);
    const guint wanted = min + extra;
    gst_query_set_nth_allocation_pool(allocation, i, pool, size, wanted, max == 0 ? 0 : std::max(max, wanted));
    if (pool) gst_object_unref(pool);
  }
  if (gst_query_get_n_allocation_pools(allocation) > 0) return;
  GstCaps* caps = nullptr;
  gst_query_parse_allocation(allocation, &caps, nullptr);
  GstVideoInfo info;
  if (!caps || !gst_video_info_from_caps(&info, caps)) return;
  gst_query_add_allocation_pool(allocation, nullptr, static_cast<guint>(GST_VIDEO_INFO_SIZE(&info)), extra, 0);
}

}  // namespace posecam::gst
