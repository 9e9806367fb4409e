// Windows bitmaps made by hand.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/pictures/codecs.h"
#include "tests/unit/app/pictures/picture_files.h"

namespace posecam::test {
namespace {

std::string little_endian(std::uint32_t value, int count) {
  std::string text;
  for (int i = 0; i < count; ++i) text += static_cast<char>(value >> (8 * i) & 0xFF);
  return text;
}

struct Kind {
  int width = 1;
  int height = 1;
  int depth = 24;
  std::uint32_t compression = 0;
  std::string between;  ///< header and pixels: masks, palette
};

std::string bmp(const Kind& kind, const std::string& pixels) {
  const auto start = static_cast<std::uint32_t>(54 + kind.between.size());
  return "BM" + little_endian(0, 8) + little_endian(start, 4) + little_endian(40, 4) +
         little_endian(static_cast<std::uint32_t>(kind.width), 4) +
         little_endian(static_cast<std::uint32_t>(kind.height), 4) + little_endian(1, 2) +
         little_endian(static_cast<std::uint32_t>(kind.depth), 2) + little_endian(kind.compression, 4) +
         little_endian(0, 20) + kind.between + pixels;
}

/// Black, red, green and blue, in the order of the file.
const std::string kPalette("\0\0\0\0\0\0\377\0\0\377\0\0\377\0\0\0", 16);

/// The pixels as rows of 'k', 'r', 'g', 'b', 'w'; why not if they cannot be decoded.
std::string seen(const std::string& bytes) {
  const auto picture = read_bmp(bytes);
  return picture ? letters(picture->pixels) : picture.error().message;
}

TEST(Bmp, HasItsFirstRowAtTheBottomUnlessItsHeightIsNegative) {
  const std::string rows("\0\0\377\0\7\7\7\0",
                         8);  // red, then a colour that is none of those; each padded to four bytes
  EXPECT_EQ(seen(bmp({.height = 2}, rows)), "?r");
  EXPECT_EQ(seen(bmp({.height = -2}, rows)), "r?");
}

TEST(Bmp, OfAPaletteHasOneFourOrEightBits) {
  EXPECT_EQ(seen(bmp({.width = 9, .depth = 1, .between = kPalette}, std::string("\x41\x80\0\0", 4))), "krkkkkkrr");
  EXPECT_EQ(seen(bmp({.width = 3, .depth = 4, .between = kPalette}, std::string("\x01\x20\0\0", 4))), "krg");
  EXPECT_EQ(seen(bmp({.width = 3, .depth = 8, .between = kPalette}, std::string("\3\2\1\0", 4))), "bgr");
}

TEST(Bmp, OfSixteenBitsHasFiveForEachColourOrAsItsMasksSay) {
  EXPECT_EQ(seen(bmp({.width = 2, .depth = 16}, std::string("\x00\x7C\xE0\x03", 4))), "rg");
  const std::string masks = little_endian(0xF800, 4) + little_endian(0x07E0, 4) + little_endian(0x001F, 4);
  EXPECT_EQ(
      seen(bmp({.width = 2, .depth = 16, .compression = 3, .between = masks}, std::string("\x00\xF8\xE0\x07", 4))),
      "rg");
}

TEST(Bmp, MayConsistOfRuns) {
  // Two red, three as they are and a byte to make it even; the next row; one to the right, one green; the end.
  const std::string eight("\2\1\0\3\1\2\3\0\0\0\0\2\1\0\1\2\0\1", 18);
  EXPECT_EQ(seen(bmp({.width = 5, .height = 2, .depth = 8, .compression = 1, .between = kPalette}, eight)),
            "kgkkk"
            "rrrgb");
  const std::string four("\3\x12\0\3\x12\x30\0\1", 8);  // red, green, red; red, green, blue
  EXPECT_EQ(seen(bmp({.width = 6, .depth = 4, .compression = 2, .between = kPalette}, four)), "rgrrgb");
}

TEST(Bmp, DrawsNothingWhereMovesLeaveThePicture) {
  const Kind kind{.width = 2, .height = 2, .depth = 8, .compression = 1, .between = kPalette};
  const std::string red_and_end("\2\1\0\1", 4);
  const auto after = [&](const std::string& move, std::size_t times) {
    std::string moves;
    moves.reserve(times * move.size());
    for (std::size_t i = 0; i < times; ++i) moves += move;
    return seen(bmp(kind, moves + red_and_end));
  };
  const std::string up("\0\2\0\377", 4);
  const std::string right("\0\2\377\0", 4);
  const std::string next_row("\0\0", 2);
  constexpr std::size_t kBeyondInt = (std::size_t{1} << 31) / 255 + 1;  // moves that leave what an int can count
  EXPECT_EQ(after(up, 1), "kkkk");
  EXPECT_EQ(after(right, 1), "kkkk");
  EXPECT_EQ(after(next_row, 1000), "kkkk");
  EXPECT_EQ(after(up, kBeyondInt), "kkkk");
  EXPECT_EQ(after(right, kBeyondInt), "kkkk");
}

TEST(Bmp, IsRefusedWhereItIsCutOffOrUnknown) {
  const std::string runs("\2\1\0\1", 4);
  const Kind kind{.width = 2, .depth = 8, .compression = 1, .between = kPalette};
  EXPECT_EQ(seen(bmp(kind, runs)), "rr");
  EXPECT_THAT(seen(bmp(kind, runs.substr(0, 2))), testing::HasSubstr("cut off"));
  EXPECT_THAT(seen(bmp({.compression = 4}, "a JPEG")), testing::HasSubstr("this kind of BMP"));
  EXPECT_THAT(seen(bmp({.depth = 7}, "1234")), testing::HasSubstr("this kind of BMP"));
  EXPECT_THAT(seen("BM"), testing::HasSubstr("cut off"));
}

}  // namespace
}  // namespace posecam::test
