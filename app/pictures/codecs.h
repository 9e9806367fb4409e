#pragma once
// One function for each format; picture.cpp chooses. Errors are kMedia, and their message is the reason only.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <memory>
#include <string>
#include <string_view>

#include "app/pictures/picture.h"
#include "models/core/result.h"

namespace posecam {

Result<Picture> read_jpeg(std::string_view bytes, Turn turn);
Result<Picture> read_png(std::string_view bytes, Turn turn);
Result<Picture> read_tiff(std::string_view bytes, Turn turn);
Result<Picture> read_heif(std::string_view bytes);
Result<Picture> read_bmp(std::string_view bytes);
Result<Picture> read_pnm(std::string_view bytes);
/// `bytes` are kept. WebP that does not move has one frame, and its orientation is applied as well.
Result<std::unique_ptr<MovingPicture>> open_webp(std::string bytes, Turn turn);
Result<std::unique_ptr<MovingPicture>> open_gif(std::string bytes);

/// moves() of such a file, from its first byte on.
bool webp_moves(std::istream& file);
bool gif_moves(std::istream& file);

/// The limit of picture.h.
std::int64_t most_pixels();

/// kMedia for a size that is empty or beyond the limits of picture.h.
Result<void> check_size(std::int64_t width, std::int64_t height);

/// EXIF's tag 0x0112: 1 to 8; 1 if there is none. `exif` begins with the byte order ("II" or "MM").
int exif_orientation(std::string_view exif);

/// Turned and mirrored as an orientation of EXIF (CIPA DC-008, 4.6.4) says; anything but 2 to 8 is upright.
cv::Mat turned(const cv::Mat& pixels, int orientation);

/// How colours beside alpha are stored.
enum class Alpha : std::uint8_t { kStraight, kMultiplied };

/// BGRA before white, as BGR.
cv::Mat on_white(const cv::Mat& bgra, Alpha alpha = Alpha::kStraight);

/// BGR of RGB and BGRA of RGBA, or the other way round. Not OpenCV's cvtColor(): imgproc is not needed otherwise.
cv::Mat swapped(const cv::Mat& pixels);

/// How long a frame is shown that is to be shown so long: what browsers make of those that would be shown for no time
/// at all.
std::chrono::milliseconds shown_for(std::chrono::milliseconds said);

/// The `count` bytes from `at` on, which are there, as a number; at most four.
inline std::uint32_t big_endian(std::string_view bytes, std::size_t at, std::size_t count) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < count; ++i) value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
  return value;
}
inline std::uint32_t little_endian(std::string_view bytes, std::size_t at, std::size_t count) {
  std::uint32_t value = 0;
  for (std::size_t i = count; i > 0; --i) value = value << 8 | static_cast<unsigned char>(bytes[at + i - 1]);
  return value;
}

/// An Error of this room.
inline Error damaged(const std::string& reason) { return {Errc::kMedia, reason}; }
/// For libraries that do not say which.
inline Error cut_off() { return damaged("it is damaged or cut off"); }

}  // namespace posecam
