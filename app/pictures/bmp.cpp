// Windows bitmaps (BITMAPFILEHEADER and what follows it, as Microsoft describes them). Decoded here: what OpenCV's
// decoder needs would be a third of all packages.

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <optional>

#include "app/pictures/codecs.h"

namespace posecam {
namespace {

constexpr std::size_t kFileHeader = 14;
constexpr std::uint32_t kOldHeader = 12;  // OS/2: sides of two bytes, palette entries of three
constexpr std::uint32_t kHeader = 40;
constexpr std::uint32_t kHeaderWithAlpha = 56;

enum Compression : std::uint32_t { kPlain = 0, kRuns8 = 1, kRuns4 = 2, kBitFields = 3, kAlphaBitFields = 6 };

Error unknown() { return damaged("this kind of BMP is not decoded here; convert it to PNG"); }

struct Bmp {
  std::string_view bytes;
  cv::Size size;
  bool from_top = false;
  std::uint32_t depth = 0;
  std::uint32_t compression = kPlain;
  std::size_t start = 0;                 ///< of the pixels
  std::array<std::uint32_t, 4> masks{};  ///< of blue, green, red, alpha; of 16 and 32 bits
  std::array<cv::Vec3b, 256> palette{};  ///< black where the file has none
  int row(int y) const { return from_top ? y : size.height - 1 - y; }
};

void read_palette(Bmp& bmp, std::uint32_t header) {
  const std::size_t entry = header == kOldHeader ? 3 : 4;
  const std::uint32_t said = header == kOldHeader ? 0 : little_endian(bmp.bytes, 46, 4);
  const std::size_t colors = std::min<std::size_t>(said == 0 ? std::size_t{1} << bmp.depth : said, 256);
  for (std::size_t i = 0; i < colors; ++i) {
    const std::size_t at = kFileHeader + header + i * entry;
    if (at + entry > bmp.bytes.size()) return;
    for (int c = 0; c < 3; ++c)
      bmp.palette.at(i)[c] = static_cast<unsigned char>(bmp.bytes[at + static_cast<std::size_t>(c)]);
  }
}

/// False if the file is too short for them.
bool read_masks(Bmp& bmp, std::uint32_t header) {
  const bool said = bmp.compression == kBitFields || bmp.compression == kAlphaBitFields;
  const bool with_alpha = said && (bmp.compression == kAlphaBitFields || header >= kHeaderWithAlpha);
  if (!said) {
    bmp.masks = bmp.depth == 16 ? std::array<std::uint32_t, 4>{0x1F, 0x3E0, 0x7C00, 0}
                                : std::array<std::uint32_t, 4>{0xFF, 0xFF00, 0xFF0000, 0};
    return true;
  }
  constexpr std::size_t kMasks = kFileHeader + kHeader;
  if (bmp.bytes.size() < kMasks + 16) return false;
  for (std::size_t i = 0; i < 3; ++i) bmp.masks.at(2 - i) = little_endian(bmp.bytes, kMasks + 4 * i, 4);
  if (with_alpha) bmp.masks[3] = little_endian(bmp.bytes, kMasks + 12, 4);
  return true;
}

Result<Bmp> read_header(std::string_view bytes) {
  Bmp bmp{.bytes = bytes};
  if (bytes.size() < kFileHeader + kOldHeader) return cut_off();
  const std::uint32_t header = little_endian(bytes, kFileHeader, 4);
  const bool old = header == kOldHeader;
  if (!old && header < kHeader) return unknown();
  if (!old && bytes.size() < kFileHeader + kHeader) return cut_off();
  const std::int64_t width =
      old ? little_endian(bytes, 18, 2) : std::int64_t{static_cast<std::int32_t>(little_endian(bytes, 18, 4))};
  const std::int64_t height =
      old ? little_endian(bytes, 20, 2) : std::int64_t{static_cast<std::int32_t>(little_endian(bytes, 22, 4))};
  if (auto fits = check_size(width, std::abs(height)); !fits) return fits.error();
  bmp.size = {static_cast<int>(width), static_cast<int>(std::abs(height))};
  bmp.from_top = height < 0;
  bmp.start = little_endian(bytes, 10, 4);
  bmp.depth = little_endian(bytes, old ? 24 : 28, 2);
  bmp.compression = old ? kPlain : little_endian(bytes, 30, 4);
  constexpr std::array kDepths{1U, 4U, 8U, 16U, 24U, 32U};
  if (std::ranges::find(kDepths, bmp.depth) == kDepths.end()) return unknown();
  const bool runs = bmp.compression == kRuns8 || bmp.compression == kRuns4;
  const bool fields = bmp.compression == kBitFields || bmp.compression == kAlphaBitFields;
  if (runs && bmp.depth != (bmp.compression == kRuns8 ? 8U : 4U)) return unknown();
  if (fields && bmp.depth != 16 && bmp.depth != 32) return unknown();
  if (!runs && !fields && bmp.compression != kPlain) return unknown();
  if (bmp.depth <= 8) read_palette(bmp, header);
  if (!read_masks(bmp, header)) return cut_off();
  return bmp;
}

std::size_t stride_of(const Bmp& bmp) { return (static_cast<std::size_t>(bmp.size.width) * bmp.depth + 31) / 32 * 4; }

/// Indices of pixels that are stored one after the other.
cv::Mat plain_indices(const Bmp& bmp) {
  cv::Mat indices(bmp.size, CV_8UC1);
  for (int y = 0; y < bmp.size.height; ++y) {
    const std::string_view row = bmp.bytes.substr(bmp.start + static_cast<std::size_t>(y) * stride_of(bmp));
    for (int x = 0; x < bmp.size.width; ++x) {
      const std::size_t bit = static_cast<std::size_t>(x) * bmp.depth;
      const auto byte = static_cast<unsigned char>(row[bit / 8]);
      indices.at<unsigned char>(bmp.row(y), x) =
          static_cast<unsigned char>(byte >> (8 - bmp.depth - bit % 8) & ((1U << bmp.depth) - 1));
    }
  }
  return indices;
}

/// Indices of pixels in runs; nothing if the file ends before its end marker.
class Runs {
 public:
  explicit Runs(const Bmp& bmp) : bmp_(bmp), at_(bmp.start), indices_(cv::Mat::zeros(bmp.size, CV_8UC1)) {}

