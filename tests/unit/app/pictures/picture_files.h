#pragma once
// Picture files for tests, made by the libraries that decode them.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <opencv2/core.hpp>

namespace posecam::test {

/// 48x32 pixels, black; as stored a red square in the left upper corner and a green one in the right upper.
cv::Mat marked_picture();
/// Where red and green are, as "red-place green-place" of top-left, top-right, bottom-left, bottom-right ("TL TR").
std::string marks_of(const cv::Mat& bgr);

/// The pixels, row by row, as letters: those of GifFrame, 'w' for white and '?' for any other.
std::string letters(const cv::Mat& bgr);

/// By OpenCV: ".jpg", ".png", ".bmp", ".webp" (without loss), ".ppm" ...
std::string encoded(const std::string& extension, const cv::Mat& pixels, const std::vector<int>& parameters = {});

/// A block of EXIF that says nothing but the orientation; with `big_endian` "MM" at its start.
std::string exif(int orientation, bool big_endian = false);
std::string with_exif_in_jpeg(const std::string& jpeg, int orientation);
/// A progressive JPEG whose first scan comes `times` more; the pixels stay what they are.
std::string with_first_scan_repeated(const std::string& jpeg, int times);
std::string with_exif_in_png(const std::string& png, int orientation);
std::string with_exif_in_webp(const std::string& webp, int orientation);
/// A PNG with a chunk behind its header.
std::string with_png_chunk(const std::string& png, const std::string& type, const std::string& content);

/// What libtiff is told.
struct TiffSetup {
  const char* mode = "w";  ///< "w8": BigTIFF, "wb": big-endian
  std::uint16_t orientation = 1;
  int pages = 1;
  std::uint16_t bits = 8;
  std::uint16_t samples = 3;
  std::uint16_t photometric = 2;  ///< RGB; 5: CMYK, 1: grey
};
/// Samples by row, each in the range of the setup's bits.
std::string tiff(const std::string& path, int width, const std::vector<std::vector<std::uint16_t>>& rows,
                 const TiffSetup& setup);
/// Those of marked_picture().
std::vector<std::vector<std::uint16_t>> marked_rows();

/// One frame of a GIF; each character of `pixels` is one pixel.
struct GifFrame {
  int left = 0;
  int top = 0;
  int width = 1;
  int height = 1;
  std::string pixels;   ///< 'k' black, 'r' red, 'g' green, 'b' blue, '.' transparent
  int disposal = 0;     ///< 1: stays, 2: back to the background, 3: back to what was before
  int hundredths = 10;  ///< how long it is shown
  bool interlaced = false;
};
std::string gif(const std::string& path, int width, int height, const std::vector<GifFrame>& frames);

/// Frames of WebP without loss, each of that many milliseconds.
std::string moving_webp(const std::vector<cv::Mat>& bgra, const std::vector<int>& milliseconds);

/// The same still again and again, each time for that long: at most 2^24 - 1.
std::string moving_webp(const std::string& still, int frames, int milliseconds);

/// HEIC (`av1` false) or AVIF of BGR or BGRA; empty if this machine has no encoder for it. `premultiplied` is noted in
/// the file, the colours are taken as they are.
std::string heif(const std::string& path, const cv::Mat& pixels, bool av1, bool premultiplied = false);

/// While it lives, whoever asks OpenCV for the pixels of a picture gets an exception instead. One at a time.
class FailingPixels final : public cv::MatAllocator {
 public:
  FailingPixels(int code, std::string message);
  FailingPixels(const FailingPixels&) = delete;
  FailingPixels& operator=(const FailingPixels&) = delete;
  ~FailingPixels() override;

  cv::UMatData* allocate(int dims, const int* sizes, int type, void* data, std::size_t* step, cv::AccessFlag flags,
                         cv::UMatUsageFlags usage) const override;
  bool allocate(cv::UMatData* data, cv::AccessFlag flags, cv::UMatUsageFlags usage) const override;
  void deallocate(cv::UMatData* data) const override;

 private:
  const int code_;
  const std::string message_;
  cv::MatAllocator* const before_;
};

}  // namespace posecam::test
