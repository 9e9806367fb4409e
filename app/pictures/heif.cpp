// libheif: HEIC and AVIF. It turns the picture as the file says.

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
  const bool transparent = heif_image_handle_has_alpha_channel(primary) != 0;
  heif_image* decoded = nullptr;
  error = heif_decode_image(primary, &decoded, heif_colorspace_RGB, heif_chroma_interleaved_RGBA, nullptr);
  if (error.code != heif_error_Ok) return failure(error);
  const Owned<heif_image> image(decoded);
  int stride = 0;
  const std::uint8_t* plane = heif_image_get_plane_readonly(decoded, heif_channel_interleaved, &stride);
  if (plane == nullptr) return damaged("it has no pixels");
  const int width = heif_image_get_width(decoded, heif_channel_interleaved);
  const int height = heif_image_get_height(decoded, heif_channel_interleaved);
  cv::Mat pixels(height, width, CV_8UC4);
  for (int y = 0; y < height; ++y) {
    const std::uint8_t* from = plane + static_cast<std::ptrdiff_t>(y) * stride;
    auto* to = pixels.ptr<cv::Vec4b>(y);
    for (int x = 0; x < width; ++x, from += 4) {
      to[x] = {from[2], from[1], from[0], static_cast<unsigned char>(transparent ? from[3] : 255)};
    }
  }
  const int pictures = heif_context_get_number_of_top_level_images(context.get());
  return Picture{on_white(pixels), pictures > 1 ? static_cast<std::size_t>(pictures) - 1 : 0};
}

}  // namespace posecam
