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

TEST(Progress, WritesDurationsAsClocksDo) {
  EXPECT_EQ(format_duration(0.4), "0:00");
  EXPECT_EQ(format_duration(754), "12:34");
  EXPECT_EQ(format_duration(3723), "1:02:03");
}

}  // namespace
}  // namespace posecam
