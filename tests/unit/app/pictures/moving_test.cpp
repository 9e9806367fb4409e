#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/pictures/picture.h"
#include "tests/support/shared.h"
#include "tests/support/temp_dir.h"
#include "tests/unit/app/pictures/picture_files.h"

namespace posecam::test {
namespace {

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

TEST_F(MovingTest, FindsTheEndOfEveryGif) {
  POSECAM_NEEDS_SHARED("media/broken/07b_hang.gif");
  EXPECT_EQ(seen(shared_dir() / "media/broken/07b_hang.gif").size(), 12U);
  EXPECT_FALSE(open_moving(shared_dir() / "media/broken/07a_hang.gif")) << "no picture is in it";
}

}  // namespace
}  // namespace posecam::test
