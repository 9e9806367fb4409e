#include "app/session/input/image_source.h"

#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <gst/app/gstappsrc.h>
#include <gst/video/video.h>
#include <opencv2/core.hpp>

#include "app/pictures/picture.h"
#include "app/session/utf8.h"

namespace posecam {
namespace {

/// One frame of the stream.
struct Shown {
  cv::Mat pixels;
  GstClockTime time = 0;
  GstClockTime duration = 0;
  std::uint64_t place = 0;  ///< of its picture among all, or of the frame in its picture
  bool corrupted = false;
};

void tell(GstElement* source, const char* what, const std::string& text) {
  GstStructure* told = gst_structure_new(what, "text", G_TYPE_STRING, valid_utf8(text).c_str(), nullptr);
  gst_element_post_message(source, gst_message_new_element(GST_OBJECT(source), told));
}

/// Where the frames come from.
class Reader {
 public:
  explicit Reader(int fps) : rate(fps) {}
  virtual ~Reader() = default;
  /// Nothing at the end.
  virtual std::optional<Shown> next(GstElement* source) = 0;

  const int rate;      ///< frames a second; 0: they come as they like
  cv::Size announced;  ///< size that the caps have
};

class Stills final : public Reader {
 public:
  Stills(std::vector<std::filesystem::path> images, bool repeats)
      : Reader(kImageRate), images_(std::move(images)), repeats_(repeats) {}

  std::optional<Shown> next(GstElement* source) override {
    while (pushed_ < images_.size() || repeats_) {
      Shown shown;
      shown.place = pushed_ % images_.size();
      shown.time = gst_util_uint64_scale(pushed_++, GST_SECOND, kImageRate);
      shown.duration = gst_util_uint64_scale(1, GST_SECOND, kImageRate);
      decode(source, shown);
      if (!shown.pixels.empty()) return shown;
      if (pushed_ == images_.size()) break;  // not one of them can be decoded
    }
    return {};
  }

 private:
  void decode(GstElement* source, Shown& shown) {
    const std::filesystem::path& path = images_[shown.place];
    auto picture = read_picture(path);
    if (!picture) {
      tell(source, kPictureFailed, picture.error().message + "; it is not analysed");
      shown.corrupted = true;
      if (size_.empty() && !std::exchange(searched_, true)) size_ = size_of_first_good(shown.place + 1);
      if (!size_.empty()) shown.pixels = cv::Mat::zeros(size_, CV_8UC3);
      return;
    }
    if (picture->left_out > 0 && pushed_ <= images_.size()) {
      tell(source, kPictureWarning,
           fmt::format("{}: only its first picture is analysed; {} more {} left out", path.string(), picture->left_out,
                       picture->left_out == 1 ? "is" : "are"));
    }
    shown.pixels = std::move(picture->pixels);
    size_ = shown.pixels.size();
  }

  cv::Size size_of_first_good(std::size_t from) const {
    for (std::size_t i = from; i < images_.size(); ++i) {
      if (const auto picture = read_picture(images_[i])) return picture->pixels.size();
    }
    return {};
  }

  const std::vector<std::filesystem::path> images_;
  const bool repeats_;
  std::uint64_t pushed_ = 0;
  cv::Size size_;          ///< of the last picture that could be decoded
  bool searched_ = false;  ///< for the first of them, behind those that could not
};

class Moving final : public Reader {
 public:
  Moving(std::filesystem::path image, bool repeats) : Reader(0), image_(std::move(image)), repeats_(repeats) {}

  std::optional<Shown> next(GstElement* source) override {
    auto frame = next_frame();
    if (frame && !*frame && repeats_ && place_ > 0) {
      picture_.reset();
      place_ = 0;
      return next(source);
    }
    if (!frame) tell(source, kPictureFailed, frame.error().message);
    if (!frame || !*frame) return {};
    Shown shown{std::move((*frame)->pixels), end_, static_cast<GstClockTime>((*frame)->duration.count()), place_++};
    end_ += shown.duration;
    return shown;
  }

 private:
  Result<std::optional<MovingFrame>> next_frame() {
    if (!picture_) {
      auto opened = open_moving(image_);
      if (!opened) return opened.error();
      picture_ = *std::move(opened);
    }
    return picture_->next();
  }

  const std::filesystem::path image_;
  const bool repeats_;
  std::unique_ptr<MovingPicture> picture_;
  std::uint64_t place_ = 0;
  GstClockTime end_ = 0;  ///< of the last frame
};

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

GstVideoInfo announce(GstAppSrc* source, Reader& reader, const Shown& shown) {
  GstVideoInfo info;
  gst_video_info_set_format(&info, GST_VIDEO_FORMAT_BGR, static_cast<guint>(shown.pixels.cols),
                            static_cast<guint>(shown.pixels.rows));
  if (shown.pixels.size() == reader.announced) return info;
  reader.announced = shown.pixels.size();
  info.fps_n = reader.rate;
  info.fps_d = 1;
  GstCaps* caps = gst_video_info_to_caps(&info);
  gst_app_src_set_caps(source, caps);
  gst_caps_unref(caps);
  return info;
}

void push_next(GstAppSrc* source, guint, gpointer data) {
  auto& reader = *static_cast<Reader*>(data);
  const auto shown = reader.next(GST_ELEMENT(source));
  if (!shown) {
    gst_app_src_end_of_stream(source);
    return;
  }
  const GstVideoInfo info = announce(source, reader, *shown);
  GstBuffer* buffer = to_buffer(shown->pixels, info);
  if (shown->corrupted) GST_BUFFER_FLAG_SET(buffer, GST_BUFFER_FLAG_CORRUPTED);
  GST_BUFFER_PTS(buffer) = shown->time;
  GST_BUFFER_DURATION(buffer) = shown->duration;
  GST_BUFFER_OFFSET(buffer) = shown->place;
  gst_app_src_push_buffer(source, buffer);
}

GstElement* make_source(std::unique_ptr<Reader> reader) {
  GstElement* element = gst_element_factory_make("appsrc", nullptr);
  if (element == nullptr) return nullptr;
  // Time format, so that a segment starts at 0. What waits in all is for the inlet to say (graph/inlet.h).
  g_object_set(element, "format", GST_FORMAT_TIME, "max-buffers", guint64{1}, "max-bytes", guint64{0}, nullptr);
  GstAppSrcCallbacks callbacks{};
  callbacks.need_data = push_next;
  gst_app_src_set_callbacks(GST_APP_SRC(element), &callbacks, reader.release(),
                            [](gpointer data) { delete static_cast<Reader*>(data); });
  return element;
}

}  // namespace

GstElement* make_image_source(std::vector<std::filesystem::path> images, bool repeats) {
  return make_source(std::make_unique<Stills>(std::move(images), repeats));
}

GstElement* make_moving_source(std::filesystem::path image, bool repeats) {
  return make_source(std::make_unique<Moving>(std::move(image), repeats));
}

}  // namespace posecam
