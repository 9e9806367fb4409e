#pragma once
// Picture files as pixels. Each format is decoded by the library of those who keep it, which says when a file is
// damaged; nothing is written to standard error.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>

#include <opencv2/core.hpp>

#include "models/core/result.h"

namespace posecam {

/// Largest side: what GStreamer's video formats can be.
inline constexpr int kLargestSide = 32767;
/// Most pixels unless limit_pixels() says otherwise: 0.3 GB of BGR, and while it is decoded a few times that. A file of
/// 100 KB can have more; cameras that have are rare.
inline constexpr std::int64_t kMostPixels = 100'000'000;

/// For all pictures that this process reads from now on. Any thread.
void limit_pixels(std::int64_t pixels);

/// One picture.
struct Picture {
  cv::Mat pixels;            ///< BGR, 8 bits, never empty; what is transparent shows white
  std::size_t left_out = 0;  ///< further pages or frames of the file
};

/// What to make of the orientation that a camera noted beside the pixels.
enum class Turn : std::uint8_t {
  kUpright,  ///< as the photographer saw it
  kAsStored  ///< ignore it; not for HEIC and AVIF, whose pixels are upright by definition
};

/// The first picture of a file. kMedia, with the path, if it cannot be read, is of no format that is decoded here, is
/// cut off or damaged (a part of a picture is not a picture), or is larger than the limits above. Any thread.
Result<Picture> read_picture(const std::filesystem::path& path, Turn turn = Turn::kUpright);

/// One picture of several.
struct MovingFrame {
  cv::Mat pixels;  ///< as of Picture, the whole picture as it is seen then
  std::chrono::nanoseconds duration{};
};

/// GIF and animated WebP, frame by frame.
class MovingPicture {
 public:
  virtual ~MovingPicture() = default;
  virtual std::size_t frames() const = 0;  ///< that the file has whole; > 0
  /// Nothing behind the last one. kMedia, with the path, for one that is damaged; nothing follows it.
  virtual Result<std::optional<MovingFrame>> next() = 0;
};

/// kMedia as of read_picture(), and for other formats. No more than one frame is decoded at a time.
Result<std::unique_ptr<MovingPicture>> open_moving(const std::filesystem::path& path);

/// Whether a file is a GIF or WebP of more than one frame. Nothing is decoded; damage is told by those who decode.
bool moves(const std::filesystem::path& path);

/// Whether a file is Motion JPEG: begins with a whole JPEG and another like it. At most twice as much of it is read as
/// those two are long.
bool is_motion_jpeg(const std::filesystem::path& path);

}  // namespace posecam
