#include "app/session/input/inputs.h"

#include <fstream>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gst/gst.h>
#include <gtest/gtest.h>

#include "tests/unit/app/pictures/picture_files.h"

namespace posecam {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* kPng = "\x89PNG\r\n\x1A\n";

class InputsTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { gst_init(nullptr, nullptr); }
  InputsTest() {
    const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
    folder_ = fs::temp_directory_path() / ("posecam-" + std::string(test->name()) + "-" + std::to_string(getpid()));
    fs::create_directories(folder_);
  }
  ~InputsTest() override { fs::remove_all(folder_); }

  std::string file(const std::string& name, const std::string& content) {
    fs::create_directories((folder_ / name).parent_path());
    std::ofstream(folder_ / name, std::ios::binary) << content;
    return (folder_ / name).string();
  }
  static std::string box(std::uint32_t size, const std::string& type) {
    std::string text;
    for (int shift = 24; shift >= 0; shift -= 8) text += static_cast<char>(size >> shift & 0xFF);
    return text + type;
  }

  fs::path folder_;
};

TEST_F(InputsTest, TellsImagesFromVideosByContent) {
  EXPECT_EQ(identify_input(file("photo.mp4", kPng))->kind, InputKind::kImages);
  EXPECT_EQ(identify_input(file("clip.png", "RIFF....AVI LIST"))->kind, InputKind::kVideoFile);
}

TEST_F(InputsTest, SortsTheImagesOfAFolderByNumber) {
  for (const char* name : {"10.png", "9.png", "010a.png", "1.png"}) file(name, kPng);
  file("notes.txt", "no image");
  const auto input = identify_input(folder_.string());
  ASSERT_TRUE(input);
  std::vector<std::string> names;
  for (const auto& image : input->images) names.push_back(image.filename());
  EXPECT_THAT(names, ElementsAre("1.png", "9.png", "10.png", "010a.png"));
}

TEST_F(InputsTest, KeepsThePicturesOfAFolderThatAreNone) {
  file("a/broken.png", "x");
  file("a/empty.JPG", "");
  file("a/good.png", kPng);
  file("a/notes.txt", "no image");
  EXPECT_EQ(identify_input((folder_ / "a").string())->images.size(), 3U);
}

TEST_F(InputsTest, LeavesHiddenFilesOutOfAFolder) {
  file("a/._1.png", kPng);
  file("a/.hidden.jpg", "x");
  file("a/1.png", kPng);
  EXPECT_THAT(identify_input((folder_ / "a").string())->images, ElementsAre(folder_ / "a/1.png"));
}

TEST_F(InputsTest, NamesAndCountsThePicturesOfAFolderThatAreNotDecoded) {
  for (const char* name : {"2.exr", "10.JP2", "raw.dng", "._3.exr", "notes.txt"}) file(std::string("a/") + name, "x");
  const auto none = identify_input((folder_ / "a").string());
  ASSERT_FALSE(none);
  EXPECT_THAT(none.error().message, HasSubstr("3 pictures are not decoded here and left out: 2.exr, 10.JP2, raw.dng"));
  file("a/1.png", kPng);
  EXPECT_EQ(identify_input((folder_ / "a").string())->left_out,
            "3 pictures are not decoded here and left out: 2.exr, 10.JP2, raw.dng");
  file("b/1.png", kPng);
  EXPECT_EQ(identify_input((folder_ / "b").string())->left_out, "");
  for (int i = 0; i < 12; ++i) file("b/" + std::to_string(i) + ".psd", "x");
  EXPECT_THAT(identify_input((folder_ / "b").string())->left_out, HasSubstr("8.psd, 9.psd and 2 more"));
}

TEST_F(InputsTest, TakesHeicAndGifOfAFolderForPictures) {
  for (const char* name : {"1.heic", "2.avif", "3.gif"}) file(std::string("a/") + name, "x");
  EXPECT_EQ(identify_input((folder_ / "a").string())->images.size(), 3U);
}

TEST_F(InputsTest, RefusesAPictureThatIsNotDecoded) {
  const auto input = identify_input(file("a.png", "\x76\x2F\x31\x01 OpenEXR, whatever its name says"));
  ASSERT_FALSE(input);
  EXPECT_EQ(input.error().code, Errc::kMedia);
  EXPECT_THAT(input.error().message, HasSubstr("OpenEXR pictures are not decoded here; convert it to PNG or JPEG"));
}

