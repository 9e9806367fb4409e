// libtiff, through its interface that makes 8 bit RGBA of whatever the file has.

#include <algorithm>
#include <array>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <tiffio.h>
#include <vector>

#include "app/pictures/codecs.h"

namespace posecam {
namespace {

struct CloseTiff {
  void operator()(TIFF* file) const noexcept { TIFFClose(file); }
};
struct FreeOptions {
  void operator()(TIFFOpenOptions* options) const noexcept { TIFFOpenOptionsFree(options); }
};

/// What libtiff takes for a file.
struct Memory {
  std::string_view bytes;
  toff_t at = 0;
};

tmsize_t read_memory(thandle_t handle, void* to, tmsize_t size) {
  auto& memory = *static_cast<Memory*>(handle);
  const std::string_view rest = memory.bytes.substr(std::min<std::size_t>(memory.at, memory.bytes.size()));
  const std::size_t got = std::min(static_cast<std::size_t>(size), rest.size());
  std::copy_n(rest.data(), got, static_cast<char*>(to));
  memory.at += got;
  return static_cast<tmsize_t>(got);
}

tmsize_t write_nothing(thandle_t, void*, tmsize_t) { return 0; }

toff_t seek_memory(thandle_t handle, toff_t offset, int whence) {
  auto& memory = *static_cast<Memory*>(handle);
  if (whence == SEEK_SET) memory.at = offset;
  if (whence == SEEK_CUR) memory.at += offset;
  if (whence == SEEK_END) memory.at = memory.bytes.size() + offset;
  return memory.at;
}

int close_memory(thandle_t) { return 0; }

toff_t size_of_memory(thandle_t handle) { return static_cast<Memory*>(handle)->bytes.size(); }

/// libtiff reads where the bytes are; it writes to no file that it opened for reading.
int map_memory(thandle_t handle, void** start, toff_t* size) {
  const std::string_view bytes = static_cast<Memory*>(handle)->bytes;
  *start = const_cast<char*>(bytes.data());
  *size = bytes.size();
  return 1;
}

void unmap_memory(thandle_t, void*, toff_t) {}

/// Most of what libtiff keeps of a picture at once: one strip or tile with all of it, four samples of 16 bits a pixel.
tmsize_t most_memory() { return most_pixels() * 8; }

/// Keeps the first message. 1: libtiff's own handler, which writes to standard error, is left out.
int keep_message(TIFF*, void* text, const char*, const char* format, va_list arguments) {
  auto& message = *static_cast<std::string*>(text);
  std::array<char, 256> line{};
  std::vsnprintf(line.data(), line.size(), format, arguments);
  if (message.empty()) message = line.data();
  return 1;
}

int ignore(TIFF*, void*, const char*, const char*, va_list) { return 1; }

/// Red in the lowest byte (TIFFGetR); colours are multiplied by alpha already.
cv::Mat on_white(const std::vector<std::uint32_t>& rgba, int width, int height) {
  cv::Mat out(height, width, CV_8UC3);
  for (int y = 0; y < height; ++y) {
    const std::uint32_t* from = rgba.data() + static_cast<std::size_t>(y) * static_cast<std::size_t>(width);
    auto* to = out.ptr<cv::Vec3b>(y);
    for (int x = 0; x < width; ++x) {
      const std::uint32_t white = 255 - TIFFGetA(from[x]);
      const auto seen = [white](std::uint32_t c) { return cv::saturate_cast<unsigned char>(c + white); };
      to[x] = {seen(TIFFGetB(from[x])), seen(TIFFGetG(from[x])), seen(TIFFGetR(from[x]))};
    }
  }
  return out;
}

}  // namespace

Result<Picture> read_tiff(std::string_view bytes, Turn turn) {
  std::string message;
  const auto failure = [&] {
    return damaged("it cannot be decoded: " + (message.empty() ? "no reason given" : message));
  };
  const std::unique_ptr<TIFFOpenOptions, FreeOptions> options(TIFFOpenOptionsAlloc());
  TIFFOpenOptionsSetErrorHandlerExtR(options.get(), keep_message, &message);
  TIFFOpenOptionsSetWarningHandlerExtR(options.get(), ignore, nullptr);
  TIFFOpenOptionsSetMaxSingleMemAlloc(options.get(), most_memory());
  Memory memory{bytes};
  const std::unique_ptr<TIFF, CloseTiff> file(TIFFClientOpenExt("TIFF", "r", &memory, read_memory, write_nothing,
                                                                seek_memory, close_memory, size_of_memory, map_memory,
                                                                unmap_memory, options.get()));
  if (!file) return failure();
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  std::uint16_t orientation = ORIENTATION_TOPLEFT;
  TIFFGetField(file.get(), TIFFTAG_IMAGEWIDTH, &width);
  TIFFGetField(file.get(), TIFFTAG_IMAGELENGTH, &height);
  TIFFGetFieldDefaulted(file.get(), TIFFTAG_ORIENTATION, &orientation);
  if (auto fits = check_size(width, height); !fits) return fits.error();
  message.clear();  // of a tag that is left out, such as an orientation of 0
  std::vector<std::uint32_t> rgba(std::size_t{width} * height);
  // In the orientation that the file says: as it is stored. libtiff itself mirrors and does not turn.
  constexpr int kStopOnError = 1;
  if (TIFFReadRGBAImageOriented(file.get(), width, height, rgba.data(), orientation, kStopOnError) == 0 ||
      !message.empty()) {
    return failure();
  }
  const cv::Mat pixels = on_white(rgba, static_cast<int>(width), static_cast<int>(height));
  const auto pages = static_cast<std::size_t>(TIFFNumberOfDirectories(file.get()));
  return Picture{turn == Turn::kUpright ? turned(pixels, orientation) : pixels, pages > 1 ? pages - 1 : 0};
}

}  // namespace posecam
