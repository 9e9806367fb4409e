// giflib undoes the compression; laying the frames over each other is ours (GIF89a specification, 23).

#include <algorithm>
#include <array>
#include <gif_lib.h>
#include <span>
#include <utility>
#include <vector>

#include "app/pictures/codecs.h"

namespace posecam {
namespace {

using std::chrono::milliseconds;

/// What browsers make of frames that would be shown for no time at all.
constexpr milliseconds kUnsaidDuration{100};
constexpr milliseconds kLeastDuration{20};

struct CloseGif {
  void operator()(GifFileType* file) const noexcept { DGifCloseFile(file, nullptr); }
};

struct Source {
  std::string bytes;
  std::size_t at = 0;
};

int read_source(GifFileType* file, GifByteType* to, int count) {
  auto& source = *static_cast<Source*>(file->UserData);
  const std::size_t size = std::min(static_cast<std::size_t>(count), source.bytes.size() - source.at);
  std::copy_n(source.bytes.data() + source.at, size, to);
  source.at += size;
  return static_cast<int>(size);
}

constexpr GraphicsControlBlock kNoControl{DISPOSAL_UNSPECIFIED, false, 0, NO_TRANSPARENT_COLOR};

struct Frame {
  GraphicsControlBlock control;
  cv::Mat indices;  ///< into the palette
};

class GifPicture final : public MovingPicture {
 public:
  explicit GifPicture(std::string bytes) : source_{std::move(bytes)} {}

  Result<void> open() {
    int error = 0;
    file_.reset(DGifOpen(&source_, read_source, &error));
    if (!file_) return damaged("it is damaged or cut off");
    if (auto fits = check_size(file_->SWidth, file_->SHeight); !fits) return fits;
    whole_ = read_all();
    if (frames_.empty()) return damaged(whole_ ? "there is no picture in it" : "it is damaged or cut off");
    canvas_ = cv::Mat::zeros(file_->SHeight, file_->SWidth, CV_8UC4);
    return {};
  }

  std::size_t frames() const override { return frames_.size(); }

  Result<std::optional<MovingFrame>> next() override {
    if (next_ == frames_.size()) {
      if (whole_) return std::optional<MovingFrame>{};
      return damaged("it is damaged or cut off");
    }
    const GraphicsControlBlock& control = frames_[next_].control;
    const GifImageDesc& place = file_->SavedImages[next_].ImageDesc;
    const cv::Mat before = control.DisposalMode == DISPOSE_PREVIOUS ? canvas_.clone() : cv::Mat();
    draw(frames_[next_++], place);
    const milliseconds said(10 * control.DelayTime);
    MovingFrame frame{on_white(canvas_), said < kLeastDuration ? kUnsaidDuration : said};
    if (control.DisposalMode == DISPOSE_PREVIOUS) canvas_ = before;
    if (control.DisposalMode == DISPOSE_BACKGROUND) canvas_(area_of(place)).setTo(cv::Scalar::all(0));
    return std::optional(std::move(frame));
  }

 private:
  /// What of a frame lies within the picture.
  cv::Rect area_of(const GifImageDesc& frame) const {
    return cv::Rect(frame.Left, frame.Top, frame.Width, frame.Height) & cv::Rect(cv::Point(), canvas_.size());
  }

  /// Not DGifSlurp(), whose frames may be filled in part where a file is cut off. False if something is missing; many a
  /// file has all of its frames and no trailer.
  bool read_all() {
    GraphicsControlBlock control = kNoControl;
    GifRecordType record = UNDEFINED_RECORD_TYPE;
    bool announced = false;  // an extension for a frame to come
    while (DGifGetRecordType(file_.get(), &record) == GIF_OK) {
      if (record == TERMINATE_RECORD_TYPE) return true;
      if (record == EXTENSION_RECORD_TYPE && !read_extension(control)) return false;
      announced = record == EXTENSION_RECORD_TYPE;
      if (record != IMAGE_DESC_RECORD_TYPE) continue;
      if (!read_frame(control)) return false;
      control = kNoControl;
    }
    return !announced && source_.at == source_.bytes.size();
  }

  bool read_extension(GraphicsControlBlock& control) {
    int code = 0;
    GifByteType* block = nullptr;  // its first byte is its length
    if (DGifGetExtension(file_.get(), &code, &block) != GIF_OK) return false;
    if (code == GRAPHICS_EXT_FUNC_CODE && block != nullptr) DGifExtensionToGCB(block[0], block + 1, &control);
    while (block != nullptr) {
      if (DGifGetExtensionNext(file_.get(), &block) != GIF_OK) return false;
    }
    return true;
  }

  bool read_frame(const GraphicsControlBlock& control) {
    if (DGifGetImageDesc(file_.get()) != GIF_OK) return false;
    const GifImageDesc& place = file_->Image;
    if (!check_size(place.Width, place.Height)) return false;
    Frame frame{control, cv::Mat(place.Height, place.Width, CV_8UC1)};
    struct Pass {
      int first;
      int step;
    };
    constexpr std::array kInterlaced{Pass{0, 8}, Pass{4, 8}, Pass{2, 4}, Pass{1, 2}};
    constexpr std::array kPlain{Pass{0, 1}};
    for (const Pass& pass : place.Interlace ? std::span<const Pass>(kInterlaced) : kPlain) {
      for (int y = pass.first; y < place.Height; y += pass.step) {
        if (DGifGetLine(file_.get(), frame.indices.ptr(y), place.Width) != GIF_OK) return false;
      }
    }
    frames_.push_back(std::move(frame));
    return true;
  }

  void draw(const Frame& frame, const GifImageDesc& place) {
    const ColorMapObject* palette = place.ColorMap != nullptr ? place.ColorMap : file_->SColorMap;
    if (palette == nullptr) return;
    const cv::Rect area = area_of(place);
    for (int y = area.y; y < area.br().y; ++y) {
      for (int x = area.x; x < area.br().x; ++x) {
        const int index = frame.indices.at<unsigned char>(y - place.Top, x - place.Left);
        if (index == frame.control.TransparentColor || index >= palette->ColorCount) continue;
        const GifColorType& color = palette->Colors[index];
        canvas_.at<cv::Vec4b>(y, x) = {color.Blue, color.Green, color.Red, 255};
      }
    }
  }

  Source source_;
  std::unique_ptr<GifFileType, CloseGif> file_;
  std::vector<Frame> frames_;  ///< the places and palettes are in file_->SavedImages
  bool whole_ = false;
  std::size_t next_ = 0;
  cv::Mat canvas_;  ///< BGRA
};

}  // namespace

Result<std::unique_ptr<MovingPicture>> open_gif(std::string bytes) {
  auto picture = std::make_unique<GifPicture>(std::move(bytes));
  if (auto opened = picture->open(); !opened) return opened.error();
  return std::unique_ptr<MovingPicture>(std::move(picture));
}

}  // namespace posecam
