#include "app/pictures/picture.h"

#include <array>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "tests/support/shared.h"
#include "tests/support/temp_dir.h"
#include "tests/unit/app/pictures/picture_files.h"

namespace posecam::test {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class PictureTest : public ::testing::Test {
 protected:
  std::string at(const std::string& name) const { return (folder_.path() / name).string(); }
  std::string file(const std::string& name, const std::string& content) const {
    write_file(at(name), content);
    return at(name);
  }
  /// Its pixels; empty, and a failure of the test, if it cannot be decoded.
  static cv::Mat pixels(const std::string& path, Turn turn = Turn::kUpright) {
    const auto picture = read_picture(path, turn);
    EXPECT_TRUE(picture) << picture.error().message;
    return picture ? picture->pixels : cv::Mat();
  }
  static cv::Vec3b first_pixel(const std::string& path) {
    const cv::Mat all = pixels(path);
    return all.empty() ? cv::Vec3b() : all.at<cv::Vec3b>(0, 0);
  }
  static std::string why(const std::string& path) {
    const auto picture = read_picture(path);
    EXPECT_FALSE(picture) << path;
    if (picture) return {};
    EXPECT_EQ(picture.error().code, Errc::kMedia);
    EXPECT_THAT(picture.error().message, StartsWith(path + ": "));
    return picture.error().message;
  }

