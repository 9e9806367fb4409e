#include "app/pictures/picture.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <exception>
#include <fstream>
#include <new>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "app/pictures/codecs.h"
#include "app/pictures/format.h"
#include "models/core/file.h"
#include "models/core/text.h"

namespace posecam {
namespace {

std::atomic<std::int64_t> most = kMostPixels;  ///< pixels of a picture

Result<Picture> first_frame(Result<std::unique_ptr<MovingPicture>> moving) {
  if (!moving) return moving.error();
  auto frame = (*moving)->next();
  if (!frame) return frame.error();
  if (!*frame) return damaged("there is no picture in it");
  return Picture{std::move((*frame)->pixels), (*moving)->frames() - 1};
}

Result<Picture> decode(PictureKind kind, std::string bytes, Turn turn) {
  switch (kind.format) {
    case PictureFormat::kJpeg: return read_jpeg(bytes, turn);
    case PictureFormat::kPng: return read_png(bytes, turn);
    case PictureFormat::kTiff: return read_tiff(bytes, turn);
    case PictureFormat::kHeif: return read_heif(bytes);
    case PictureFormat::kBmp: return read_bmp(bytes);
    case PictureFormat::kPnm: return read_pnm(bytes);
    case PictureFormat::kWebp: return first_frame(open_webp(std::move(bytes), turn));
    case PictureFormat::kGif: return first_frame(open_gif(std::move(bytes)));
    case PictureFormat::kNone: return damaged("not a picture");
    case PictureFormat::kForeign: break;
  }
  return damaged(fmt::format("{} is not decoded here; convert it to PNG or JPEG", kind.name));
}

Result<std::unique_ptr<MovingPicture>> open(PictureKind kind, std::string bytes) {
  if (kind.format == PictureFormat::kGif) return open_gif(std::move(bytes));
  if (kind.format == PictureFormat::kWebp) return open_webp(std::move(bytes), Turn::kUpright);
  return damaged("not a picture that moves");
}

Error about(const std::filesystem::path& path, std::string_view why) {
  return {Errc::kMedia, fmt::format("{}: {}", path.string(), why)};
}

/// What `work` gives; its error, and what a library throws, with the path.
template <class Work>
auto shielded(const std::filesystem::path& path, Work&& work) -> decltype(work()) {
  constexpr std::string_view kNoMemory = "there is not enough memory for it";
  try {
    auto done = work();
    if (!done) return about(path, done.error().message);
    return done;
  } catch (const cv::Exception& e) {
    return about(path, e.code == cv::Error::StsNoMem ? std::string(kNoMemory) : joined_lines(e.err));
  } catch (const std::bad_alloc&) {
    return about(path, kNoMemory);
  } catch (const std::exception& e) {
    return about(path, e.what());
  }
}

/// `work` on the bytes of the file and what they are; its error with the path.
template <class Work>
auto with_file(const std::filesystem::path& path, Work&& work) {
  return shielded(path, [&]() -> decltype(work(PictureKind{}, std::string())) {
    auto bytes = read_file(path);
    if (!bytes) return bytes.error();
    if (bytes->empty()) return damaged("the file is empty");
    const PictureKind kind = picture_kind(std::string_view(*bytes).substr(0, kPictureHead), path);
    return work(kind, *std::move(bytes));
  });
}

/// One that is of a file.
class MovingFile final : public MovingPicture {
 public:
  MovingFile(std::filesystem::path path, std::unique_ptr<MovingPicture> picture)
      : path_(std::move(path)), picture_(std::move(picture)) {}

  std::size_t frames() const override { return picture_->frames(); }
  Result<std::optional<MovingFrame>> next() override {
    return shielded(path_, [this] { return picture_->next(); });
  }

