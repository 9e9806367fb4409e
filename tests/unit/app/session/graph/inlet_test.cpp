// Frames with times of all kinds through the inlet of a session.

#include "app/session/graph/inlet.h"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gst/app/gstappsrc.h>
#include <gtest/gtest.h>

#include "app/session/handles.h"
#include "models/core/names.h"
#include "tests/support/own_plugin.h"

namespace posecam::test {
namespace {

using ::testing::ElementsAre;

constexpr GstClockTime kNone = GST_CLOCK_TIME_NONE;
constexpr GstClockTime kMs = GST_MSECOND;

struct Seen {
  std::vector<GstClockTime> times;  ///< running times, ns
  std::vector<GstClockTime> durations;
  std::vector<guint64> dropped;  ///< what was told of before each frame
};

/// appsrc ! inlet ! a pad that writes down what comes out, and may hold frames up.
class InletTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { test::start_gstreamer_with_our_plugin(); }

  void SetUp() override {
    pipeline_.reset(GST_ELEMENT(gst_object_ref_sink(gst_pipeline_new(nullptr))));
    Builder build(pipeline_.get());
    source_ = build.append("appsrc");
    inlet_ = add_inlet(build, false, gate_);
    GstElement* sink = build.append("fakesink");
    ASSERT_TRUE(build.state());
    g_object_set(sink, "sync", FALSE, "async", FALSE, nullptr);
    const auto what = static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM);
    probe(sink, "sink", what, see, this);
  }
  void TearDown() override {
    let_through();
    gst_element_set_state(pipeline_.get(), GST_STATE_NULL);
  }

  void play(int fps) {
    const CapsPtr caps(gst_caps_new_simple("video/x-raw", "format", G_TYPE_STRING, "GRAY8", "width", G_TYPE_INT, 16,
                                           "height", G_TYPE_INT, 16, "framerate", GST_TYPE_FRACTION, fps, 1, nullptr));
    g_object_set(source_, "caps", caps.get(), "format", GST_FORMAT_TIME, nullptr);
    gst_element_set_state(pipeline_.get(), GST_STATE_PLAYING);
  }
  void push(GstClockTime time, GstClockTime duration = kNone) {
    GstBuffer* buffer = gst_buffer_new_allocate(nullptr, 256, nullptr);
    GST_BUFFER_PTS(buffer) = time;
    GST_BUFFER_DURATION(buffer) = duration;
    gst_app_src_push_buffer(GST_APP_SRC(source_), buffer);
  }
  const Seen& end() {
    gst_app_src_end_of_stream(GST_APP_SRC(source_));
    const BusPtr bus(gst_element_get_bus(pipeline_.get()));
    const auto what = static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
    GstMessage* message = gst_bus_timed_pop_filtered(bus.get(), 20 * GST_SECOND, what);
    EXPECT_NE(message, nullptr);
    if (message != nullptr) gst_message_unref(message);
    return seen_;
  }
  void hold_up() { held_ = true; }
  void let_through() {
    std::lock_guard lock(mutex_);
    held_ = false;
    changed_.notify_all();
  }
  void wait_for_first() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return waiting_; });
  }

  Gate gate_;
  ElementPtr pipeline_;
  GstElement* source_ = nullptr;
  GstElement* inlet_ = nullptr;

 private:
  static GstPadProbeReturn see(GstPad* pad, GstPadProbeInfo* info, gpointer self) {
    auto& test = *static_cast<InletTest*>(self);
    if ((GST_PAD_PROBE_INFO_TYPE(info) & GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM) != 0) {
      const GstStructure* what = gst_event_get_structure(GST_PAD_PROBE_INFO_EVENT(info));
      if (what != nullptr && gst_structure_has_name(what, kDroppedEvent) != FALSE) {
        gst_structure_get_uint64(what, kDroppedFrames, &test.dropped_);
      }
      return GST_PAD_PROBE_OK;
    }
    GstEvent* event = gst_pad_get_sticky_event(pad, GST_EVENT_SEGMENT, 0);
    const GstSegment* segment = nullptr;
    gst_event_parse_segment(event, &segment);
    GstBuffer* buffer = GST_PAD_PROBE_INFO_BUFFER(info);
    test.seen_.times.push_back(gst_segment_to_running_time(segment, GST_FORMAT_TIME, GST_BUFFER_PTS(buffer)));
    test.seen_.durations.push_back(GST_BUFFER_DURATION(buffer));
    test.seen_.dropped.push_back(std::exchange(test.dropped_, 0));
    gst_event_unref(event);
    std::unique_lock lock(test.mutex_);
    test.waiting_ = true;
    test.changed_.notify_all();
    test.changed_.wait(lock, [&] { return !test.held_; });
    return GST_PAD_PROBE_OK;
  }

  Seen seen_;
  guint64 dropped_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool held_ = false;
  bool waiting_ = false;
};

