#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/pictures/picture.h"
#include "tests/support/shared.h"
#include "tests/support/temp_dir.h"
#include "tests/unit/app/pictures/picture_files.h"

namespace posecam::test {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;

/// What is seen, frame by frame, as "pixels milliseconds"; at the end "damaged" if it is.
std::vector<std::string> seen(const std::string& path) {
  std::vector<std::string> frames;
  auto picture = open_moving(path);
  EXPECT_TRUE(picture) << picture.error().message;
  while (picture) {
    auto frame = (*picture)->next();
    if (!frame) frames.emplace_back("damaged");
    if (!frame || !*frame) break;
    frames.push_back(letters((*frame)->pixels) + " " + std::to_string((*frame)->duration.count() / 1'000'000));
  }
  return frames;
}

class MovingTest : public ::testing::Test {
 protected:
  std::string at(const std::string& name) const { return (folder_.path() / name).string(); }

 private:
  TempDir folder_;
};

TEST_F(MovingTest, LaysTheFramesOfAGifOverEachOther) {
  const GifFrame whole{0, 0, 3, 2, "rrrggg", 1, 10};
  const std::string path = gif(at("a.gif"), 3, 2,
                               {whole,
                                {1, 0, 2, 1, "b.", 1, 20},  // stays
                                {0, 1, 2, 1, "kk", 2, 30},  // is wiped out
                                {2, 0, 1, 2, "kk", 3, 40},  // is undone
                                {0, 0, 1, 1, "k", 1, 50}});
  EXPECT_THAT(seen(path), ElementsAre("rrrggg 100", "rbrggg 200", "rbrkkg 300", "rbkwwk 400", "kbrwwg 500"));
}

TEST_F(MovingTest, ShowsWhiteWhereAGifHasNothing) {
  EXPECT_THAT(seen(gif(at("a.gif"), 2, 2, {{1, 0, 1, 1, "r", 1, 10}})), ElementsAre("wrww 100"));
}

TEST_F(MovingTest, GivesFramesWithoutADurationATenthOfASecond) {
  EXPECT_THAT(seen(gif(at("a.gif"), 1, 1, {{0, 0, 1, 1, "r", 1, 0}, {0, 0, 1, 1, "g", 1, 1}, {0, 0, 1, 1, "b", 1, 2}})),
              ElementsAre("r 100", "g 100", "b 20"));
}

TEST_F(MovingTest, GivesTheFramesBeforeTheDamageOfAGif) {
  const std::string path = gif(at("a.gif"), 1, 1, {{0, 0, 1, 1, "r", 1, 10}, {0, 0, 1, 1, "g", 1, 10}});
  const std::string whole = read_file(path);
  write_file(path, whole.substr(0, whole.size() - 4));
  EXPECT_THAT(seen(path), ElementsAre("r 100", "damaged"));
}

TEST_F(MovingTest, TakesAGifWithoutATrailerForWhole) {
  const std::string path = gif(at("a.gif"), 1, 1, {{0, 0, 1, 1, "r", 1, 10}, {0, 0, 1, 1, "g", 1, 10}});
  const std::string whole = read_file(path);
  write_file(path, whole.substr(0, whole.size() - 1));
  EXPECT_THAT(seen(path), ElementsAre("r 100", "g 100"));
}

TEST_F(MovingTest, OrdersTheRowsOfAnInterlacedGif) {
  const GifFrame rows{0, 0, 1, 9, "krgbkrgbk", 1, 10, true};
  EXPECT_THAT(seen(gif(at("a.gif"), 1, 9, {rows})), ElementsAre("krgbkrgbk 100"));
}

TEST_F(MovingTest, GivesTheFramesOfAWebpTheirTimes) {
  const cv::Mat red(2, 2, CV_8UC4, cv::Scalar(0, 0, 255, 255));
  const cv::Mat nothing(2, 2, CV_8UC4, cv::Scalar(9, 9, 9, 0));
  write_file(at("a.webp"), moving_webp({red, nothing, red}, {40, 60, 80}));
  EXPECT_THAT(seen(at("a.webp")), ElementsAre("rrrr 40", "wwww 60", "rrrr 80"));
}

TEST_F(MovingTest, GivesFramesOfAWebpWithoutADurationATenthOfASecond) {
  const cv::Mat red(2, 2, CV_8UC4, cv::Scalar(0, 0, 255, 255));
  write_file(at("a.webp"), moving_webp(encoded(".webp", red), 2, 0));
  EXPECT_THAT(seen(at("a.webp")), ElementsAre("rrrr 100", "rrrr 100"));
}

TEST_F(MovingTest, GivesTheFramesOfAWebpTheirTimesHoweverLongItIs) {
  constexpr int kLongest = (1 << 24) - 1;
  constexpr int kFrames = 130;  // the last one ends beyond what an int can count
  write_file(at("a.webp"),
             moving_webp(encoded(".webp", cv::Mat(1, 1, CV_8UC3, cv::Scalar(0, 0, 255))), kFrames, kLongest));
  EXPECT_THAT(seen(at("a.webp")), Each("r 16777215"));
}

TEST_F(MovingTest, SaysWhichFileIsDamaged) {
  const std::string path = gif(at("a.gif"), 1, 1, {{0, 0, 1, 1, "r", 1, 10}, {0, 0, 1, 1, "g", 1, 10}});
  const std::string whole = read_file(path);
  write_file(path, whole.substr(0, whole.size() - 4));
  const auto picture = open_moving(path);
  ASSERT_TRUE(picture && (*picture)->next());
  for (int i = 0; i < 2; ++i) EXPECT_EQ((*picture)->next().error().message, path + ": it is damaged or cut off");
}

TEST_F(MovingTest, SaysWhichFileThereIsNoMemoryFor) {
  const std::string path = gif(at("a.gif"), 1, 1, {{0, 0, 1, 1, "r", 1, 10}});
  const auto picture = open_moving(path);
  ASSERT_TRUE(picture);
  const FailingPixels failing(cv::Error::StsNoMem, "Failed to allocate");
  const auto frame = (*picture)->next();
  ASSERT_FALSE(frame);
  EXPECT_EQ(frame.error().message, path + ": there is not enough memory for it");
}

TEST_F(MovingTest, CountsTheFramesThatAreWholeWithoutDecodingThem) {
  const GifFrame dot{0, 0, 1, 1, "r", 1, 10};
  const std::string path = gif(at("a.gif"), 1, 1, {dot, dot, dot});
  const std::string whole = read_file(path);
  EXPECT_EQ((*open_moving(path))->frames(), 3U);
  write_file(path, whole.substr(0, whole.size() - 4));
  EXPECT_EQ((*open_moving(path))->frames(), 2U);
}

TEST_F(MovingTest, NeedsNoMoreThanTheFirstFrameOfAGifForAPicture) {
  const std::string path = gif(at("a.gif"), 1, 1, {{0, 0, 1, 1, "r", 1, 10}, {0, 0, 1, 1, "g", 1, 10}});
  std::string bytes = read_file(path);
  bytes[bytes.size() - 4] = '\377';  // of the pixels of the second frame, whose place is left
  write_file(path, bytes);
  const auto picture = read_picture(path);
  ASSERT_TRUE(picture) << picture.error().message;
  EXPECT_EQ(letters(picture->pixels), "r");
  EXPECT_EQ(picture->left_out, 1U);
  EXPECT_THAT(seen(path), ElementsAre("r 100", "damaged"));
}

TEST_F(MovingTest, UndoesAFrameThatReachesOutOfItsGif) {
  const GifFrame whole{0, 0, 3, 1, "rgb", 1, 10};
  const std::string path =
      gif(at("a.gif"), 3, 1, {whole, {2, 0, 2, 2, "kkkk", 3, 20}, {7, 7, 1, 1, "k", 3, 30}, {1, 0, 1, 1, "k", 1, 40}});
  EXPECT_THAT(seen(path), ElementsAre("rgb 100", "rgk 200", "rgb 300", "rkb 400"));
}

TEST_F(MovingTest, TellsWhatMovesByItsHeaders) {
  const GifFrame dot{0, 0, 1, 1, "r", 1, 10};
  const std::string one = gif(at("one.gif"), 1, 1, {dot});
  const std::string two = gif(at("two.gif"), 1, 1, {dot, dot});
  EXPECT_FALSE(moves(one));
  EXPECT_TRUE(moves(two));
  const std::string whole = read_file(two);
  write_file(two, whole.substr(0, whole.size() - 4));
  EXPECT_FALSE(moves(two)) << "the second frame is cut off";
  const std::string still = encoded(".webp", marked_picture());
  const auto webp_moves = [&](const std::string& bytes) {
    write_file(at("a.webp"), bytes);
    return moves(at("a.webp"));
  };
  const std::string webp = moving_webp(still, 2, 40);
  EXPECT_TRUE(webp_moves(webp));
  EXPECT_FALSE(webp_moves(webp.substr(0, webp.size() - 1))) << "libwebp refuses it";
  EXPECT_FALSE(webp_moves(moving_webp(still, 1, 40)));
  EXPECT_FALSE(webp_moves(still));
  EXPECT_FALSE(webp_moves(encoded(".png", marked_picture())));
  EXPECT_FALSE(moves(at("none.gif")));
}

TEST_F(MovingTest, FindsTheEndOfEveryGif) {
  POSECAM_NEEDS_SHARED("media/broken/07b_hang.gif");
  EXPECT_EQ(seen(shared_dir() / "media/broken/07b_hang.gif").size(), 12U);
  EXPECT_FALSE(open_moving(shared_dir() / "media/broken/07a_hang.gif")) << "no picture is in it";
}

}  // namespace
}  // namespace posecam::test
