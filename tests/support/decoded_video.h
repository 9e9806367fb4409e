#pragma once
// What a player shows of a video file: its frames upright, their times, the shape of their pixels.

#include <cstdint>
#include <string>
#include <vector>

#include <gst/app/gstappsink.h>
#include <gst/gst.h>
#include <gst/video/video.h>
#include <gtest/gtest.h>

namespace posecam::test {

struct DecodedVideo {
  int width = 0;
  int height = 0;
  int par_n = 1;  ///< pixel aspect ratio
  int par_d = 1;
  struct Frame {
    double time = 0;                ///< seconds, in stream time
    std::vector<std::uint8_t> rgb;  ///< width * height * 3
  };
  std::vector<Frame> frames;
  double seconds = 0;  ///< of the container

  const std::uint8_t* pixel(std::size_t frame, int x, int y) const {
    return frames[frame].rgb.data() + 3 * (static_cast<std::ptrdiff_t>(y) * width + x);
  }
};

/// Where two frames of one size differ by more than `least` in one channel: the least box around it.
struct Box {
  int x0 = 1 << 30, y0 = 1 << 30, x1 = -1, y1 = -1;
  bool empty() const { return x1 < 0; }
};
inline Box difference(const DecodedVideo& a, const DecodedVideo& b, std::size_t frame, int least) {
  Box box;
  for (int y = 0; y < a.height; ++y) {
    for (int x = 0; x < a.width; ++x) {
      const std::uint8_t* p = a.pixel(frame, x, y);
      const std::uint8_t* q = b.pixel(frame, x, y);
      if (std::abs(p[0] - q[0]) <= least && std::abs(p[1] - q[1]) <= least && std::abs(p[2] - q[2]) <= least) continue;
      box = {std::min(box.x0, x), std::min(box.y0, y), std::max(box.x1, x), std::max(box.y1, y)};
    }
  }
  return box;
}

inline void take_frame(GstSample* sample, DecodedVideo& video) {
  GstVideoInfo info;
  gst_video_info_from_caps(&info, gst_sample_get_caps(sample));
  video.width = info.width;
  video.height = info.height;
  video.par_n = info.par_n;
  video.par_d = info.par_d;
  GstBuffer* buffer = gst_sample_get_buffer(sample);
  const GstClockTime time =
      gst_segment_to_stream_time(gst_sample_get_segment(sample), GST_FORMAT_TIME, GST_BUFFER_PTS(buffer));
  DecodedVideo::Frame frame{static_cast<double>(time) / GST_SECOND, {}};
  GstVideoFrame mapped;
  gst_video_frame_map(&mapped, &info, buffer, GST_MAP_READ);
  for (int y = 0; y < info.height; ++y) {
    const auto* row = static_cast<const std::uint8_t*>(GST_VIDEO_FRAME_PLANE_DATA(&mapped, 0)) +
                      static_cast<std::ptrdiff_t>(y) * GST_VIDEO_FRAME_PLANE_STRIDE(&mapped, 0);
    frame.rgb.insert(frame.rgb.end(), row, row + static_cast<std::ptrdiff_t>(info.width) * 3);
  }
  gst_video_frame_unmap(&mapped);
  video.frames.push_back(std::move(frame));
}

/// After gst_init(). No frames if it cannot be read.
inline DecodedVideo decode_video(const std::string& path) {
  DecodedVideo video;
  const std::string text = "filesrc location=\"" + path +
                           "\" ! decodebin ! videoconvert ! videoflip video-direction=auto ! videoconvert ! "
                           "video/x-raw,format=RGB ! appsink name=sink sync=false";
  GError* error = nullptr;
  GstElement* pipeline = gst_parse_launch(text.c_str(), &error);
  EXPECT_NE(pipeline, nullptr) << error->message;
  GstElement* sink = gst_bin_get_by_name(GST_BIN(pipeline), "sink");
  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  while (GstSample* sample = gst_app_sink_try_pull_sample(GST_APP_SINK(sink), 10 * GST_SECOND)) {
    take_frame(sample, video);
    gst_sample_unref(sample);
  }
  gint64 duration = 0;
  gst_element_query_duration(pipeline, GST_FORMAT_TIME, &duration);
  video.seconds = static_cast<double>(duration) / GST_SECOND;
  gst_object_unref(sink);
  gst_element_set_state(pipeline, GST_STATE_NULL);
  gst_object_unref(pipeline);
  return video;
}

}  // namespace posecam::test
