#include "app/session/input/truncation.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <fstream>
#include <optional>
#include <string_view>
#include <system_error>

#include <fmt/format.h>

namespace posecam {
namespace {

using namespace std::string_view_literals;

/// A file that is looked into here and there.
class Bytes {
 public:
  explicit Bytes(const std::filesystem::path& path) : file_(path, std::ios::binary) {
    std::error_code ec;
    const std::uintmax_t size = std::filesystem::file_size(path, ec);
    if (file_ && !ec) size_ = size;
  }

  std::uint64_t size() const { return size_; }
  /// As many of `count` bytes as there are at `at`.
  std::string read(std::uint64_t at, std::size_t count) {
    std::string bytes(at >= size_ ? 0 : static_cast<std::size_t>(std::min<std::uint64_t>(count, size_ - at)), '\0');
    file_.clear();
    file_.seekg(static_cast<std::streamoff>(at));
    file_.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    return file_ ? bytes : std::string();
  }
  bool has(std::uint64_t at, std::string_view what) { return read(at, what.size()) == what; }
  /// A number of `width` bytes, the highest first; nothing behind the end.
  std::optional<std::uint64_t> big(std::uint64_t at, std::size_t width) {
    const std::string bytes = read(at, width);
    if (bytes.size() < width) return {};
    std::uint64_t value = 0;
    for (const char c : bytes) value = value << 8 | static_cast<unsigned char>(c);
    return value;
  }
  /// The same with the lowest first.
  std::optional<std::uint64_t> little(std::uint64_t at, std::size_t width) {
    const auto value = big(at, width);
    return value ? std::optional(__builtin_bswap64(*value) >> (64 - 8 * width)) : value;
  }

