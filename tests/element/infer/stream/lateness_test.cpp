#include "elements/infer/stream/lateness.h"

#include <gtest/gtest.h>

namespace posecam::gst {
namespace {

constexpr GstClockTime kFrame = 40 * GST_MSECOND;

void tell(Lateness& lateness, GstQOSType type, GstClockTimeDiff late, GstClockTime time) {
  GstEvent* event = gst_event_new_qos(type, 1.5, late, time);
  lateness.heed(event);
  gst_event_unref(event);
}

TEST(Lateness, IsMadeUpForTwice) {
  Lateness lateness;
  tell(lateness, GST_QOS_TYPE_UNDERFLOW, kFrame, 10 * kFrame);
  const auto late = lateness.judge(11 * kFrame);
  ASSERT_TRUE(late);
  EXPECT_EQ(late->jitter, static_cast<GstClockTimeDiff>(kFrame));
  EXPECT_EQ(late->proportion, 1.5);
  EXPECT_FALSE(lateness.judge(12 * kFrame)) << "just in time";
}

/// A throttled sink says how far apart it wants its frames, not how late they are.
TEST(Lateness, OfAThrottledSinkCountsOnce) {
  Lateness lateness;
  tell(lateness, GST_QOS_TYPE_THROTTLE, kFrame, 10 * kFrame);
  EXPECT_TRUE(lateness.judge(11 * kFrame - 1));
  EXPECT_FALSE(lateness.judge(11 * kFrame));
}

TEST(Lateness, IsNoneOfASinkThatIsEarly) {
  Lateness lateness;
  tell(lateness, GST_QOS_TYPE_OVERFLOW, -static_cast<GstClockTimeDiff>(kFrame), 10 * kFrame);
  EXPECT_TRUE(lateness.judge(9 * kFrame - 1));
  EXPECT_FALSE(lateness.judge(9 * kFrame));
}

TEST(Lateness, IsNotJudgedWithoutATime) {
  Lateness lateness;
  tell(lateness, GST_QOS_TYPE_UNDERFLOW, kFrame, 10 * kFrame);
  tell(lateness, GST_QOS_TYPE_UNDERFLOW, 100 * kFrame, GST_CLOCK_TIME_NONE);
  EXPECT_FALSE(lateness.judge(12 * kFrame));
  EXPECT_FALSE(lateness.judge(GST_CLOCK_TIME_NONE));
}

TEST(Lateness, CountsWhatItJudgedUntilTheStreamStartsAnew) {
  Lateness lateness;
  EXPECT_FALSE(lateness.judge(0));
  tell(lateness, GST_QOS_TYPE_UNDERFLOW, kFrame, kFrame);
  EXPECT_TRUE(lateness.judge(kFrame));
  const auto second = lateness.judge(2 * kFrame);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->done, 1U);
  EXPECT_EQ(second->dropped, 2U);
  lateness.reset();
  EXPECT_FALSE(lateness.judge(0));
  tell(lateness, GST_QOS_TYPE_UNDERFLOW, kFrame, kFrame);
  const auto first = lateness.judge(kFrame);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->done, 1U);
  EXPECT_EQ(first->dropped, 1U);
}

}  // namespace
}  // namespace posecam::gst
