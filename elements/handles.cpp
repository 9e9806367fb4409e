#include "elements/handles.h"

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

MappedFrame::MappedFrame(const GstVideoInfo& info, GstBuffer* buffer, GstMapFlags flags)
    : mapped_(gst_video_frame_map(&frame_, &info, buffer,
                                  static_cast<GstMapFlags>(flags | GST_VIDEO_FRAME_MAP_FLAG_NO_REF)) != 0),
      usable_(mapped_ && rows_in_memory(frame_)) {}

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

MutableImageView view_of(GstVideoFrame* frame) {
  MutableImageView view;
  view.format = pixel_format(GST_VIDEO_FRAME_FORMAT(frame)).value_or(PixelFormat::kBgr);
  view.width = GST_VIDEO_FRAME_WIDTH(frame);
  view.height = GST_VIDEO_FRAME_HEIGHT(frame);
  for (guint p = 0; p < GST_VIDEO_FRAME_N_PLANES(frame); ++p) {
    view.planes[p] = static_cast<std::uint8_t*>(GST_VIDEO_FRAME_PLANE_DATA(frame, p));
    view.strides[p] = GST_VIDEO_FRAME_PLANE_STRIDE(frame, p);
  }
  const GstVideoColorimetry& c = frame->info.colorimetry;
  view.colorimetry.matrix =
      c.matrix == GST_VIDEO_COLOR_MATRIX_BT709 ? YuvColorimetry::Matrix::kBt709 : YuvColorimetry::Matrix::kBt601;
  view.colorimetry.full_range = c.range == GST_VIDEO_COLOR_RANGE_0_255;
  return view;
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
