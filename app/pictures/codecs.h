#pragma once
// One function for each format; picture.cpp chooses. Errors are kMedia, and their message is the reason only.

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "app/pictures/picture.h"
#include "models/core/result.h"

namespace posecam {

Result<Picture> read_jpeg(std::string_view bytes, Turn turn);
Result<Picture> read_png(std::string_view bytes, Turn turn);
Result<Picture> read_tiff(const std::filesystem::path& path, Turn turn);
Result<Picture> read_heif(std::string_view bytes);
Result<Picture> read_bmp(std::string_view bytes);
Result<Picture> read_pnm(std::string_view bytes);
/// `bytes` are kept. WebP that does not move has one frame, and its orientation is applied as well.
Result<std::unique_ptr<MovingPicture>> open_webp(std::string bytes, Turn turn);
Result<std::unique_ptr<MovingPicture>> open_gif(std::string bytes);

/// kMedia for a size that is empty or beyond the limits of picture.h.
Result<void> check_size(std::int64_t width, std::int64_t height);

/// EXIF's tag 0x0112: 1 to 8; 1 if there is none. `exif` begins with the byte order ("II" or "MM").
int exif_orientation(std::string_view exif);

/// Turned and mirrored as an orientation of EXIF (CIPA DC-008, 4.6.4) says; anything but 2 to 8 is upright.
cv::Mat turned(const cv::Mat& pixels, int orientation);

/// BGRA with straight alpha before white, as BGR.
cv::Mat on_white(const cv::Mat& bgra);

/// An Error of this room.
inline Error damaged(const std::string& reason) { return {Errc::kMedia, reason}; }

}  // namespace posecam