 private:
  std::ifstream file_;
  std::uint64_t size_ = 0;
};

constexpr std::string_view kCut = "the file is cut off";

std::string missing(const Bytes& file, std::uint64_t wanted) {
  return fmt::format("{}: {} of {} bytes are there", kCut, file.size(), wanted);
}

/// Nothing if a part of `size` bytes at `at` ends in the file.
std::string fits(const Bytes& file, std::uint64_t at, std::uint64_t size) {
  return size > file.size() - at ? missing(file, at + size) : "";
}

/// ISO/IEC 14496-12, 4.2: size (4 bytes), type (4), and with size 1 the true size (8); size 0 reaches to the end. Files
/// of QuickTime begin with other boxes than ftyp, too.
std::string in_boxes(Bytes& file) {
  constexpr std::array kFirst{"ftyp"sv, "moov"sv, "mdat"sv, "wide"sv, "free"sv, "skip"sv, "pnot"sv};
  if (std::ranges::find(kFirst, file.read(4, 4)) == kFirst.end()) return {};
  for (std::uint64_t at = 0; at < file.size();) {
    std::uint64_t size = file.big(at, 4).value_or(8);
    if (size == 1) size = file.big(at + 8, 8).value_or(16);
    if (size < 8) return {};  // to the end, or not a box
    if (auto cut = fits(file, at, size); !cut.empty()) return cut;
    at += size;
  }
  return {};
}

/// RIFF (Multimedia Programming Interface 1.0), and OpenDML, which has several in a row. Size 0: never written.
std::string in_riff(Bytes& file) {
  if (!file.has(0, "RIFF") || !file.has(8, "AVI ")) return {};
  for (std::uint64_t at = 0; file.has(at, "RIFF");) {
    const auto size = file.little(at + 4, 4);
    if (size == 0U || size == 0xFFFFFFFFU) return {};
    if (auto cut = fits(file, at, 8 + size.value_or(0)); !cut.empty()) return cut;
    at += 8 + *size + *size % 2;
  }
  return {};
}

/// An element of RFC 8794.
struct Element {
  std::uint64_t id = 0;               ///< with its marker bit
  std::uint64_t content = 0;          ///< where it begins
  std::optional<std::uint64_t> size;  ///< of the content; none: unknown
};

/// Width of a variable-size integer by its first byte; 0: not one.
std::size_t width_of(std::uint64_t first) {
  return first == 0 ? 0 : static_cast<std::size_t>(__builtin_clzll(first)) - 55;
}

std::optional<Element> element_at(Bytes& file, std::uint64_t at) {
  const std::size_t id_width = width_of(file.big(at, 1).value_or(0));
  const std::size_t size_width = width_of(file.big(at + id_width, 1).value_or(0));
  const auto id = file.big(at, id_width);
  const auto size = file.big(at + id_width, size_width);
  if (id_width == 0 || size_width == 0 || !id || !size) return {};
  const std::uint64_t most = (std::uint64_t{1} << (7 * size_width)) - 1;
  Element element{.id = *id, .content = at + id_width + size_width, .size = *size & most};
  if (element.size == most) element.size.reset();
  return element;
}

/// Matroska: the segment, or when its size was never written the parts of it.
std::string in_ebml(Bytes& file) {
  constexpr std::uint64_t kSegment = 0x18538067;
  const auto head = file.has(0, "\x1A\x45\xDF\xA3") ? element_at(file, 0) : std::nullopt;
  if (!head || !head->size) return {};
  const auto segment = element_at(file, head->content + *head->size);
  if (!segment) return fmt::format("{}: only its head is there", kCut);
  if (segment->id != kSegment) return {};
  if (segment->size) return fits(file, segment->content, *segment->size);
  for (std::uint64_t at = segment->content; at < file.size();) {
    const auto part = element_at(file, at);
    if (!part) return fmt::format("{}: its last part is not whole", kCut);
    if (!part->size) return {};
    if (auto cut = fits(file, part->content, *part->size); !cut.empty()) return cut;
    at = part->content + *part->size;
  }
  return {};
}

/// Adobe's Video File Format Specification 10.1, annex E: each tag is followed by its size, 11 bytes and its data. The
/// first one tells the size of the file (E.5), unless it went to a pipe.
std::string in_flv(Bytes& file) {
  if (!file.has(0, "FLV\1")) return {};
  const std::string head = file.read(0, 4096);
  if (const auto at = head.find("\0\x08filesize\0"sv); at != head.npos) {
    const auto whole = std::bit_cast<double>(file.big(at + 11, 8).value_or(0));
    if (whole > static_cast<double>(file.size()) && whole < 1e15)
      return missing(file, static_cast<std::uint64_t>(whole));
  }
  const std::uint64_t tag = file.big(file.size() - 4, 4).value_or(0);
  if (tag >= 11 && tag <= file.size() - 4 && file.big(file.size() - 4 - tag + 1, 3) == tag - 11) return {};
  return fmt::format("{}: its last tag is not whole", kCut);
}

/// Advanced Systems Format 01.20.03, 3.1 and 3.2: the file properties have the size of the file, unless it was
/// broadcast.
std::string in_asf(Bytes& file) {
  constexpr std::string_view kHeader = "\x30\x26\xB2\x75\x8E\x66\xCF\x11\xA6\xD9\x00\xAA\x00\x62\xCE\x6C"sv;
  constexpr std::string_view kProperties = "\xA1\xDC\xAB\x8C\x47\xA9\xCF\x11\x8E\xE4\x00\xC0\x0C\x20\x53\x65"sv;
  if (!file.has(0, kHeader)) return {};
  const std::uint64_t end = file.little(16, 8).value_or(0);
  for (std::uint64_t at = 30; at < end;) {
    const auto size = file.little(at + 16, 8);
    if (!size || *size < 24) return fmt::format("{}: its header is not whole", kCut);
    if (!file.has(at, kProperties)) {
      at += *size;
      continue;
    }
    const bool broadcast = file.little(at + 88, 4).value_or(1) % 2 == 1;
    const std::uint64_t whole = file.little(at + 40, 8).value_or(0);
    return broadcast || whole <= file.size() ? "" : missing(file, whole);
  }
  return {};
}

/// RFC 3533, 6: the last page of a stream says so. The last page of the file is the last of one of its streams.
std::string in_ogg(Bytes& file) {
  constexpr std::size_t kLongestPage = 27 + 255 + 255 * 255;
  if (!file.has(0, "OggS")) return {};
  const std::uint64_t from = file.size() > kLongestPage ? file.size() - kLongestPage : 0;
  const std::string tail = file.read(from, kLongestPage);
  const auto page = tail.rfind("OggS"sv);
  std::string cut = fmt::format("{}: its last page is missing", kCut);
  if (page == tail.npos || tail.size() - page < 27) return cut;
  const auto byte = [&](std::size_t at) { return at < tail.size() ? static_cast<unsigned char>(tail[at]) : 0U; };
  const std::size_t segments = byte(page + 26);
  std::size_t size = 27 + segments;
  for (std::size_t i = 0; i < segments; ++i) size += byte(page + 27 + i);
  const bool last = (byte(page + 5) & 4U) != 0;
  return last && page + size <= tail.size() ? "" : cut;
}

/// A header of 32 bytes, then frames: size (4 bytes), time (8), data.
std::string in_ivf(Bytes& file) {
  if (!file.has(0, "DKIF")) return {};
  for (std::uint64_t at = file.little(6, 2).value_or(32); at < file.size();) {
    const auto size = file.little(at, 4);
    if (!size || file.size() - at < 12 || *size > file.size() - at - 12) {
      return fmt::format("{}: its last frame is not whole", kCut);
    }
    at += 12 + *size;
  }
  return {};
}

/// ISO/IEC 13818-1, 2.4.3.2: packets of 188 bytes; with a time before each, as cameras and discs have it, of 192.
std::string in_transport_stream(Bytes& file) {
  for (const auto& [first, packet] : {std::pair<std::uint64_t, std::uint64_t>{0, 188}, {4, 192}}) {
    bool all = true;
    for (std::uint64_t i = 0; i < 4; ++i) all = all && file.has(first + i * packet, "\x47");
    if (all) return file.size() % packet == 0 ? "" : fmt::format("{}: its last packet is not whole", kCut);
  }
  return {};
}

/// RealMedia: parts of type (4 bytes) and size (4). Size 0: never written.
std::string in_real_media(Bytes& file) {
  if (!file.has(0, ".RMF")) return {};
  for (std::uint64_t at = 0; at < file.size();) {
    const std::uint64_t size = file.big(at + 4, 4).value_or(8);
    if (size < 8) return {};
    if (auto cut = fits(file, at, size); !cut.empty()) return cut;
    at += size;
  }
  return {};
}

}  // namespace

std::string find_truncation(const std::filesystem::path& path) {
  Bytes file(path);
  for (const auto find :
       {in_boxes, in_riff, in_ebml, in_flv, in_asf, in_ogg, in_ivf, in_transport_stream, in_real_media}) {
    if (auto cut = find(file); !cut.empty()) return cut;
  }
  return {};
}

}  // namespace posecam
