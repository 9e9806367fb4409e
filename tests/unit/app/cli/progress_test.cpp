#include "app/cli/progress.h"

#include <gtest/gtest.h>

namespace posecam {
namespace {

TEST(Progress, ShowsBarPercentSpeedAndTimeLeft) {
  EXPECT_EQ(format_progress({.frames = 50, .total = 200, .seconds = 2, .people = 6}, 8),
            "[##......]  50/200 frames  25%  25.0 FPS  ETA 0:06  6 people");
  EXPECT_EQ(format_progress({.frames = 50, .total = 200, .seconds = 2, .people = 1}, 0),
            "50/200 frames  25%  25.0 FPS  ETA 0:06  1 person");
}

TEST(Progress, ShowsTheTimeOfALiveInput) {
  EXPECT_EQ(format_progress({.frames = 90, .total = {}, .seconds = 3, .people = 0}, 20),
            "90 frames  30.0 FPS  0:03  0 people");
}

TEST(Progress, NeverPassesTheEnd) {
  EXPECT_EQ(format_progress({.frames = 12, .total = 10, .seconds = 1, .people = 0}, 4),
            "[####]  12/12 frames  100%  12.0 FPS  ETA 0:00  0 people");
}

TEST(Progress, LinesFitTheTerminal) {
  const std::string text = "squeezenet1.1.onnx   42%  2.1 MB of 5.0 MB";
  EXPECT_EQ(progress_line(0.5, text, 80), "[#######.......]  " + text);
  EXPECT_EQ(progress_line(0.5, text, 70), text);  // no room for a bar
  EXPECT_EQ(progress_line(0.5, text, 20), "squeezenet1.1.on...");
  EXPECT_EQ(progress_line(1, "abc\xC3\xB6nig und Dame", 8), "abc...");
  for (int columns = 8; columns < 200; ++columns) {
    EXPECT_LT(progress_line(0.3, std::string(100, 'x'), columns).size(), static_cast<std::size_t>(columns));
  }
}

TEST(Progress, WritesDurationsAsClocksDo) {
  EXPECT_EQ(format_duration(0.4), "0:00");
  EXPECT_EQ(format_duration(754), "12:34");
  EXPECT_EQ(format_duration(3723), "1:02:03");
}

}  // namespace
}  // namespace posecam