  std::optional<cv::Mat> read() {
    constexpr std::uint32_t kEndOfRow = 0;
    constexpr std::uint32_t kEnd = 1;
    constexpr std::uint32_t kMove = 2;
    while (at_ + 2 <= bmp_.bytes.size()) {
      const std::uint32_t count = next();
      const std::uint32_t what = next();
      if (count > 0) {
        for (std::uint32_t i = 0; i < count; ++i) put(what, i);
      } else if (what == kEndOfRow) {
        x_ = 0;
        move(0, 1);
      } else if (what == kEnd) {
        return indices_;
      } else if (what == kMove) {
        if (at_ + 2 > bmp_.bytes.size()) break;
        const auto right = static_cast<int>(next());
        move(right, static_cast<int>(next()));
      } else if (!copy(what)) {
        break;
      }
    }
    return {};
  }

 private:
  std::uint32_t next() { return static_cast<unsigned char>(bmp_.bytes[at_++]); }

  /// No further than to the edges: a file may have moves without end.
  void move(int right, int up) {
    x_ = std::min(x_ + right, bmp_.size.width);
    y_ = std::min(y_ + up, bmp_.size.height);
  }

  /// `count` indices as they are, and bytes up to an even number of them.
  bool copy(std::uint32_t count) {
    const std::size_t size = (count * bmp_.depth + 7) / 8;
    if (at_ + size + size % 2 > bmp_.bytes.size()) return false;
    for (std::uint32_t i = 0; i < count; ++i) put(little_endian(bmp_.bytes, at_ + i * bmp_.depth / 8, 1), i);
    at_ += size + size % 2;
    return true;
  }

