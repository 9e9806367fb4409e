#include "app/pictures/picture.h"

#include <array>
#include <exception>
#include <utility>

#include <fmt/format.h>

#include "app/pictures/codecs.h"
#include "app/pictures/format.h"
#include "models/core/file.h"

namespace posecam {
namespace {

Result<Picture> first_frame(Result<std::unique_ptr<MovingPicture>> moving) {
  if (!moving) return moving.error();
  auto frame = (*moving)->next();
  if (!frame) return frame.error();
  if (!*frame) return damaged("there is no picture in it");
  return Picture{std::move((*frame)->pixels), (*moving)->frames() - 1};
}

Result<Picture> decode(PictureKind kind, std::string bytes, const std::filesystem::path& path, Turn turn) {
  switch (kind.format) {
    case PictureFormat::kJpeg: return read_jpeg(bytes, turn);
    case PictureFormat::kPng: return read_png(bytes, turn);
    case PictureFormat::kTiff: return read_tiff(path, turn);
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

/// `work` on the bytes of the file and what they are; its error with the path.
template <class T, class Work>
Result<T> with_file(const std::filesystem::path& path, Work&& work) {
  const auto say = [&](std::string_view why) { return Error{Errc::kMedia, fmt::format("{}: {}", path.string(), why)}; };
  auto bytes = read_file(path);
  if (!bytes) return say(bytes.error().message);
  if (bytes->empty()) return say("the file is empty");
  const PictureKind kind = picture_kind(std::string_view(*bytes).substr(0, kPictureHead), path);
  try {
    Result<T> done = work(kind, *std::move(bytes));
    if (!done) return say(done.error().message);
    return done;
  } catch (const std::bad_alloc&) {
    return say("there is not enough memory for it");
  } catch (const std::exception& e) {  // cv::Exception
    return say(e.what());
  }
}

std::uint32_t number(std::string_view bytes, std::size_t at, std::size_t count, bool big_endian) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < count; ++i) {
    value = value << 8 | static_cast<unsigned char>(bytes[at + (big_endian ? i : count - 1 - i)]);
  }
  return value;
}

}  // namespace

Result<Picture> read_picture(const std::filesystem::path& path, Turn turn) {
  return with_file<Picture>(
      path, [&](PictureKind kind, std::string bytes) { return decode(kind, std::move(bytes), path, turn); });
}

Result<std::unique_ptr<MovingPicture>> open_moving(const std::filesystem::path& path) {
  return with_file<std::unique_ptr<MovingPicture>>(
      path, [](PictureKind kind, std::string bytes) { return open(kind, std::move(bytes)); });
}

Result<void> check_size(std::int64_t width, std::int64_t height) {
  if (width < 1 || height < 1) return damaged("it has no pixels");
  if (width <= kLargestSide && height <= kLargestSide && width * height <= kMostPixels) return {};
  return damaged(fmt::format("{}x{} pixels are too many; make it smaller (at most {} on a side and {} million)", width,
                             height, kLargestSide, kMostPixels / 1'000'000));
}

/// TIFF 6.0, section 2: byte order, 42, where the first directory is; its entries have 12 bytes: tag, type, count,
/// value.
int exif_orientation(std::string_view exif) {
  constexpr std::uint32_t kOrientation = 0x0112;
  constexpr std::uint32_t kShort = 3;
  const bool big = exif.starts_with("MM");
  if (exif.size() < 8 || (!big && !exif.starts_with("II"))) return 1;
  const std::size_t directory = number(exif, 4, 4, big);
  if (directory > exif.size() - 2) return 1;
  const std::size_t entries = number(exif, directory, 2, big);
  for (std::size_t i = 0; i < entries; ++i) {
    const std::size_t at = directory + 2 + 12 * i;
    if (at + 12 > exif.size()) break;
    if (number(exif, at, 2, big) != kOrientation || number(exif, at + 2, 2, big) != kShort) continue;
    return static_cast<int>(number(exif, at + 8, 2, big));
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

cv::Mat on_white(const cv::Mat& bgra) {
  cv::Mat out(bgra.size(), CV_8UC3);
  for (int y = 0; y < bgra.rows; ++y) {
    const auto* from = bgra.ptr<cv::Vec4b>(y);
    auto* to = out.ptr<cv::Vec3b>(y);
    for (int x = 0; x < bgra.cols; ++x) {
      const int alpha = from[x][3];
      for (int c = 0; c < 3; ++c) {
        to[x][c] = static_cast<unsigned char>((from[x][c] * alpha + 255 * (255 - alpha) + 127) / 255);
      }
    }
  }
  return out;
}

}  // namespace posecam
