#include "app/pictures/format.h"

#include <cstddef>
#include <optional>
#include <string>

#include <gtest/gtest.h>
#include <opencv2/imgcodecs.hpp>

#include "app/pictures/picture.h"
#include "tests/support/temp_dir.h"
#include "tests/unit/app/pictures/picture_files.h"

namespace posecam::test {
namespace {

TEST(PictureFormat, ComesFromTheFirstBytes) {
  const auto of = [](const std::string& head) { return picture_kind(head, "x.mp4").format; };
  EXPECT_EQ(of("\xFF\xD8\xFF\xE0"), PictureFormat::kJpeg);
  EXPECT_EQ(of(std::string("II+\0\10\0", 6)), PictureFormat::kTiff);
  EXPECT_EQ(of(std::string("MM\0+\0\10", 6)), PictureFormat::kTiff);
  EXPECT_EQ(of("GIF89a"), PictureFormat::kGif);
  EXPECT_EQ(of(std::string("GIF8\xF7%%K\x1D\x10\x10", 11)), PictureFormat::kGif)
      << "a decoder of GStreamer spins on it";
  EXPECT_EQ(of(std::string("\0\0\0\x18"
                           "ftypheic",
                           12)),
            PictureFormat::kHeif);
  EXPECT_EQ(of(std::string("\0\0\0\x18"
                           "ftypisom",
                           12)),
            PictureFormat::kNone);
  EXPECT_EQ(of("RIFF....WEBP"), PictureFormat::kWebp);
  EXPECT_EQ(of("RIFF....AVI "), PictureFormat::kNone);
  EXPECT_EQ(of("\x76\x2F\x31\x01"), PictureFormat::kForeign);
  EXPECT_EQ(of("P6\n"), PictureFormat::kPnm);
  EXPECT_EQ(of(""), PictureFormat::kNone);
}

TEST(PictureFormat, OfCameraRawIsNotThatOfItsPreview) {
  const std::string tiff("II*\0\10\0\0\0", 8);
  EXPECT_EQ(picture_kind(tiff, "a.NEF").format, PictureFormat::kForeign);
  EXPECT_EQ(picture_kind(tiff, "a.tif").format, PictureFormat::kTiff);
}

TEST(PictureFormat, TellsMotionJpegFromAPictureWithCompanions) {
  const std::string jpeg = encoded(".jpg", marked_picture());
  // CIPA DC-007: the second application segment names further pictures of the file.
  const std::string first = jpeg.substr(0, 2) + std::string("\xFF\xE2\0\6MPF\0", 8).substr(0, 8) + jpeg.substr(2);
  EXPECT_EQ(count_jpegs(jpeg), 1U);
  EXPECT_EQ(count_jpegs(jpeg + jpeg), 2U);
  EXPECT_EQ(count_jpegs(with_exif_in_jpeg(jpeg, 6) + jpeg + jpeg), 3U);
  EXPECT_EQ(count_jpegs(first + jpeg), 1U);
  EXPECT_EQ(count_jpegs(jpeg + encoded(".jpg", cv::Mat::zeros(8, 8, CV_8UC3))), 1U) << "a preview behind its photo";
  EXPECT_EQ(count_jpegs(jpeg + "trailer"), 1U);
  EXPECT_EQ(count_jpegs(jpeg + jpeg.substr(0, jpeg.size() / 2)), 1U);
  EXPECT_EQ(count_jpegs(jpeg.substr(0, jpeg.size() / 2)), 0U);
}

TEST(PictureFormat, OfMotionJpegNeedsNoMoreThanTwoPictures) {
  const std::string jpeg = encoded(".jpg", marked_picture());
  const std::string other = encoded(".jpg", cv::Mat::zeros(8, 8, CV_8UC3));
  const std::string first = jpeg.substr(0, 2) + std::string("\xFF\xE2\0\6MPF\0", 8) + jpeg.substr(2);
  EXPECT_EQ(begins_motion_jpeg(jpeg + jpeg), true);
  EXPECT_EQ(begins_motion_jpeg(jpeg + jpeg + "\xFF"), true);
  EXPECT_EQ(begins_motion_jpeg(jpeg + "trailer"), false);
  EXPECT_EQ(begins_motion_jpeg(jpeg + other), false);
  EXPECT_EQ(begins_motion_jpeg(first), false);
  EXPECT_EQ(begins_motion_jpeg(jpeg), std::nullopt);
  EXPECT_EQ(begins_motion_jpeg(jpeg.substr(0, jpeg.size() / 2)), std::nullopt);
  EXPECT_EQ(begins_motion_jpeg(jpeg + jpeg.substr(0, jpeg.size() - 1)), std::nullopt);
}

TEST(PictureFormat, OfMotionJpegIsFoundHoweverLargeItsPicturesAre) {
  const TempDir folder;
  const std::string path = (folder.path() / "a.mjpeg").string();
  const auto found = [&](const std::string& bytes) {
    write_file(path, bytes);
    return is_motion_jpeg(path);
  };
  cv::Mat noise(1024, 1024, CV_8UC3);
  cv::randu(noise, 0, 255);
  const std::string large = encoded(".jpg", noise, {cv::IMWRITE_JPEG_QUALITY, 100});
  ASSERT_GT(large.size(), std::size_t{1} << 20) << "more than is read at first";
  EXPECT_FALSE(found(large));
  EXPECT_TRUE(found(large + large));
  EXPECT_FALSE(found(large + large.substr(0, large.size() - 1)));
  EXPECT_FALSE(found(""));
  EXPECT_FALSE(is_motion_jpeg(path + ".none"));
}

TEST(PictureFormat, FindsTheEndOfEveryJpeg) {
  cv::Mat noise(24, 24, CV_8UC3);
  for (int i = 0; i < 64; ++i) {  // with stuffed bytes here and there before the end
    cv::randu(noise, 0, 255);
    const std::string jpeg = encoded(".jpg", noise);
    EXPECT_EQ(count_jpegs(jpeg), 1U);
    EXPECT_EQ(count_jpegs(jpeg + jpeg), 2U);
  }
}

}  // namespace
}  // namespace posecam::test