 private:
  const std::filesystem::path path_;
  const std::unique_ptr<MovingPicture> picture_;
};

/// The first bytes of a file, at most `size`.
std::string read_head(std::istream& file, std::size_t size) {
  std::string head(size, '\0');
  file.clear();
  file.seekg(0);
  file.read(head.data(), static_cast<std::streamsize>(size));
  head.resize(static_cast<std::size_t>(file.gcount()));
  return head;
}

cv::Vec3b pixel_on_white(const cv::Vec4b& pixel, Alpha how) {
  const int alpha = pixel[3];
  if (alpha == 255) return {pixel[0], pixel[1], pixel[2]};
  const auto seen = [&](int c) {
    if (how == Alpha::kMultiplied) return cv::saturate_cast<unsigned char>(c + 255 - alpha);
    return static_cast<unsigned char>((c * alpha + 255 * (255 - alpha) + 127) / 255);
  };
  return {seen(pixel[0]), seen(pixel[1]), seen(pixel[2])};
}

}  // namespace

Result<Picture> read_picture(const std::filesystem::path& path, Turn turn) {
  return with_file(path, [&](PictureKind kind, std::string bytes) { return decode(kind, std::move(bytes), turn); });
}

Result<std::unique_ptr<MovingPicture>> open_moving(const std::filesystem::path& path) {
  auto opened = with_file(path, [](PictureKind kind, std::string bytes) { return open(kind, std::move(bytes)); });
  if (!opened) return opened;
  return std::unique_ptr<MovingPicture>(std::make_unique<MovingFile>(path, *std::move(opened)));
}

bool moves(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  const PictureFormat format = picture_kind(read_head(file, kPictureHead), path).format;
  file.clear();
  file.seekg(0);
  return (format == PictureFormat::kGif && gif_moves(file)) || (format == PictureFormat::kWebp && webp_moves(file));
}

bool is_motion_jpeg(const std::filesystem::path& path) {
  constexpr std::size_t kFirst = std::size_t{1} << 20;
  std::ifstream file(path, std::ios::binary);
  for (std::size_t size = kFirst;; size *= 2) {
    const std::string head = read_head(file, size);
    const auto answer = begins_motion_jpeg(head);
    if (answer || head.size() < size) return answer.value_or(false);
  }
}

void limit_pixels(std::int64_t pixels) { most = pixels; }

std::int64_t most_pixels() { return most; }

Result<void> check_size(std::int64_t width, std::int64_t height) {
  if (width < 1 || height < 1) return damaged("it has no pixels");
  if (width <= kLargestSide && height <= kLargestSide && width * height <= most) return {};
  return damaged(fmt::format("{}x{} pixels are too many; make it smaller (at most {} on a side and {} million)", width,
                             height, kLargestSide, most / 1'000'000));
}

/// TIFF 6.0, section 2: byte order, 42, where the first directory is; its entries have 12 bytes: tag, type, count,
/// value.
int exif_orientation(std::string_view exif) {
  constexpr std::uint32_t kOrientation = 0x0112;
  constexpr std::uint32_t kShort = 3;
  const bool big = exif.starts_with("MM");
  if (exif.size() < 8 || (!big && !exif.starts_with("II"))) return 1;
  const auto number = big ? big_endian : little_endian;
  const std::size_t directory = number(exif, 4, 4);
  if (directory > exif.size() - 2) return 1;
  const std::size_t entries = number(exif, directory, 2);
  for (std::size_t i = 0; i < entries; ++i) {
    const std::size_t at = directory + 2 + 12 * i;
    if (at + 12 > exif.size()) break;
    if (number(exif, at, 2) != kOrientation || number(exif, at + 2, 2) != kShort) continue;
    return static_cast<int>(number(exif, at + 8, 2));
  }
  return 1;
}

cv::Mat turned(const cv::Mat& pixels, int orientation) {
  constexpr int kBoth = -1;
  constexpr int kUpsideDown = 0;
  constexpr int kMirrored = 1;
  cv::Mat out = pixels;
  if (orientation >= 5 && orientation <= 8) cv::transpose(pixels, out);
  cv::Mat flipped;
  switch (orientation) {
    case 2:
    case 6: cv::flip(out, flipped, kMirrored); return flipped;
    case 3:
    case 7: cv::flip(out, flipped, kBoth); return flipped;
    case 4:
    case 8: cv::flip(out, flipped, kUpsideDown); return flipped;
    default: return out;
  }
}

cv::Mat on_white(const cv::Mat& bgra, Alpha alpha) {
  cv::Mat out(bgra.size(), CV_8UC3);
  for (int y = 0; y < bgra.rows; ++y) {
    const auto* from = bgra.ptr<cv::Vec4b>(y);
    auto* to = out.ptr<cv::Vec3b>(y);
    for (int x = 0; x < bgra.cols; ++x) to[x] = pixel_on_white(from[x], alpha);
  }
  return out;
}

cv::Mat swapped(const cv::Mat& pixels) {
  constexpr std::array kSwap{0, 2, 1, 1, 2, 0, 3, 3};
  cv::Mat out(pixels.size(), pixels.type());
  cv::mixChannels(&pixels, 1, &out, 1, kSwap.data(), static_cast<std::size_t>(pixels.channels()));
  return out;
}

std::chrono::milliseconds shown_for(std::chrono::milliseconds said) {
  constexpr std::chrono::milliseconds kLeast{20};
  constexpr std::chrono::milliseconds kUnsaid{100};
  return said < kLeast ? kUnsaid : said;
}

}  // namespace posecam