TEST_F(InletTest, ReturnsToTrueTimesBehindAFrameOfAnEqualOne) {
  play(60);
  for (const GstClockTime time : {0, 17, 17, 33, 30, 50}) push(time * kMs);
  EXPECT_THAT(end().times, ElementsAre(0, 17 * kMs, 18 * kMs, 33 * kMs, 34 * kMs, 50 * kMs));
}

TEST_F(InletTest, SpacesFramesWithoutTimesByTheRate) {
  play(25);
  for (const GstClockTime time : {kNone, kNone, kNone, 500 * kMs, kNone}) push(time);
  EXPECT_THAT(end().times, ElementsAre(0, 40 * kMs, 80 * kMs, 500 * kMs, 540 * kMs));
}

TEST_F(InletTest, SpacesFramesWhoseTimesStandStill) {
  play(25);
  for (int i = 0; i < 4; ++i) push(0);
  EXPECT_THAT(end().times, ElementsAre(0, kMs, 41 * kMs, 81 * kMs));
}

TEST_F(InletTest, LeavesTimesThatRiseAlone) {
  play(0);
  for (const GstClockTime time : {7, 8, 1000, 1001}) push(time * kMs);
  EXPECT_THAT(end().times, ElementsAre(7 * kMs, 8 * kMs, 1000 * kMs, 1001 * kMs));
}

TEST_F(InletTest, GivesEveryFrameADuration) {
  play(25);
  push(0);
  push(40 * kMs, 10 * kMs);
  push(80 * kMs, 0);
  EXPECT_THAT(end().durations, ElementsAre(40 * kMs, 10 * kMs, 40 * kMs));
}

TEST_F(InletTest, LetsAFrameOfAnUnknownRateLastAsLongAsTheOneBefore) {
  play(0);
  for (const GstClockTime time : {0, 100, 300}) push(time * kMs);
  EXPECT_THAT(end().durations, ElementsAre(40 * kMs, 100 * kMs, 200 * kMs));
}

TEST_F(InletTest, CountsTheFramesThatALiveSourceLostAndTellsWhere) {
  make_live(inlet_, gate_);
  hold_up();
  play(25);
  push(0);
  wait_for_first();
  for (GstClockTime i = 1; i < 8; ++i) push(i * 40 * kMs);
  while (gate_.arrived < 8) std::this_thread::yield();
  let_through();
  const Seen& seen = end();
  ASSERT_GE(seen.times.size(), 2U);
  EXPECT_EQ(seen.times.back(), 280 * kMs) << "the newest are kept";
  std::uint64_t told = 0;
  for (const guint64 n : seen.dropped) told += n;
  EXPECT_EQ(told, 8 - seen.times.size());
  EXPECT_EQ(gate_.dropped, told);
  EXPECT_GT(told, 0U);
  EXPECT_EQ(seen.dropped.front(), 0U);
}

TEST_F(InletTest, LosesNothingOfARecordingThatComesTooFast) {
  hold_up();
  play(25);
  for (GstClockTime i = 0; i < 30; ++i) push(i * 40 * kMs);
  wait_for_first();
  let_through();
  EXPECT_EQ(end().times.size(), 30U);
  EXPECT_EQ(gate_.dropped, 0U);
}

TEST_F(InletTest, EndsTheStreamBehindTheLastFrameThatWasAskedFor) {
  gate_.limit = 3;
  play(25);
  for (GstClockTime i = 0; i < 6; ++i) push(i * 40 * kMs);
  EXPECT_EQ(end().times.size(), 3U);
  EXPECT_TRUE(gate_.ended);
  EXPECT_EQ(gate_.frames, 3U);
}

}  // namespace
}  // namespace posecam::test
