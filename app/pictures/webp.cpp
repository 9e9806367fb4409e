// libwebp: stills are animations of one frame to its animation decoder.

#include <algorithm>
#include <array>
#include <cstdint>
#include <istream>
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
    if (WebPGetFeatures(data.bytes, data.size, &features) != VP8_STATUS_OK) return cut_off();
    if (auto fits = check_size(features.width, features.height); !fits) return fits;
    WebPAnimDecoderOptions options;
    if (WebPAnimDecoderOptionsInit(&options) == 0) return damaged("another libwebp than this was built with is here");
    options.color_mode = MODE_BGRA;
    decoder_.reset(WebPAnimDecoderNew(&data, &options));
    WebPAnimInfo info;
    if (!decoder_ || WebPAnimDecoderGetInfo(decoder_.get(), &info) == 0) return cut_off();
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
    if (WebPAnimDecoderGetNext(decoder_.get(), &pixels, &end) == 0) return cut_off();
    const cv::Mat seen = on_white(cv::Mat(size_, CV_8UC4, pixels));
    const auto now = static_cast<std::uint32_t>(end);  // libwebp counts beyond what an int has
    const milliseconds said(now - std::exchange(end_, now));
    return std::optional(MovingFrame{turned(seen, orientation_), shown_for(said)});
  }

 private:
  const std::string bytes_;
  const Turn turn_;
  DecoderPtr decoder_{nullptr, WebPAnimDecoderDelete};
  cv::Size size_;
  std::size_t frames_ = 0;
  int orientation_ = 1;
  std::uint32_t end_ = 0;  ///< of the last frame, in milliseconds
};

}  // namespace

Result<std::unique_ptr<MovingPicture>> open_webp(std::string bytes, Turn turn) {
  auto picture = std::make_unique<WebpPicture>(std::move(bytes), turn);
  if (auto opened = picture->open(); !opened) return opened.error();
  return std::unique_ptr<MovingPicture>(std::move(picture));
}

/// WebP Container Specification: "RIFF", the size of what follows, "WEBP", chunks of a type, a size and so many bytes,
/// made even; "ANMF" is a frame. libwebp refuses files that are shorter than they say.
bool webp_moves(std::istream& file) {
  std::array<char, 12> head{};
  const std::string_view text(head.data(), head.size());
  if (!file.read(head.data(), 12)) return false;
  const std::int64_t end = 8 + std::int64_t{little_endian(text, 4, 4)};
  if (!file.seekg(0, std::ios::end) || file.tellg() < end) return false;
  int frames = 0;
  for (std::int64_t at = 12; at + 8 <= end && frames < 2;) {
    if (!file.seekg(at) || !file.read(head.data(), 8)) return false;
    if (text.starts_with("ANMF")) ++frames;
    const std::int64_t size = little_endian(text, 4, 4);
    at += 8 + size + size % 2;
  }
  return frames > 1;
}

}  // namespace posecam