TEST_F(InputsTest, TellsPicturesThatMoveFromStills) {
  const test::GifFrame dot{0, 0, 1, 1, "r"};
  fs::create_directories(folder_);
  EXPECT_EQ(identify_input(test::gif((folder_ / "1.gif").string(), 1, 1, {dot}))->kind, InputKind::kImages);
  const auto moving = identify_inputs({test::gif((folder_ / "2.gif").string(), 1, 1, {dot, dot})});
  EXPECT_EQ(moving->front().kind, InputKind::kMovingPicture);
  EXPECT_THAT(moving->front().image_names, ElementsAre());
  const std::string jpeg = test::encoded(".jpg", test::marked_picture());
  EXPECT_EQ(identify_input(file("a.jpg", jpeg))->kind, InputKind::kImages);
  EXPECT_EQ(identify_input(file("a.jpg", jpeg + jpeg))->kind, InputKind::kVideoFile);
}

TEST_F(InputsTest, DecodesFileAddresses) {
  file("a b.png", kPng);
  const auto input = identify_input("file://" + folder_.string() + "/a%20b.png");
  ASSERT_TRUE(input) << input.error().message;
  EXPECT_EQ(input->name, "a b");
  EXPECT_EQ(identify_input("file://elsewhere%zz").error().code, Errc::kUsage);
}

TEST_F(InputsTest, RefusesAnEmptyFileAndAFolderWithoutImages) {
  EXPECT_THAT(identify_input(file("a/zero.mp4", "")).error().message, HasSubstr("the file is empty"));
  fs::create_directories(folder_ / "b");
  const auto none = identify_input((folder_ / "b").string());
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, Errc::kMedia);
  EXPECT_THAT(none.error().message, HasSubstr("no images"));
}

TEST_F(InputsTest, SaysWhatIsNotThere) {
  const auto input = identify_input("/nowhere/clip.mp4");
  ASSERT_FALSE(input);
  EXPECT_EQ(input.error().code, Errc::kMedia);
  EXPECT_EQ(input.error().message, "/nowhere/clip.mp4: No such file or directory");
}

TEST_F(InputsTest, LeavesPasswordsOutOfNames) {
  const auto input = identify_input("http://me:secret@cam1:8080/live/x?token=1");
  ASSERT_TRUE(input) << input.error().message;
  EXPECT_EQ(input->name, "cam1_8080_live_x");
  EXPECT_EQ(input->given, "http://cam1:8080/live/x");
  EXPECT_EQ(identify_input("rtsp://me:secret@cam1/live")->given, "rtsp://cam1/live");
  EXPECT_EQ(identify_input("foo://x").error().code, Errc::kUsage);
}

TEST_F(InputsTest, ReadsStandardInputOnce) {
  const auto inputs = identify_inputs({"-", file("clip.mp4", "x"), "-"});
  ASSERT_FALSE(inputs);
  EXPECT_EQ(inputs.error().code, Errc::kUsage);
  EXPECT_EQ(inputs.error().message, "-: standard input can be one input only");
}

TEST_F(InputsTest, GivesEachInputANameOfItsOwn) {
  const auto inputs = identify_inputs({file("a/clip.mp4", "x"), file("b/clip.mp4", "x"), "testsrc", "synthetic"});
  ASSERT_TRUE(inputs);
  EXPECT_EQ((*inputs)[0].name, "clip");
  EXPECT_EQ((*inputs)[1].name, "clip-2");
  EXPECT_EQ((*inputs)[2].name, "testsrc");
  EXPECT_EQ((*inputs)[3].name, "synthetic");
  EXPECT_EQ((*inputs)[2].kind, InputKind::kTestSource);
  EXPECT_EQ((*inputs)[3].kind, InputKind::kTestSource);
}

TEST_F(InputsTest, GivesEachImageANameOfItsOwn) {
  file("a/x.jpg", kPng);
  file("a/x.png", kPng);
  file("b/x.png", kPng);
  file("b/y\nz.png", kPng);
  const auto inputs = identify_inputs({(folder_ / "a").string(), (folder_ / "b").string()});
  ASSERT_TRUE(inputs);
  EXPECT_THAT((*inputs)[0].image_names, ElementsAre("x", "x-2"));
  EXPECT_THAT((*inputs)[1].image_names, ElementsAre("x-3", "y_z"));
}

}  // namespace
}  // namespace posecam
