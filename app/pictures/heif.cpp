// libheif: HEIC and AVIF. It turns the picture as the file says.

#include <cstddef>
#include <cstdint>
#include <libheif/heif.h>

#include "app/pictures/codecs.h"

namespace posecam {
namespace {

struct Free {
  void operator()(heif_context* context) const noexcept { heif_context_free(context); }
  void operator()(heif_image_handle* handle) const noexcept { heif_image_handle_release(handle); }
  void operator()(heif_image* image) const noexcept { heif_image_release(image); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;

Error failure(const heif_error& error) { return damaged(std::string("it cannot be decoded: ") + error.message); }

/// BGR of the picture of that handle.
Result<cv::Mat> decode(const heif_image_handle* handle) {
  const bool transparent = heif_image_handle_has_alpha_channel(handle) != 0;
  const heif_chroma chroma = transparent ? heif_chroma_interleaved_RGBA : heif_chroma_interleaved_RGB;
  heif_image* decoded = nullptr;
  const heif_error error = heif_decode_image(handle, &decoded, heif_colorspace_RGB, chroma, nullptr);
  if (error.code != heif_error_Ok) return failure(error);
  const Owned<heif_image> image(decoded);
  const int width = heif_image_get_width(decoded, heif_channel_interleaved);
  const int height = heif_image_get_height(decoded, heif_channel_interleaved);
  if (auto fits = check_size(width, height); !fits) return fits.error();  // the coded picture has a size of its own
  int stride = 0;
  const std::uint8_t* plane = heif_image_get_plane_readonly(decoded, heif_channel_interleaved, &stride);
  if (plane == nullptr) return damaged("it has no pixels");
  const cv::Mat stored(height, width, transparent ? CV_8UC4 : CV_8UC3, const_cast<std::uint8_t*>(plane),
                       static_cast<std::size_t>(stride));
  if (!transparent) return swapped(stored);
  const bool multiplied = heif_image_handle_is_premultiplied_alpha(handle) != 0;
  return on_white(swapped(stored), multiplied ? Alpha::kMultiplied : Alpha::kStraight);
}

}  // namespace

Result<Picture> read_heif(std::string_view bytes) {
  const Owned<heif_context> context(heif_context_alloc());
  heif_error error = heif_context_read_from_memory_without_copy(context.get(), bytes.data(), bytes.size(), nullptr);
  if (error.code != heif_error_Ok) return failure(error);
  heif_image_handle* primary = nullptr;
  error = heif_context_get_primary_image_handle(context.get(), &primary);
  if (error.code != heif_error_Ok) return failure(error);
  const Owned<heif_image_handle> handle(primary);
  if (auto fits = check_size(heif_image_handle_get_width(primary), heif_image_handle_get_height(primary)); !fits) {
    return fits.error();
  }
  auto pixels = decode(primary);
  if (!pixels) return pixels.error();
  const int pictures = heif_context_get_number_of_top_level_images(context.get());
  return Picture{*std::move(pixels), pictures > 1 ? static_cast<std::size_t>(pictures) - 1 : 0};
}

}  // namespace posecam
