#include "tests/unit/app/pictures/picture_files.h"

#include <array>
#include <cstdlib>
#include <gif_lib.h>
#include <libheif/heif.h>
#include <map>
#include <memory>
#include <string>
#include <tiffio.h>
#include <utility>
#include <vector>
#include <webp/encode.h>
#include <webp/mux.h>

#include <gtest/gtest.h>
#include <opencv2/imgcodecs.hpp>

namespace posecam::test {
namespace {

std::string big_endian(std::uint32_t value) {
  std::string text;
  for (int shift = 24; shift >= 0; shift -= 8) text += static_cast<char>(value >> shift & 0xFF);
  return text;
}

/// PNG specification, annex D.
std::uint32_t checksum(const std::string& text) {
  std::uint32_t crc = ~0U;
  for (const char c : text) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1) != 0 ? crc >> 1 ^ 0xEDB88320U : crc >> 1;
  }
  return ~crc;
}

std::string text_of(const WebPData& data) { return {reinterpret_cast<const char*>(data.bytes), data.size}; }

WebPData data_of(const std::string& text) { return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}; }

const char* place_of(const cv::Mat& bgr, const cv::Vec3b& color) {
  const auto near = [&](int x, int y) { return cv::norm(bgr.at<cv::Vec3b>(y, x), color) < 60; };
  constexpr int kIn = 7;  // the middle of a mark
  const int right = bgr.cols - 1 - kIn;
  const int bottom = bgr.rows - 1 - kIn;
  if (near(kIn, kIn)) return "TL";
  if (near(right, kIn)) return "TR";
  if (near(kIn, bottom)) return "BL";
  return near(right, bottom) ? "BR" : "none";
}

}  // namespace

cv::Mat marked_picture() {
  cv::Mat picture = cv::Mat::zeros(32, 48, CV_8UC3);
  picture(cv::Rect(0, 0, 16, 16)).setTo(cv::Scalar(0, 0, 255));
  picture(cv::Rect(32, 0, 16, 16)).setTo(cv::Scalar(0, 255, 0));
  return picture;
}

std::string letters(const cv::Mat& bgr) {
  std::string text;
  for (int y = 0; y < bgr.rows; ++y) {
    for (int x = 0; x < bgr.cols; ++x) {
      const auto& pixel = bgr.at<cv::Vec3b>(y, x);
      const std::map<std::array<int, 3>, char> known{
          {{0, 0, 0}, 'k'}, {{0, 0, 255}, 'r'}, {{0, 255, 0}, 'g'}, {{255, 0, 0}, 'b'}, {{255, 255, 255}, 'w'}};
      const auto found = known.find({pixel[0], pixel[1], pixel[2]});
      text += found == known.end() ? '?' : found->second;
    }
  }
  return text;
}

std::string marks_of(const cv::Mat& bgr) {
  return std::string(place_of(bgr, {0, 0, 255})) + " " + place_of(bgr, {0, 255, 0});
}

std::string encoded(const std::string& extension, const cv::Mat& pixels, const std::vector<int>& parameters) {
  std::vector<unsigned char> bytes;
  std::vector<int> all = parameters;
  if (extension == ".webp") all = {cv::IMWRITE_WEBP_QUALITY, 101};
  EXPECT_TRUE(cv::imencode(extension, pixels, bytes, all));
  return {bytes.begin(), bytes.end()};
}

std::string exif(int orientation, bool big) {
  const char value = static_cast<char>(orientation);
  if (big) return std::string("MM\0*\0\0\0\10\0\1\1\22\0\3\0\0\0\1\0", 19) + value + std::string(6, '\0');
  return std::string("II*\0\10\0\0\0\1\0\22\1\3\0\1\0\0\0", 18) + value + std::string(7, '\0');
}

std::string with_exif_in_jpeg(const std::string& jpeg, int orientation) {
  const std::string content = std::string("Exif\0\0", 6) + exif(orientation, true);
  return jpeg.substr(0, 2) + "\xFF\xE1" + big_endian(static_cast<std::uint32_t>(content.size()) + 2).substr(2) +
         content + jpeg.substr(2);
}

std::string with_png_chunk(const std::string& png, const std::string& type, const std::string& content) {
  constexpr std::size_t kBehindHeader = 8 + 25;
  return png.substr(0, kBehindHeader) + big_endian(static_cast<std::uint32_t>(content.size())) + type + content +
         big_endian(checksum(type + content)) + png.substr(kBehindHeader);
}

std::string with_exif_in_png(const std::string& png, int orientation) {
  return with_png_chunk(png, "eXIf", exif(orientation));
}

