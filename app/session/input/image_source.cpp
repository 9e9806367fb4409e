#include "app/session/input/image_source.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <exception>
#include <fstream>
#include <iterator>

#include <gst/app/gstappsrc.h>
#include <gst/video/video.h>
#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>

namespace posecam {
namespace {

struct Reader {
  std::vector<std::filesystem::path> images;
  bool repeats = false;
  std::uint64_t pushed = 0;
  cv::Size size;
};

/// The image upright, as its EXIF data says; empty if it cannot be decoded.
cv::Mat decode(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  const std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
  if (!file || bytes.empty()) return {};
  try {
    return cv::imdecode(cv::Mat(1, static_cast<int>(bytes.size()), CV_8UC1, const_cast<char*>(bytes.data())),
                        cv::IMREAD_COLOR);
  } catch (const std::exception&) {  // cv::Exception for sizes beyond its limits, bad_alloc
    return {};
  }
}

/// Copies the pixels into a buffer with the row stride that GStreamer expects of BGR.
GstBuffer* to_buffer(const cv::Mat& image, const GstVideoInfo& info) {
  GstBuffer* buffer = gst_buffer_new_allocate(nullptr, GST_VIDEO_INFO_SIZE(&info), nullptr);
  GstMapInfo map;
  if (gst_buffer_map(buffer, &map, GST_MAP_WRITE) == FALSE) return buffer;
  const auto row_bytes = static_cast<std::size_t>(image.cols) * 3;
  for (int y = 0; y < image.rows; ++y) {
    std::memcpy(map.data + static_cast<std::size_t>(y) * GST_VIDEO_INFO_PLANE_STRIDE(&info, 0), image.ptr(y),
                row_bytes);
  }
  gst_buffer_unmap(buffer, &map);
  return buffer;
}

void announce_size(GstAppSrc* source, Reader& reader, cv::Size size, GstVideoInfo& info) {
  gst_video_info_set_format(&info, GST_VIDEO_FORMAT_BGR, static_cast<guint>(size.width),
                            static_cast<guint>(size.height));
  info.fps_n = kImageRate;
  info.fps_d = 1;
  if (size == reader.size) return;
  reader.size = size;
  GstCaps* caps = gst_video_info_to_caps(&info);
  gst_app_src_set_caps(source, caps);
  gst_caps_unref(caps);
}

void push_next(GstAppSrc* source, guint, gpointer data) {
  auto& reader = *static_cast<Reader*>(data);
  if (reader.pushed >= reader.images.size() && !reader.repeats) {
    gst_app_src_end_of_stream(source);
    return;
  }
  const std::size_t index = reader.pushed % reader.images.size();
  cv::Mat image = decode(reader.images[index]);
  const bool broken = image.empty();
  if (broken) {
    GstStructure* what =
        gst_structure_new("image-unreadable", "path", G_TYPE_STRING, reader.images[index].c_str(), nullptr);
    gst_element_post_message(GST_ELEMENT(source), gst_message_new_element(GST_OBJECT(source), what));
    image = cv::Mat::zeros(reader.size.empty() ? cv::Size(64, 64) : reader.size, CV_8UC3);
  }
  GstVideoInfo info;
  announce_size(source, reader, image.size(), info);
  GstBuffer* buffer = to_buffer(image, info);
  if (broken) GST_BUFFER_FLAG_SET(buffer, GST_BUFFER_FLAG_CORRUPTED);
  GST_BUFFER_PTS(buffer) = gst_util_uint64_scale(reader.pushed++, GST_SECOND, kImageRate);
  GST_BUFFER_DURATION(buffer) = gst_util_uint64_scale(1, GST_SECOND, kImageRate);
  gst_app_src_push_buffer(source, buffer);
}

}  // namespace

GstElement* make_image_source(std::vector<std::filesystem::path> images, bool repeats) {
  GstElement* element = gst_element_factory_make("appsrc", nullptr);
  if (element == nullptr) return nullptr;
  // Time format, so that a segment starts at 0; one frame of 8K is 100 MB, so no more than two wait.
  g_object_set(element, "format", GST_FORMAT_TIME, "max-buffers", guint64{1}, "max-bytes", guint64{0}, nullptr);
  GstAppSrcCallbacks callbacks{};
  callbacks.need_data = push_next;
  gst_app_src_set_callbacks(GST_APP_SRC(element), &callbacks, new Reader{std::move(images), repeats, 0, {}},
                            [](gpointer reader) { delete static_cast<Reader*>(reader); });
  return element;
}

}  // namespace posecam
