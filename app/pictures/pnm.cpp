// Portable pixmaps (netpbm: ppm(5), pgm(5), pbm(5)), as text and as bytes.

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstring>
#include <optional>
#include <span>
#include <vector>

#include "app/pictures/codecs.h"

namespace posecam {
namespace {

/// The header of a PNM file and what follows (netpbm: ppm(5), pgm(5), pbm(5)).
class PnmReader {
 public:
  explicit PnmReader(std::string_view bytes) : bytes_(bytes) {}

  /// The next number of a header or of the text formats; comments reach to the end of their line.
  std::optional<int> number() {
    skip_space();
    int value = 0;
    const char* from = bytes_.data() + at_;
    const auto [end, error] = std::from_chars(from, bytes_.data() + bytes_.size(), value);
    if (error != std::errc{} || value < 0) return {};
    at_ += static_cast<std::size_t>(end - from);
    return value;
  }
  /// The next digit: pixels of P1 need no space between them.
  std::optional<int> digit() {
    skip_space();
    if (at_ == bytes_.size() || (bytes_[at_] != '0' && bytes_[at_] != '1')) return {};
    return bytes_[at_++] - '0';
  }
  /// What follows the one space behind the header.
  std::string_view rest() const { return bytes_.substr(std::min(at_ + 1, bytes_.size())); }

 private:
  void skip_space() {
    while (at_ < bytes_.size()) {
      if (bytes_[at_] == '#') {
        at_ = std::min(bytes_.find('\n', at_), bytes_.size());
      } else if (std::strchr(" \t\r\n\v\f", bytes_[at_]) != nullptr && bytes_[at_] != '\0') {
        ++at_;
      } else {
        return;
      }
    }
  }

  std::string_view bytes_;
  std::size_t at_ = 2;  ///< behind "P6" or the like
};

struct PnmFormat {
  bool text;  ///< numbers, not bytes
  bool bits;  ///< 1 is black
  int channels;
  int most;  ///< the number that is white
  cv::Size size;
};

unsigned char scaled(int value, int most) {
  if (most == 255) return static_cast<unsigned char>(std::min(value, most));
  return static_cast<unsigned char>((std::min(value, most) * 255 + most / 2) / most);
}

/// Sample i of the picture; nothing if the file ends before it.
std::optional<unsigned char> text_sample(PnmReader& reader, const PnmFormat& format) {
  const auto value = format.bits ? reader.digit() : reader.number();
  if (!value) return {};
  return format.bits ? static_cast<unsigned char>(*value == 0 ? 255 : 0) : scaled(*value, format.most);
}

unsigned char raw_sample(std::string_view row, std::size_t i, const PnmFormat& format) {
  const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(row[at]); };
  if (format.bits) return (byte(i / 8) >> (7 - i % 8) & 1) == 0 ? 255 : 0;
  return scaled(format.most > 255 ? byte(2 * i) << 8 | byte(2 * i + 1) : byte(i), format.most);
}

void read_row(std::string_view data, const PnmFormat& format, std::span<unsigned char> samples) {
  if (!format.bits && format.most == 255) {
    std::memcpy(samples.data(), data.data(), samples.size());
    return;
  }
  for (std::size_t i = 0; i < samples.size(); ++i) samples[i] = raw_sample(data, i, format);
}

bool read_text_row(PnmReader& reader, const PnmFormat& format, std::span<unsigned char> samples) {
  for (unsigned char& sample : samples) {
    const auto value = text_sample(reader, format);
    if (!value) return false;
    sample = *value;
  }
  return true;
}

/// Samples in the order of the file: red, green, blue, or grey.
Result<cv::Mat> read_samples(PnmReader& reader, const PnmFormat& format) {
  cv::Mat samples(format.size, format.channels == 3 ? CV_8UC3 : CV_8UC1);
  const auto in_row = static_cast<std::size_t>(format.size.width) * static_cast<std::size_t>(format.channels);
  const std::size_t row_bytes = format.bits ? (in_row + 7) / 8 : in_row * (format.most > 255 ? 2 : 1);
  const std::string_view data = format.text ? std::string_view{} : reader.rest();
  if (!format.text && data.size() / row_bytes < static_cast<std::size_t>(format.size.height)) return cut_off();
  for (int y = 0; y < format.size.height; ++y) {
    const std::span<unsigned char> row(samples.ptr(y), in_row);
    if (format.text) {
      if (!read_text_row(reader, format, row)) return cut_off();
    } else {
      read_row(data.substr(static_cast<std::size_t>(y) * row_bytes, row_bytes), format, row);
    }
  }
  return samples;
}

}  // namespace

Result<Picture> read_pnm(std::string_view bytes) {
  PnmReader reader(bytes);
  const int kind = bytes[1] - '0';
  const bool bits = kind == 1 || kind == 4;
  const auto width = reader.number();
  const auto height = reader.number();
  const auto most = bits ? 1 : reader.number();
  if (!width || !height || !most || *most < 1 || *most > 65535) return damaged("its header is damaged or cut off");
  if (auto fits = check_size(*width, *height); !fits) return fits.error();
  const PnmFormat format{kind <= 3, bits, kind % 3 == 0 ? 3 : 1, *most, {*width, *height}};
  auto samples = read_samples(reader, format);
  if (!samples) return samples.error();
  cv::Mat pixels;
  if (format.channels == 1) {
    cv::merge(std::vector{*samples, *samples, *samples}, pixels);
  } else {
    pixels = swapped(*samples);
  }
  return Picture{pixels};
}

}  // namespace posecam
