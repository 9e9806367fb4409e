// giflib undoes the compression; laying the frames over each other is ours (GIF89a specification, 23).

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <gif_lib.h>
#include <istream>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "app/pictures/codecs.h"

namespace posecam {
namespace {

using std::chrono::milliseconds;

struct CloseGif {
  void operator()(GifFileType* file) const noexcept { DGifCloseFile(file, nullptr); }
};

int read_stream(GifFileType* file, GifByteType* to, int count) {
  auto& stream = *static_cast<std::istream*>(file->UserData);
  stream.read(reinterpret_cast<char*>(to), count);
  return static_cast<int>(stream.gcount());
}

constexpr GraphicsControlBlock kNoControl{DISPOSAL_UNSPECIFIED, false, 0, NO_TRANSPARENT_COLOR};

enum class Found : std::uint8_t { kFrame, kEnd, kDamage };

/// The frames of a file one behind the other. None of them is kept: a file may have thousands.
class GifFrames {
 public:
  explicit GifFrames(std::istream& stream) : stream_(stream) {
    int error = 0;
    file_.reset(DGifOpen(&stream, read_stream, &error));
  }

  /// kMedia if there is no header, or one of a picture that is too large.
  Result<void> check_header() const {
    if (!file_) return cut_off();
    return check_size(file_->SWidth, file_->SHeight);
  }

  /// Reads up to the pixels of the next frame, which are to be read or skipped then. kDamage if something is missing;
  /// many a file has all of its frames and no trailer.
  Found next() {
    control_ = kNoControl;
    GifRecordType record = UNDEFINED_RECORD_TYPE;
    bool announced = false;  // an extension for a frame to come
    while (DGifGetRecordType(file_.get(), &record) == GIF_OK) {
      if (record == TERMINATE_RECORD_TYPE) return Found::kEnd;
      if (record == EXTENSION_RECORD_TYPE && !read_extension()) return Found::kDamage;
      announced = record == EXTENSION_RECORD_TYPE;
      if (record == IMAGE_DESC_RECORD_TYPE) return read_place() ? Found::kFrame : Found::kDamage;
    }
    return !announced && stream_.peek() == std::istream::traits_type::eof() ? Found::kEnd : Found::kDamage;
  }

  bool read_row(std::span<GifByteType> row) {
    return DGifGetLine(file_.get(), row.data(), static_cast<int>(row.size())) == GIF_OK;
  }

  /// False where the file ends within them.
  bool skip_pixels() {
    int code_size = 0;
    GifByteType* block = nullptr;
    if (DGifGetCode(file_.get(), &code_size, &block) != GIF_OK) return false;
    while (block != nullptr) {
      if (DGifGetCodeNext(file_.get(), &block) != GIF_OK) return false;
    }
    return true;
  }

  cv::Size size() const { return {file_->SWidth, file_->SHeight}; }
  const GraphicsControlBlock& control() const { return control_; }
  const GifImageDesc& place() const { return file_->Image; }
  /// Null if the file has none for this frame.
  const ColorMapObject* palette() const {
    return file_->Image.ColorMap != nullptr ? file_->Image.ColorMap : file_->SColorMap;
  }

 private:
  bool read_extension() {
    int code = 0;
    GifByteType* block = nullptr;  // its first byte is its length
    if (DGifGetExtension(file_.get(), &code, &block) != GIF_OK) return false;
    if (code == GRAPHICS_EXT_FUNC_CODE && block != nullptr) DGifExtensionToGCB(block[0], block + 1, &control_);
    while (block != nullptr) {
      if (DGifGetExtensionNext(file_.get(), &block) != GIF_OK) return false;
    }
    return true;
  }

  /// Not DGifGetImageDesc(), which keeps the palettes of all frames.
  bool read_place() {
    if (DGifGetImageHeader(file_.get()) != GIF_OK) return false;
    return static_cast<bool>(check_size(file_->Image.Width, file_->Image.Height));
  }