std::string with_exif_in_webp(const std::string& webp, int orientation) {
  const WebPData image = data_of(webp);
  const std::string block = exif(orientation);
  const WebPData chunk = data_of(block);
  const std::unique_ptr<WebPMux, decltype(&WebPMuxDelete)> mux(WebPMuxCreate(&image, 1), WebPMuxDelete);
  EXPECT_EQ(WebPMuxSetChunk(mux.get(), "EXIF", &chunk, 1), WEBP_MUX_OK);
  WebPData all{};
  EXPECT_EQ(WebPMuxAssemble(mux.get(), &all), WEBP_MUX_OK);
  std::string text = text_of(all);
  WebPDataClear(&all);
  return text;
}

std::vector<std::vector<std::uint16_t>> marked_rows() {
  const cv::Mat marked = marked_picture();
  std::vector<std::vector<std::uint16_t>> rows(static_cast<std::size_t>(marked.rows));
  for (int y = 0; y < marked.rows; ++y) {
    for (int x = 0; x < marked.cols; ++x) {
      for (int c = 2; c >= 0; --c) rows[static_cast<std::size_t>(y)].push_back(marked.at<cv::Vec3b>(y, x)[c]);
    }
  }
  return rows;
}

std::string tiff(const std::string& path, int width, const std::vector<std::vector<std::uint16_t>>& rows,
                 const TiffSetup& setup) {
  TIFF* file = TIFFOpen(path.c_str(), setup.mode);
  for (int page = 0; page < setup.pages; ++page) {
    TIFFSetField(file, TIFFTAG_IMAGEWIDTH, width);
    TIFFSetField(file, TIFFTAG_IMAGELENGTH, static_cast<int>(rows.size()));
    TIFFSetField(file, TIFFTAG_BITSPERSAMPLE, setup.bits);
    TIFFSetField(file, TIFFTAG_SAMPLESPERPIXEL, setup.samples);
    TIFFSetField(file, TIFFTAG_PHOTOMETRIC, setup.photometric);
    TIFFSetField(file, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG);
    TIFFSetField(file, TIFFTAG_ORIENTATION, setup.orientation);
    for (std::uint32_t y = 0; y < rows.size(); ++y) {
      std::vector<std::uint16_t> wide = rows[y];
      std::vector<std::uint8_t> narrow(wide.begin(), wide.end());
      void* row = setup.bits == 16 ? static_cast<void*>(wide.data()) : narrow.data();
      EXPECT_EQ(TIFFWriteScanline(file, row, y, 0), 1);
    }
    TIFFWriteDirectory(file);
  }
  TIFFClose(file);
  return path;
}

std::string gif(const std::string& path, int width, int height, const std::vector<GifFrame>& frames) {
  constexpr std::string_view kLetters = "krgb.";
  constexpr int kTransparent = 4;
  int error = 0;
  GifFileType* file = EGifOpenFileName(path.c_str(), false, &error);
  file->SWidth = width;
  file->SHeight = height;
  file->SColorResolution = 8;
  const GifColorType colors[8] = {{0, 0, 0}, {255, 0, 0}, {0, 255, 0}, {0, 0, 255}, {9, 9, 9}, {}, {}, {}};
  ColorMapObject* const map = GifMakeMapObject(8, colors);
  file->SColorMap = map;
  for (const GifFrame& frame : frames) {
    std::vector<GifByteType> indices;
    for (const char c : frame.pixels) indices.push_back(static_cast<GifByteType>(kLetters.find(c)));
    SavedImage image{};
    image.ImageDesc = {frame.left, frame.top, frame.width, frame.height, frame.interlaced, nullptr};
    image.RasterBits = indices.data();
    GifMakeSavedImage(file, &image);  // a copy
    const GraphicsControlBlock control{frame.disposal, false, frame.hundredths, kTransparent};
    EGifGCBToSavedExtension(&control, file, file->ImageCount - 1);
  }
  // EGifSpew() closes the file with a map of its own, and leaves ours and its images to us.
  const std::unique_ptr<SavedImage, decltype(&std::free)> images(file->SavedImages, &std::free);
  const int count = file->ImageCount;
  EXPECT_EQ(EGifSpew(file), GIF_OK);
  for (SavedImage* image = images.get(); image != images.get() + count; ++image) {
    GifFreeMapObject(image->ImageDesc.ColorMap);
    GifFreeExtensions(&image->ExtensionBlockCount, &image->ExtensionBlocks);
    const std::unique_ptr<GifByteType, decltype(&std::free)> pixels(image->RasterBits, &std::free);
  }
  GifFreeMapObject(map);
  return path;
}

