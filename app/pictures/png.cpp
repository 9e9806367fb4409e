// libpng's simplified interface, and a walk over the chunks for what it does not tell.

#include <cstddef>
#include <png.h>

#include "app/pictures/codecs.h"

namespace posecam {
namespace {

/// The content of the first chunk of that type; empty if there is none. PNG specification, 5.3: length, type, content,
/// checksum.
std::string_view chunk(std::string_view bytes, std::string_view type) {
  for (std::size_t at = 8; at + 12 <= bytes.size();) {
    const std::size_t length = big_endian(bytes, at, 4);
    if (length > bytes.size() - at - 12) break;
    if (bytes.substr(at + 4, 4) == type) return bytes.substr(at + 8, length);
    at += 12 + length;
  }
  return {};
}

/// Frames that programs which know no APNG do not see: all but one of those that "acTL" counts.
std::size_t further_frames(std::string_view bytes) {
  const std::string_view control = chunk(bytes, "acTL");
  if (control.size() < 4) return 0;
  const std::size_t frames = big_endian(control, 0, 4);
  return frames > 0 ? frames - 1 : 0;
}

/// libpng's state is freed whatever comes between the beginning and the end of reading.
struct Png {
  png_image image{};

  Png() { image.version = PNG_IMAGE_VERSION; }
  Png(const Png&) = delete;
  Png& operator=(const Png&) = delete;
  ~Png() { png_image_free(&image); }
};

}  // namespace

Result<Picture> read_png(std::string_view bytes, Turn turn) {
  Png png;
  png_image& image = png.image;
  const auto failure = [&] { return damaged(std::string("it is damaged: ") + image.message); };
  if (png_image_begin_read_from_memory(&image, bytes.data(), bytes.size()) == 0) return failure();
  if (auto fits = check_size(image.width, image.height); !fits) return fits.error();
  const bool transparent = (image.format & PNG_FORMAT_FLAG_ALPHA) != 0;
  image.format = transparent ? PNG_FORMAT_BGRA : PNG_FORMAT_BGR;
  image.flags |= PNG_IMAGE_FLAG_16BIT_sRGB;  // 16 bits are more of the same, not another scale
  cv::Mat pixels(static_cast<int>(image.height), static_cast<int>(image.width), transparent ? CV_8UC4 : CV_8UC3);
  if (png_image_finish_read(&image, nullptr, pixels.data, static_cast<png_int_32>(pixels.step[0]), nullptr) == 0) {
    return failure();
  }
  if (transparent) pixels = on_white(pixels);
  const int orientation = turn == Turn::kUpright ? exif_orientation(chunk(bytes, "eXIf")) : 1;
  return Picture{turned(pixels, orientation), further_frames(bytes)};
}

}  // namespace posecam
