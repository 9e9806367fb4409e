// libwebp: stills are animations of one frame to its animation decoder.

#include <algorithm>
#include <utility>
#include <webp/decode.h>
#include <webp/demux.h>

#include "app/pictures/codecs.h"

namespace posecam {
namespace {

using std::chrono::milliseconds;
using DecoderPtr = std::unique_ptr<WebPAnimDecoder, decltype(&WebPAnimDecoderDelete)>;

int orientation_of(const WebPDemuxer* demuxer) {
  WebPChunkIterator found;
  if (WebPDemuxGetChunk(demuxer, "EXIF", 1, &found) == 0) return 1;
  std::string_view exif(reinterpret_cast<const char*>(found.chunk.bytes), found.chunk.size);
  if (exif.starts_with("Exif")) exif.remove_prefix(std::min<std::size_t>(6, exif.size()));  // some programs add it
  const int orientation = exif_orientation(exif);
  WebPDemuxReleaseChunkIterator(&found);
  return orientation;
}

class WebpPicture final : public MovingPicture {
 public:
  WebpPicture(std::string bytes, Turn turn) : bytes_(std::move(bytes)), turn_(turn) {}

  Result<void> open() {
    const WebPData data{reinterpret_cast<const std::uint8_t*>(bytes_.data()), bytes_.size()};
    WebPBitstreamFeatures features;
    if (WebPGetFeatures(data.bytes, data.size, &features) != VP8_STATUS_OK) return damaged("it is damaged or cut off");
    if (auto fits = check_size(features.width, features.height); !fits) return fits;
    WebPAnimDecoderOptions options;
    if (WebPAnimDecoderOptionsInit(&options) == 0) return damaged("another libwebp than this was built with is here");
    options.color_mode = MODE_BGRA;
    decoder_.reset(WebPAnimDecoderNew(&data, &options));
    WebPAnimInfo info;
    if (!decoder_ || WebPAnimDecoderGetInfo(decoder_.get(), &info) == 0) return damaged("it is damaged or cut off");
    size_ = {static_cast<int>(info.canvas_width), static_cast<int>(info.canvas_height)};
    frames_ = info.frame_count;
    if (turn_ == Turn::kUpright) orientation_ = orientation_of(WebPAnimDecoderGetDemuxer(decoder_.get()));
    return {};
  }

  std::size_t frames() const override { return frames_; }

  Result<std::optional<MovingFrame>> next() override {
    if (WebPAnimDecoderHasMoreFrames(decoder_.get()) == 0) return std::optional<MovingFrame>{};
    std::uint8_t* pixels = nullptr;
    int end = 0;
    if (WebPAnimDecoderGetNext(decoder_.get(), &pixels, &end) == 0) return damaged("it is damaged or cut off");
    const cv::Mat seen = on_white(cv::Mat(size_, CV_8UC4, pixels));
    const milliseconds duration(end - std::exchange(end_, end));
    return std::optional(MovingFrame{turned(seen, orientation_), duration});
  }

 private:
  const std::string bytes_;
  const Turn turn_;
  DecoderPtr decoder_{nullptr, WebPAnimDecoderDelete};
  cv::Size size_;
  std::size_t frames_ = 0;
  int orientation_ = 1;
  int end_ = 0;  ///< of the last frame, in milliseconds
};

}  // namespace

Result<std::unique_ptr<MovingPicture>> open_webp(std::string bytes, Turn turn) {
  auto picture = std::make_unique<WebpPicture>(std::move(bytes), turn);
  if (auto opened = picture->open(); !opened) return opened.error();
  return std::unique_ptr<MovingPicture>(std::move(picture));
}

}  // namespace posecam