std::string moving_webp(const std::vector<cv::Mat>& bgra, const std::vector<int>& milliseconds) {
  WebPAnimEncoder* encoder = WebPAnimEncoderNew(bgra[0].cols, bgra[0].rows, nullptr);
  WebPConfig config;
  EXPECT_NE(WebPConfigInit(&config), 0);
  config.lossless = 1;
  int time = 0;
  for (std::size_t i = 0; i < bgra.size(); ++i) {
    WebPPicture picture;
    EXPECT_NE(WebPPictureInit(&picture), 0);
    picture.use_argb = 1;
    picture.width = bgra[i].cols;
    picture.height = bgra[i].rows;
    EXPECT_NE(WebPPictureImportBGRA(&picture, bgra[i].data, static_cast<int>(bgra[i].step[0])), 0);
    EXPECT_NE(WebPAnimEncoderAdd(encoder, &picture, time, &config), 0);
    WebPPictureFree(&picture);
    time += milliseconds[i];
  }
  WebPAnimEncoderAdd(encoder, nullptr, time, nullptr);
  WebPData all{};
  EXPECT_NE(WebPAnimEncoderAssemble(encoder, &all), 0);
  std::string text = text_of(all);
  WebPDataClear(&all);
  WebPAnimEncoderDelete(encoder);
  return text;
}

std::string moving_webp(const std::string& still, int frames, int milliseconds) {
  const std::unique_ptr<WebPMux, decltype(&WebPMuxDelete)> mux(WebPMuxNew(), WebPMuxDelete);
  WebPMuxFrameInfo frame{};
  frame.bitstream = data_of(still);
  frame.duration = milliseconds;
  frame.id = WEBP_CHUNK_ANMF;
  for (int i = 0; i < frames; ++i) EXPECT_EQ(WebPMuxPushFrame(mux.get(), &frame, 1), WEBP_MUX_OK);
  const WebPMuxAnimParams animation{};
  EXPECT_EQ(WebPMuxSetAnimationParams(mux.get(), &animation), WEBP_MUX_OK);
  WebPData all{};
  EXPECT_EQ(WebPMuxAssemble(mux.get(), &all), WEBP_MUX_OK);
  std::string text = text_of(all);
  WebPDataClear(&all);
  return text;
}

std::string with_first_scan_repeated(const std::string& jpeg, int times) {
  const std::size_t start = jpeg.find("\xFF\xDA");
  std::size_t end = start + 2;
  do {
    end = jpeg.find('\xFF', end + 1);
  } while (jpeg.at(end + 1) == '\0');
  std::string text = jpeg.substr(0, end);
  for (int i = 0; i < times; ++i) text += jpeg.substr(start, end - start);
  return text + jpeg.substr(end);
}

std::string heif(const std::string& path, const cv::Mat& pixels, bool av1, bool premultiplied) {
  const std::unique_ptr<heif_context, decltype(&heif_context_free)> context(heif_context_alloc(), heif_context_free);
  heif_encoder* encoder = nullptr;
  const auto format = av1 ? heif_compression_AV1 : heif_compression_HEVC;
  if (heif_context_get_encoder_for_format(context.get(), format, &encoder).code != heif_error_Ok) return {};
  heif_encoder_set_lossy_quality(encoder, 95);
  const bool alpha = pixels.channels() == 4;
  heif_image* image = nullptr;
  heif_image_create(pixels.cols, pixels.rows, heif_colorspace_RGB,
                    alpha ? heif_chroma_interleaved_RGBA : heif_chroma_interleaved_RGB, &image);
  heif_image_add_plane(image, heif_channel_interleaved, pixels.cols, pixels.rows, 8);
  heif_image_set_premultiplied_alpha(image, premultiplied ? 1 : 0);
  int stride = 0;
  std::uint8_t* plane = heif_image_get_plane(image, heif_channel_interleaved, &stride);
  for (int y = 0; y < pixels.rows; ++y) {
    for (int x = 0; x < pixels.cols; ++x) {
      const unsigned char* from = pixels.ptr(y, x);
      std::uint8_t* to = plane + y * stride + pixels.channels() * x;
      for (int c = 0; c < 3; ++c) to[c] = from[2 - c];
      if (alpha) to[3] = from[3];
    }
  }
  const bool done = heif_context_encode_image(context.get(), image, encoder, nullptr, nullptr).code == heif_error_Ok &&
                    heif_context_write_to_file(context.get(), path.c_str()).code == heif_error_Ok;
  heif_image_release(image);
  heif_encoder_release(encoder);
  return done ? path : std::string();
}

FailingPixels::FailingPixels(int code, std::string message)
    : code_(code), message_(std::move(message)), before_(cv::Mat::getDefaultAllocator()) {
  cv::Mat::setDefaultAllocator(this);
}

FailingPixels::~FailingPixels() { cv::Mat::setDefaultAllocator(before_); }

cv::UMatData* FailingPixels::allocate(int, const int*, int, void*, std::size_t*, cv::AccessFlag,
                                      cv::UMatUsageFlags) const {
  throw cv::Exception(code_, message_, "allocate", __FILE__, __LINE__);
}

bool FailingPixels::allocate(cv::UMatData*, cv::AccessFlag, cv::UMatUsageFlags) const { return false; }

void FailingPixels::deallocate(cv::UMatData* data) const { before_->deallocate(data); }

}  // namespace posecam::test