  std::istream& stream_;
  std::unique_ptr<GifFileType, CloseGif> file_;
  GraphicsControlBlock control_ = kNoControl;
};

struct Count {
  std::size_t frames = 0;
  bool whole = false;  ///< there is no damage behind them; not known of `most`
};

/// Goes over the blocks of pixels.
Count count_frames(GifFrames& frames, std::size_t most = std::numeric_limits<std::size_t>::max()) {
  Count count;
  while (count.frames < most) {
    const Found found = frames.next();
    count.whole = found == Found::kEnd;
    if (found != Found::kFrame || !frames.skip_pixels()) break;
    ++count.frames;
  }
  return count;
}

class GifPicture final : public MovingPicture {
 public:
  explicit GifPicture(std::string bytes) : stream_(std::move(bytes)) {}

  Result<void> open() {
    GifFrames all(stream_);
    if (auto fits = all.check_header(); !fits) return fits;
    const Count count = count_frames(all);
    if (count.frames == 0) return count.whole ? damaged("there is no picture in it") : cut_off();
    count_ = count.frames;
    stream_.clear();
    stream_.seekg(0);
    frames_.emplace(stream_);
    canvas_ = cv::Mat::zeros(all.size(), CV_8UC4);
    return frames_->check_header();
  }

  std::size_t frames() const override { return count_; }

  Result<std::optional<MovingFrame>> next() override {
    if (found_ == Found::kFrame) found_ = frames_->next();
    if (found_ == Found::kEnd) return std::optional<MovingFrame>{};
    if (found_ == Found::kDamage) return cut_off();
    const GraphicsControlBlock& control = frames_->control();
    cv::Mat area = canvas_(seen_area());
    const cv::Mat before = control.DisposalMode == DISPOSE_PREVIOUS ? area.clone() : cv::Mat();
    if (!draw()) {
      found_ = Found::kDamage;
      return cut_off();
    }
    MovingFrame frame{on_white(canvas_), shown_for(milliseconds(10 * control.DelayTime))};
    if (!before.empty()) before.copyTo(area);
    if (control.DisposalMode == DISPOSE_BACKGROUND) area.setTo(cv::Scalar::all(0));
    return std::optional(std::move(frame));
  }

 private:
  /// What of the frame lies within the picture.
  cv::Rect seen_area() const {
    const GifImageDesc& place = frames_->place();
    return cv::Rect(place.Left, place.Top, place.Width, place.Height) & cv::Rect(cv::Point(), canvas_.size());
  }

  /// Not DGifSlurp(), whose frames may be filled in part where a file is cut off. False if there are too few pixels.
  bool draw() {
    const GifImageDesc& place = frames_->place();
    struct Pass {
      int first;
      int step;
    };
    constexpr std::array kInterlaced{Pass{0, 8}, Pass{4, 8}, Pass{2, 4}, Pass{1, 2}};
    constexpr std::array kPlain{Pass{0, 1}};
    std::vector<GifByteType> row(static_cast<std::size_t>(place.Width));
    for (const Pass& pass : place.Interlace ? std::span<const Pass>(kInterlaced) : kPlain) {
      for (int y = pass.first; y < place.Height; y += pass.step) {
        if (!frames_->read_row(row)) return false;
        draw_row(row, y);
      }
    }
    return true;
  }

  /// Row `y` of the frame.
  void draw_row(std::span<const GifByteType> row, int y) {
    const ColorMapObject* palette = frames_->palette();
    const GifImageDesc& place = frames_->place();
    const cv::Rect area = seen_area();
    if (palette == nullptr || place.Top + y >= area.br().y) return;
    for (int x = area.x; x < area.br().x; ++x) {
      const int index = row[static_cast<std::size_t>(x - place.Left)];
      if (index == frames_->control().TransparentColor || index >= palette->ColorCount) continue;
      const GifColorType& color = palette->Colors[index];
      canvas_.at<cv::Vec4b>(place.Top + y, x) = {color.Blue, color.Green, color.Red, 255};
    }
  }

  std::istringstream stream_;
  std::optional<GifFrames> frames_;
  std::size_t count_ = 0;
  Found found_ = Found::kFrame;  ///< where `frames_` is
  cv::Mat canvas_;               ///< BGRA
};

}  // namespace

Result<std::unique_ptr<MovingPicture>> open_gif(std::string bytes) {
  auto picture = std::make_unique<GifPicture>(std::move(bytes));
  if (auto opened = picture->open(); !opened) return opened.error();
  return std::unique_ptr<MovingPicture>(std::move(picture));
}

bool gif_moves(std::istream& file) {
  GifFrames frames(file);
  return frames.check_header() && count_frames(frames, 2).frames == 2;
}

}  // namespace posecam
