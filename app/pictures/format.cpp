#include "app/pictures/format.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstddef>
#include <string>

namespace posecam {
namespace {

using enum PictureFormat;
using namespace std::string_view_literals;

struct Signature {
  std::string_view start;
  PictureKind kind;
};
constexpr std::array kSignatures{
    Signature{"\xFF\xD8\xFF"sv, {kJpeg, "JPEG"}},
    Signature{"\x89PNG\r\n\x1A\n"sv, {kPng, "PNG"}},
    Signature{"BM"sv, {kBmp, "BMP"}},
    Signature{"II*\0"sv, {kTiff, "TIFF"}},
    Signature{"MM\0*"sv, {kTiff, "TIFF"}},
    Signature{"II+\0"sv, {kTiff, "BigTIFF"}},
    Signature{"MM\0+"sv, {kTiff, "BigTIFF"}},
    Signature{"GIF8"sv, {kGif, "GIF"}},  // all that GStreamer looks at, whose decoder spins where the rest is damaged
    Signature{"\x76\x2F\x31\x01"sv, {kForeign, "OpenEXR"}},
    Signature{"\xFF\x4F\xFF\x51"sv, {kForeign, "JPEG 2000"}},
    Signature{"\0\0\0\x0CjP  "sv, {kForeign, "JPEG 2000"}},
    Signature{"\0\0\0\x0CJXL "sv, {kForeign, "JPEG XL"}},
    Signature{"\xFF\x0A"sv, {kForeign, "JPEG XL"}},
    Signature{"II\xBC\x01"sv, {kForeign, "JPEG XR"}},
    Signature{"#?RADIANCE"sv, {kForeign, "Radiance HDR"}},
    Signature{"#?RGBE"sv, {kForeign, "Radiance HDR"}},
    Signature{"8BPS"sv, {kForeign, "Photoshop"}},
    Signature{"gimp xcf"sv, {kForeign, "GIMP"}},
    Signature{"DDS |"sv, {kForeign, "DDS"}},
    Signature{"qoif"sv, {kForeign, "QOI"}},
    Signature{"\0\0\x01\0"sv, {kForeign, "icon"}},
    Signature{"SDPX"sv, {kForeign, "DPX"}},
    Signature{"XPDS"sv, {kForeign, "DPX"}},
    Signature{"BPG\xFB"sv, {kForeign, "BPG"}},
    Signature{"FLIF"sv, {kForeign, "FLIF"}},
    Signature{"farbfeld"sv, {kForeign, "farbfeld"}},
    Signature{"\x59\xA6\x6A\x95"sv, {kForeign, "Sun raster"}},
    Signature{"SIMPLE  ="sv, {kForeign, "FITS"}},
    Signature{"PF\n"sv, {kForeign, "PFM"}},
    Signature{"Pf\n"sv, {kForeign, "PFM"}},
    Signature{"P7\n"sv, {kForeign, "PAM"}},
    Signature{"FUJIFILM"sv, {kForeign, "camera raw"}},
    Signature{"IIU\0"sv, {kForeign, "camera raw"}},
    Signature{"IIRO"sv, {kForeign, "camera raw"}},
    Signature{"IIRS"sv, {kForeign, "camera raw"}},
    Signature{"<svg"sv, {kForeign, "SVG"}},
};

struct Extension {
  std::string_view text;
  PictureKind kind;
};
constexpr std::array kExtensions{
    Extension{".jpg", {kJpeg, "JPEG"}},
    Extension{".jpeg", {kJpeg, "JPEG"}},
    Extension{".png", {kPng, "PNG"}},
    Extension{".bmp", {kBmp, "BMP"}},
    Extension{".tif", {kTiff, "TIFF"}},
    Extension{".tiff", {kTiff, "TIFF"}},
    Extension{".webp", {kWebp, "WebP"}},
    Extension{".ppm", {kPnm, "PNM"}},
    Extension{".pgm", {kPnm, "PNM"}},
    Extension{".pbm", {kPnm, "PNM"}},
    Extension{".pnm", {kPnm, "PNM"}},
    Extension{".gif", {kGif, "GIF"}},
    Extension{".heic", {kHeif, "HEIC"}},
    Extension{".heif", {kHeif, "HEIF"}},
    Extension{".avif", {kHeif, "AVIF"}},
    Extension{".jp2", {kForeign, "JPEG 2000"}},
    Extension{".j2k", {kForeign, "JPEG 2000"}},
    Extension{".jxl", {kForeign, "JPEG XL"}},
    Extension{".exr", {kForeign, "OpenEXR"}},
    Extension{".hdr", {kForeign, "Radiance HDR"}},
    Extension{".psd", {kForeign, "Photoshop"}},
    Extension{".tga", {kForeign, "TGA"}},
    Extension{".pcx", {kForeign, "PCX"}},
    Extension{".svg", {kForeign, "SVG"}},
    Extension{".ico", {kForeign, "icon"}},
    Extension{".dng", {kForeign, "camera raw"}},
    Extension{".nef", {kForeign, "camera raw"}},
    Extension{".cr2", {kForeign, "camera raw"}},
    Extension{".cr3", {kForeign, "camera raw"}},
    Extension{".arw", {kForeign, "camera raw"}},
    Extension{".orf", {kForeign, "camera raw"}},
    Extension{".rw2", {kForeign, "camera raw"}},
    Extension{".pef", {kForeign, "camera raw"}},
    Extension{".srw", {kForeign, "camera raw"}},
    Extension{".raf", {kForeign, "camera raw"}},
};

/// ISO/IEC 23008-12, and AV1 Image File Format: the brand behind "ftyp" says which picture it is. Those of sequences
/// ("hevc", "avis") have a still as well.
PictureKind heif_kind(std::string_view head) {
  if (head.size() < 12 || head.substr(4, 4) != "ftyp") return {};
  const std::string_view brand = head.substr(8, 4);
  if (brand == "avif" || brand == "avis") return {kHeif, "AVIF"};
  if (brand == "crx ") return {kForeign, "camera raw"};
  constexpr std::array kBrands{"heic", "heix", "heim", "heis", "hevc", "hevx", "mif1", "mif2", "msf1"};
  return std::ranges::find(kBrands, brand) == kBrands.end() ? PictureKind{} : PictureKind{kHeif, "HEIC"};
}

constexpr std::string_view kJpegStart = "\xFF\xD8\xFF";

struct JpegExtent {
  std::size_t end = std::string_view::npos;  ///< behind its end marker; npos if it is not whole
  bool has_companions = false;               ///< it says that other pictures of the file belong to it
  std::string_view size;                     ///< height and width, as they are stored
};

/// Of the JPEG that begins at `at`. ITU-T T.81, B.1.
JpegExtent extent_of_jpeg(std::string_view bytes, std::size_t at) {
  JpegExtent extent;
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  at += 2;
  while (at + 2 <= bytes.size()) {
    if (byte(at) != 0xFF) {  // entropy-coded data
      at = std::min(bytes.find('\xFF', at), bytes.size());
      continue;
    }
    const unsigned char marker = byte(at + 1);
    const bool alone = marker <= 1 || (marker >= 0xD0 && marker <= 0xD7);
    if (marker == 0xD9) {
      extent.end = at + 2;
      return extent;
    }
    if (marker == 0xFF || alone) {
      at += alone ? 2 : 1;
      continue;
    }
    if (at + 9 > bytes.size()) break;
    const bool frame_header = marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
    if (frame_header) extent.size = bytes.substr(at + 5, 4);
    extent.has_companions = extent.has_companions || (marker == 0xE2 && bytes.substr(at + 4, 4) == "MPF\0"sv);
    at += 2 + std::size_t{256} * byte(at + 2) + byte(at + 3);
  }
  return extent;
}

}  // namespace

PictureKind kind_by_extension(const std::filesystem::path& path) {
  std::string extension = path.extension().string();
  std::ranges::transform(extension, extension.begin(), [](unsigned char c) { return std::tolower(c); });
  const auto* found = std::ranges::find(kExtensions, extension, &Extension::text);
  return found == kExtensions.end() ? PictureKind{} : found->kind;
}

PictureKind picture_kind(std::string_view head, const std::filesystem::path& path) {
  if (head.starts_with("RIFF") && head.size() >= 12 && head.substr(8, 4) == "WEBP") return {kWebp, "WebP"};
  if (head.size() >= 3 && head[0] == 'P' && head[1] >= '1' && head[1] <= '6' &&
      std::isspace(static_cast<unsigned char>(head[2])) != 0) {
    return {kPnm, "PNM"};
  }
  if (const PictureKind heif = heif_kind(head); heif.format != kNone) return heif;
  const auto* found =
      std::ranges::find_if(kSignatures, [&](const Signature& known) { return head.starts_with(known.start); });
  if (found == kSignatures.end()) return {};
  if (found->kind.format == kTiff) {
    if (const PictureKind named = kind_by_extension(path); named.format == kForeign) return named;
  }
  return found->kind;
}

std::size_t count_jpegs(std::string_view bytes) {
  std::size_t count = 0;
  JpegExtent first;
  for (std::size_t at = 0; bytes.substr(at).starts_with(kJpegStart); ++count) {
    const JpegExtent next = extent_of_jpeg(bytes, at);
    if (count == 0) first = next;
    if (next.end == bytes.npos || next.size != first.size) break;
    if (first.has_companions) return 1;
    at = next.end;
  }
  return count;
}

std::optional<bool> begins_motion_jpeg(std::string_view head) {
  const JpegExtent first = extent_of_jpeg(head, 0);
  if (first.has_companions) return false;
  if (first.end == head.npos || first.end + kJpegStart.size() > head.size()) return {};
  if (!head.substr(first.end).starts_with(kJpegStart)) return false;
  const JpegExtent second = extent_of_jpeg(head, first.end);
  if (second.end == head.npos) return {};
  return second.size == first.size;
}

}  // namespace posecam
