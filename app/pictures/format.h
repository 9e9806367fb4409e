#pragma once
// Which files are pictures, and of which kind: by their first bytes, since names lie.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>

namespace posecam {

/// How a picture is decoded.
enum class PictureFormat : std::uint8_t {
  kNone,  ///< not a picture, as far as the first bytes say
  kJpeg,
  kPng,
  kWebp,
  kTiff,
  kBmp,
  kPnm,
  kGif,
  kHeif,    ///< HEIC and AVIF
  kForeign  ///< a picture that is not decoded here, such as OpenEXR and JPEG 2000
};

/// What a file is.
struct PictureKind {
  PictureFormat format = PictureFormat::kNone;
  const char* name = "";  ///< for people: "JPEG"; empty if it is no picture

  bool decodable() const { return format != PictureFormat::kNone && format != PictureFormat::kForeign; }
};

/// So many first bytes tell the kind.
inline constexpr std::size_t kPictureHead = 32;

/// By the first bytes of a file (kPictureHead of them, or all it has) and, where camera makers put their raw data into
/// TIFF files with a small preview, by its name.
PictureKind picture_kind(std::string_view head, const std::filesystem::path& path);

/// What the extension says, for a file whose content says nothing.
PictureKind kind_by_extension(const std::filesystem::path& path);

/// How many whole JPEGs of one size lie one behind the other from the first byte on: more than one is Motion JPEG. A
/// file with further pictures that belong to its first (the second eye, a gain map; CIPA DC-007) counts as 1.
std::size_t count_jpegs(std::string_view bytes);

/// Whether that count is more than one; nothing if these first bytes of a file do not tell.
std::optional<bool> begins_motion_jpeg(std::string_view head);

}  // namespace posecam