  /// Pixel `i` of a run: of 4 bits the upper half of the byte is for the even ones.
  void put(std::uint32_t byte, std::uint32_t i) {
    const std::uint32_t index = bmp_.depth == 8 ? byte : byte >> (i % 2 == 0 ? 4 : 0) & 15;
    if (x_ < bmp_.size.width && y_ < bmp_.size.height) {
      indices_.at<unsigned char>(bmp_.row(y_), x_) = static_cast<unsigned char>(index);
    }
    if (x_ < bmp_.size.width) ++x_;
  }

  const Bmp& bmp_;
  std::size_t at_;
  int x_ = 0;
  int y_ = 0;
  cv::Mat indices_;
};

cv::Mat of_palette(const Bmp& bmp, const cv::Mat& indices) {
  cv::Mat pixels(bmp.size, CV_8UC3);
  for (int y = 0; y < bmp.size.height; ++y) {
    for (int x = 0; x < bmp.size.width; ++x) {
      pixels.at<cv::Vec3b>(y, x) = bmp.palette.at(indices.at<unsigned char>(y, x));
    }
  }
  return pixels;
}

/// The bits of the mask, as 8 bits.
unsigned char field(std::uint32_t pixel, std::uint32_t mask) {
  if (mask == 0) return 0;
  const int shift = std::countr_zero(mask);
  const std::uint64_t most = mask >> shift;
  return static_cast<unsigned char>(((pixel & mask) >> shift) * std::uint64_t{255} / most);
}

cv::Mat of_fields(const Bmp& bmp) {
  const std::size_t bytes = bmp.depth / 8;
  cv::Mat pixels(bmp.size, CV_8UC4);
  for (int y = 0; y < bmp.size.height; ++y) {
    const std::size_t row = bmp.start + static_cast<std::size_t>(y) * stride_of(bmp);
    auto* to = pixels.ptr<cv::Vec4b>(bmp.row(y));
    for (int x = 0; x < bmp.size.width; ++x) {
      const std::uint32_t pixel = little_endian(bmp.bytes, row + static_cast<std::size_t>(x) * bytes, bytes);
      for (int c = 0; c < 4; ++c) to[x][c] = field(pixel, bmp.masks.at(static_cast<std::size_t>(c)));
      if (bmp.masks[3] == 0) to[x][3] = 255;  // the fourth byte is padding unless there is a mask for it
    }
  }
  return on_white(pixels);
}

/// Of 24 bits: they are BGR.
cv::Mat of_bytes(const Bmp& bmp) {
  cv::Mat pixels(bmp.size, CV_8UC3);
  for (int y = 0; y < bmp.size.height; ++y) {
    const std::string_view row = bmp.bytes.substr(bmp.start + static_cast<std::size_t>(y) * stride_of(bmp));
    std::memcpy(pixels.ptr(bmp.row(y)), row.data(), static_cast<std::size_t>(bmp.size.width) * 3);
  }
  return pixels;
}

cv::Mat decode(const Bmp& bmp) {
  if (bmp.depth <= 8) return of_palette(bmp, plain_indices(bmp));
  return bmp.depth == 24 ? of_bytes(bmp) : of_fields(bmp);
}

}  // namespace

Result<Picture> read_bmp(std::string_view bytes) {
  const auto bmp = read_header(bytes);
  if (!bmp) return bmp.error();
  if (bmp->compression == kRuns8 || bmp->compression == kRuns4) {
    const auto indices = Runs(*bmp).read();
    if (!indices) return cut_off();
    return Picture{of_palette(*bmp, *indices)};
  }
  const std::size_t pixel_bytes = stride_of(*bmp) * static_cast<std::size_t>(bmp->size.height);
  if (bmp->start > bytes.size() || pixel_bytes > bytes.size() - bmp->start) return cut_off();
  return Picture{decode(*bmp)};
}

}  // namespace posecam