 private:
  TempDir folder_;
};

/// What a viewer shows of marked_picture() with each orientation (CIPA DC-008, 4.6.4), from 1 on.
constexpr std::array kTurned{"TL TR", "TR TL", "BR BL", "BL BR", "TL BL", "TR BR", "BR TR", "BL TL"};

TEST_F(PictureTest, TurnsEveryFormatAsItsCameraSays) {
  const std::string jpeg = encoded(".jpg", marked_picture());
  const std::string png = encoded(".png", marked_picture());
  const std::string webp = encoded(".webp", marked_picture());
  for (int orientation = 1; orientation <= 8; ++orientation) {
    TiffSetup setup;
    setup.orientation = static_cast<std::uint16_t>(orientation);
    for (const std::string& path :
         {file("a.jpg", with_exif_in_jpeg(jpeg, orientation)), file("a.png", with_exif_in_png(png, orientation)),
          file("a.webp", with_exif_in_webp(webp, orientation)), tiff(at("a.tif"), 48, marked_rows(), setup)}) {
      const cv::Mat upright = pixels(path);
      EXPECT_EQ(marks_of(upright), kTurned.at(static_cast<std::size_t>(orientation) - 1)) << path << orientation;
      EXPECT_EQ(upright.size(), orientation < 5 ? cv::Size(48, 32) : cv::Size(32, 48)) << path << orientation;
      EXPECT_EQ(marks_of(pixels(path, Turn::kAsStored)), "TL TR") << path << orientation;
    }
  }
}

TEST_F(PictureTest, TurnsAWebpOfAPhone) {
  POSECAM_NEEDS_SHARED("media/broken/10_exif6.webp");
  const std::string path = shared_dir() / "media/broken/10_exif6.webp";
  cv::Mat turned;
  cv::rotate(pixels(path, Turn::kAsStored), turned, cv::ROTATE_90_CLOCKWISE);
  EXPECT_EQ(cv::norm(pixels(path), turned, cv::NORM_INF), 0);
}

/// With each coding that libheif can have an encoder for.
class HeifTest : public PictureTest, public ::testing::WithParamInterface<bool> {
 protected:
  static bool av1() { return GetParam(); }
  /// Empty where there is no encoder.
  std::string heif_file(const cv::Mat& pixels, bool premultiplied = false) const {
    return heif(at(av1() ? "a.avif" : "a.heic"), pixels, av1(), premultiplied);
  }
  /// A picture of nothing but that colour is shown as this one, with what its compression loses.
  static void expect_near(const cv::Vec3b& shown, const cv::Vec3b& expected) {
    EXPECT_LE(cv::norm(shown, expected, cv::NORM_INF), 3) << cv::Mat(shown).t();
  }
};

TEST_P(HeifTest, IsDecoded) {
  const std::string path = heif_file(marked_picture());
  if (path.empty()) GTEST_SKIP() << "libheif has no encoder here for " << (av1() ? "AV1" : "HEVC");
  EXPECT_EQ(marks_of(pixels(path)), "TL TR");
  EXPECT_EQ(pixels(path).size(), cv::Size(48, 32));
}

TEST_P(HeifTest, ShowsWhatIsTransparentOnWhite) {
  const std::string path = heif_file(cv::Mat(32, 32, CV_8UC4, cv::Scalar(200, 100, 0, 128)));
  if (path.empty()) GTEST_SKIP() << "libheif has no encoder here for " << (av1() ? "AV1" : "HEVC");
  expect_near(first_pixel(path), {227, 177, 127});
}

TEST_P(HeifTest, TakesColoursForMultipliedByAlphaIfItSaysSo) {
  const std::string path = heif_file(cv::Mat(32, 32, CV_8UC4, cv::Scalar(100, 50, 0, 128)), true);
  if (path.empty()) GTEST_SKIP() << "libheif has no encoder here for " << (av1() ? "AV1" : "HEVC");
  expect_near(first_pixel(path), {227, 177, 127});
}

INSTANTIATE_TEST_SUITE_P(Codings, HeifTest, ::testing::Bool(),
                         [](const auto& coding) { return coding.param ? "Av1" : "Hevc"; });

TEST_F(PictureTest, RefusesWhatIsCutOffWithoutAWordOnStandardError) {
  cv::Mat noise(40, 60, CV_8UC3);
  cv::randu(noise, 0, 255);
  const std::string tif = read_file(tiff(at("whole.tif"), 48, marked_rows(), {}));
  const std::vector<std::pair<std::string, std::string>> files{
      {".jpg", encoded(".jpg", noise)},
      {".progressive.jpg", encoded(".jpg", noise, {cv::IMWRITE_JPEG_PROGRESSIVE, 1})},
      {".png", encoded(".png", noise)},
      {".webp", encoded(".webp", noise)},
      {".bmp", encoded(".bmp", noise)},
      {".ppm", encoded(".ppm", noise)},
      {".text.ppm", encoded(".ppm", noise, {cv::IMWRITE_PXM_BINARY, 0})},
      {".tif", tif}};
  ::testing::internal::CaptureStderr();
  for (const auto& [extension, whole] : files) {
    EXPECT_FALSE(pixels(file("whole" + extension, whole)).empty()) << extension;
    for (const std::size_t percent : {5, 30, 50, 75, 90, 99}) {
      why(file("cut" + extension, whole.substr(0, whole.size() * percent / 100)));
    }
  }
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
}

TEST_F(PictureTest, SaysWhatIsWrongWithAJpeg) {
  for (const char* name : {"09_truncated.jpg", "09b_truncated_1percent.jpg"}) {
    POSECAM_NEEDS_SHARED(std::string("media/broken/") + name);
    EXPECT_THAT(why(shared_dir() / "media/broken" / name), HasSubstr("damaged: Premature end of JPEG file"));
  }
}

TEST_F(PictureTest, RefusesAJpegWithDamageInItsMiddle) {
  cv::Mat noise(64, 64, CV_8UC3);
  cv::randu(noise, 0, 255);
  std::string jpeg = encoded(".jpg", noise);
  jpeg.replace(jpeg.size() / 2, 2, "\xFF\xD9");  // an end marker where there is none
  EXPECT_THAT(why(file("a.jpg", jpeg)), HasSubstr("damaged"));
}

TEST_F(PictureTest, RefusesAJpegWithScansWithoutEnd) {
  const std::string jpeg = encoded(".jpg", marked_picture(), {cv::IMWRITE_JPEG_PROGRESSIVE, 1});
  const cv::Mat shown = pixels(file("a.jpg", with_first_scan_repeated(jpeg, 400)));
  EXPECT_EQ(cv::norm(shown, pixels(file("b.jpg", jpeg)), cv::NORM_INF), 0);
  EXPECT_THAT(why(file("c.jpg", with_first_scan_repeated(jpeg, 501))), HasSubstr("more than 500 scans"));
}

TEST_F(PictureTest, TakesAJpegWithBytesBehindItsEnd) {
  EXPECT_EQ(marks_of(pixels(file("a.jpg", encoded(".jpg", marked_picture()) + "a trailer of some program"))), "TL TR");
}

TEST_F(PictureTest, ShowsWhatIsTransparentOnWhite) {
  cv::Mat half(2, 2, CV_8UC4, cv::Scalar(200, 100, 0, 128));
  half.at<cv::Vec4b>(1, 1) = {10, 20, 30, 0};
  half.at<cv::Vec4b>(0, 1) = {10, 20, 30, 255};
  for (const char* extension : {".png", ".webp"}) {
    const cv::Mat seen = pixels(file(std::string("a") + extension, encoded(extension, half)));
    EXPECT_EQ(seen.at<cv::Vec3b>(0, 0), cv::Vec3b(227, 177, 127)) << extension;
    EXPECT_EQ(seen.at<cv::Vec3b>(0, 1), cv::Vec3b(10, 20, 30)) << extension;
    EXPECT_EQ(seen.at<cv::Vec3b>(1, 1), cv::Vec3b(255, 255, 255)) << extension;
  }
}

TEST_F(PictureTest, TakesTheFourthByteOfABmpForAlphaOnlyIfItSaysSo) {
  // BITMAPV4HEADER of one pixel, bit fields; the masks of red, green, blue, alpha are 40 bytes behind its start.
  std::string bmp("BM\0\0\0\0\0\0\0\0\172\0\0\0\154\0\0\0\1\0\0\0\1\0\0\0\1\0\40\0\3\0\0\0", 34);
  bmp += std::string(20, '\0') + std::string("\0\0\377\0\0\377\0\0\377\0\0\0\0\0\0\377", 16);
  bmp += std::string(122 - bmp.size(), '\0') + std::string("\310\144\0\200", 4);
  EXPECT_EQ(first_pixel(file("a.bmp", bmp)), cv::Vec3b(227, 177, 127));
  const std::string no_alpha = bmp.replace(66, 4, std::string(4, '\0'));
  EXPECT_EQ(first_pixel(file("b.bmp", no_alpha)), cv::Vec3b(200, 100, 0));
}

TEST_F(PictureTest, DecodesSixteenBitsAndGrey) {
  const cv::Mat deep(2, 2, CV_16UC3, cv::Scalar(200 * 257, 100 * 257, 50 * 257));
  for (const char* extension : {".png", ".ppm"}) {
    EXPECT_EQ(first_pixel(file(std::string("a") + extension, encoded(extension, deep))), cv::Vec3b(200, 100, 50))
        << extension;
  }
  const cv::Mat grey(2, 2, CV_8UC1, cv::Scalar(77));
  for (const char* extension : {".png", ".pgm", ".bmp", ".jpg"}) {
    EXPECT_EQ(first_pixel(file(std::string("g") + extension, encoded(extension, grey))), cv::Vec3b(77, 77, 77))
        << extension;
  }
  TiffSetup setup{.bits = 16};
  EXPECT_EQ(first_pixel(tiff(at("deep.tif"), 1, {{50 * 257, 100 * 257, 200 * 257}}, setup)), cv::Vec3b(200, 100, 50));
}

TEST_F(PictureTest, DecodesCmyk) {
  // Full cyan over half black, uncoated: red is gone, green and blue are what black leaves.
  TiffSetup setup{.samples = 4, .photometric = 5};
  EXPECT_EQ(first_pixel(tiff(at("inks.tif"), 1, {{255, 0, 0, 128}}, setup)), cv::Vec3b(127, 127, 0));
}

TEST_F(PictureTest, DecodesBigTiffOfBothByteOrders) {
  for (const char* mode : {"w8l", "w8b"}) {
    TiffSetup setup{.mode = mode};
    EXPECT_EQ(marks_of(pixels(tiff(at(std::string(mode) + ".tif"), 48, marked_rows(), setup))), "TL TR") << mode;
  }
}

TEST_F(PictureTest, TakesATiffWithATagThatMeansNothing) {
  std::string bytes = read_file(tiff(at("whole.tif"), 48, marked_rows(), {}));
  const std::string orientation("\x12\1\3\0\1\0\0\0", 8);  // tag, type, count; the value follows
  const std::size_t found = bytes.find(orientation);
  ASSERT_NE(found, bytes.npos);
  bytes[found + orientation.size()] = '\0';
  EXPECT_EQ(marks_of(pixels(file("a.tif", bytes))), "TL TR");
}

/// One directory with these tags, all of 32 bits (TIFF 6.0, section 2).
std::string tiff_of_tags(const std::vector<std::pair<int, std::uint32_t>>& tags) {
  const auto little_endian = [](std::uint32_t value, int count) {
    std::string text;
    for (int i = 0; i < count; ++i) text += static_cast<char>(value >> (8 * i) & 0xFF);
    return text;
  };
  std::string bytes = "II*" + std::string("\0\10\0\0\0", 5) + little_endian(static_cast<std::uint32_t>(tags.size()), 2);
  for (const auto& [tag, value] : tags) {
    bytes += little_endian(static_cast<std::uint32_t>(tag), 2) + little_endian(4, 2) + little_endian(1, 4) +
             little_endian(value, 4);
  }
  return bytes;
}

TEST_F(PictureTest, RefusesATiffWhoseTilesNeedMoreMemoryThanAnyPicture) {
  // 48x32 pixels of grey in one tile of 65536x65536, LZW: so well compressed that libtiff just believes it.
  constexpr std::uint32_t kBytes = 5'000'000;
  const std::string bytes = tiff_of_tags({{256, 48},
                                          {257, 32},
                                          {258, 8},
                                          {259, 5},
                                          {262, 1},
                                          {277, 1},
                                          {322, 65536},
                                          {323, 65536},
                                          {324, 200},
                                          {325, kBytes}});
  EXPECT_THAT(why(file("a.tif", bytes + std::string(kBytes + 200, '\0'))),
              HasSubstr("beyond the 800000000 byte limit"));
}

TEST_F(PictureTest, CountsWhatItLeavesOut) {
  const std::string jpeg = encoded(".jpg", marked_picture());
  const std::string apng =
      with_png_chunk(encoded(".png", marked_picture()), "acTL", std::string("\0\0\0\7\0\0\0\0", 8));
  TiffSetup setup{.pages = 3};
  EXPECT_EQ(read_picture(tiff(at("a.tif"), 48, marked_rows(), setup))->left_out, 2U);
  EXPECT_EQ(read_picture(file("a.png", apng))->left_out, 6U);
  EXPECT_EQ(read_picture(file("a.mjpeg", jpeg + jpeg + jpeg))->left_out, 2U);
  EXPECT_EQ(read_picture(file("one.jpg", jpeg))->left_out, 0U);
}

TEST_F(PictureTest, RefusesSidesThatNoFrameCanHave) {
  const cv::Mat wide = cv::Mat::zeros(1, kLargestSide + 1, CV_8UC3);
  for (const char* extension : {".png", ".jpg", ".bmp", ".ppm"}) {
    EXPECT_THAT(why(file(std::string("a") + extension, encoded(extension, wide))), HasSubstr("32768x1 pixels"));
  }
  EXPECT_EQ(pixels(file("b.png", encoded(".png", wide.colRange(0, kLargestSide)))).cols, kLargestSide);
}

TEST_F(PictureTest, RefusesMorePixelsThanItIsToldBeforeItDecodesThem) {
  const cv::Mat picture = cv::Mat::zeros(1000, 2001, CV_8UC3);
  for (const char* extension : {".png", ".jpg", ".bmp", ".ppm", ".webp"}) {
    const std::string path = file(std::string("a") + extension, encoded(extension, picture));
    limit_pixels(2'000'000);
    EXPECT_THAT(why(path), HasSubstr("2001x1000 pixels are too many; make it smaller (at most 32767 on a side and 2 "));
    limit_pixels(kMostPixels);
    EXPECT_EQ(pixels(path).size(), picture.size());
  }
}

TEST_F(PictureTest, SaysInItsOwnWordsWhatOpenCvThrows) {
  const std::string grey = "P5 1 1 255\nx";
  for (const std::string& path :
       {file("a.png", encoded(".png", marked_picture())), file("a.jpg", encoded(".jpg", marked_picture())),
        file("a.webp", encoded(".webp", marked_picture())), file("a.bmp", encoded(".bmp", marked_picture())),
        file("a.pgm", grey), tiff(at("a.tif"), 48, marked_rows(), {})}) {
    {
      const FailingPixels failing(cv::Error::StsNoMem, "Failed to allocate 4608 bytes");
      EXPECT_EQ(why(path), path + ": there is not enough memory for it");
    }
    const FailingPixels failing(cv::Error::StsAssert, "> this\n> and that\n");
    EXPECT_EQ(why(path), path + ": this; and that");
  }
}

TEST_F(PictureTest, SaysWhatIsNotDecoded) {
  EXPECT_THAT(why(file("a.exr", std::string("\x76\x2F\x31\x01") + std::string(40, '\0'))), HasSubstr("OpenEXR"));
  EXPECT_THAT(why(file("a.j2k", "\xFF\x4F\xFF\x51 and more")), HasSubstr("JPEG 2000"));
  EXPECT_THAT(why(file("a.png", "text")), HasSubstr("not a picture"));
  EXPECT_THAT(why(file("b.png", "")), HasSubstr("empty"));
}

TEST_F(PictureTest, ReadsTextAndBitsOfPnm) {
  EXPECT_EQ(first_pixel(file("a.pgm", "P2\n# made by hand\n2 1\n10\n5 10\n")), cv::Vec3b(128, 128, 128));
  EXPECT_EQ(first_pixel(file("a.ppm", "P3 1 1 255 1 2 3")), cv::Vec3b(3, 2, 1));
  EXPECT_EQ(first_pixel(file("a.pbm", "P1 2 1 01")), cv::Vec3b(255, 255, 255));
  const cv::Mat bits = pixels(file("b.pbm", std::string("P4 9 1\n\x7F\x80", 9)));
  ASSERT_EQ(bits.cols, 9);
  EXPECT_EQ(bits.at<cv::Vec3b>(0, 0)[0], 255);
  EXPECT_EQ(bits.at<cv::Vec3b>(0, 1)[0], 0);
  EXPECT_EQ(bits.at<cv::Vec3b>(0, 8)[0], 0);
}

}  // namespace
}  // namespace posecam::test
