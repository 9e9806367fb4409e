// Frames that were not analysed show who was seen last, for a while.

#include <gmock/gmock.h>

#include "tests/element/result_buffers.h"

namespace posecam::test {
namespace {

const GstVideoInfo kInfo = video_info(GST_VIDEO_FORMAT_NV12, 640, 480);

class Hold : public testing::Test {
 protected:
  static constexpr GstClockTime kUntimed = GST_CLOCK_TIME_NONE;

  Hold() { start(""); }
  void start(const std::string& more) {
    h.reset(gst_harness_new_parse(("neuronoverlay name=overlay " + more).c_str()));
    set_caps(h.get(), kInfo);
  }
  /// Bytes of the frame that changed.
  std::size_t drawn(const std::shared_ptr<const FrameResult>& result, GstClockTime ms, bool discont = false,
                    const GstVideoInfo& info = kInfo) {
    auto in = noise_frame(info, result);
    const auto before = bytes_of(in.get());
    GST_BUFFER_PTS(in.get()) = ms == kUntimed ? GST_CLOCK_TIME_NONE : ms * GST_MSECOND;
    if (discont) GST_BUFFER_FLAG_SET(in.get(), GST_BUFFER_FLAG_DISCONT);
    EXPECT_EQ(gst_harness_push(h.get(), in.release()), GST_FLOW_OK);
    const gst::BufferPtr out(gst_harness_pull(h.get()));
    const auto after = bytes_of(out.get());
    std::size_t changed = 0;
    for (std::size_t i = 0; i < after.size(); ++i) changed += before[i] != after[i];
    return changed;
  }
  static std::shared_ptr<FrameResult> skipped() { return nobody(FrameStatus::kSkipped); }

  HarnessPtr h;
};

TEST_F(Hold, WhoWasSeenLastIsDrawnOnFramesThatWereNotAnalysed) {
  const std::size_t seen = drawn(somebody(0.25F, 0.25F), 0);
  EXPECT_GT(seen, 20U);
  EXPECT_EQ(drawn(skipped(), 40), seen);
  EXPECT_EQ(drawn(nobody(FrameStatus::kUnanalysed), 80), seen);
  EXPECT_EQ(drawn(nullptr, 120), seen) << "no result at all";
  EXPECT_EQ(drawn(nobody(), 160), 0U) << "analysed: nobody is there";
  EXPECT_EQ(drawn(skipped(), 200), 0U);
}

TEST_F(Hold, ForgetsAfterASecondAGapOrNewCaps) {
  drawn(somebody(0.25F, 0.25F), 0);
  EXPECT_GT(drawn(skipped(), 1000), 0U);
  EXPECT_EQ(drawn(skipped(), 1001), 0U);
  drawn(somebody(0.25F, 0.25F), 2000);
  EXPECT_EQ(drawn(skipped(), 2040, true), 0U) << "DISCONT";
  drawn(somebody(0.25F, 0.25F), 3000);
  const GstVideoInfo other = video_info(GST_VIDEO_FORMAT_NV12, 320, 240);
  set_caps(h.get(), other);
  EXPECT_EQ(drawn(skipped(), 3040, false, other), 0U) << "caps";
  set_caps(h.get(), kInfo);
  drawn(somebody(0.25F, 0.25F), 4000);
  gst_harness_push_event(h.get(), gst_event_new_flush_start());
  gst_harness_push_event(h.get(), gst_event_new_flush_stop(TRUE));
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  gst_harness_push_event(h.get(), gst_event_new_segment(&segment));
  EXPECT_EQ(drawn(skipped(), 4040), 0U) << "a seek";
}

TEST_F(Hold, EndsAtOnceWhereNobodyKnowsHowLongItHasLasted) {
  drawn(somebody(0.25F, 0.25F), 0);
  EXPECT_EQ(drawn(skipped(), kUntimed), 0U);
}

TEST_F(Hold, CanBeSwitchedOff) {
  start("hold-people=false");
  EXPECT_GT(drawn(somebody(0.25F, 0.25F), 0), 0U);
  EXPECT_EQ(drawn(skipped(), 40), 0U);
}

/// A detector on every frame, a pose network behind it on some: the boxes are those of now.
TEST_F(Hold, WhatAnotherNetworkFoundOnTheFrameTakesThePlaceOfItsLast) {
  start("draw-labels=false");
  const auto boxed = [](FrameStatus status, float x) {
    auto result = status == FrameStatus::kAnalysed ? somebody(0.8F, 0.8F) : nobody(status);
    result->detections.push_back({{x, 0.1F, 0.2F, 0.2F}, 0.9F, 0, {}});
    return result;
  };
  const std::size_t person = drawn(somebody(0.8F, 0.8F), 0);
  const std::size_t both = drawn(boxed(FrameStatus::kAnalysed, 0.1F), 40);
  EXPECT_GT(both, person);
  EXPECT_EQ(drawn(boxed(FrameStatus::kSkipped, 0.1F), 80), both) << "the box once, and the skeleton";
  EXPECT_EQ(drawn(skipped(), 120), both) << "its last box";
}

/// What a viewer of interval frames saw: blank ones in between.
TEST_F(Hold, AnIntervalLeavesNoFrameBlank) {
  use_fake_device({});
  h = harness(fake_line("inference-interval=5") + " ! neuronoverlay draw-labels=false");
  const auto info = video_info(GST_VIDEO_FORMAT_BGR, 320, 240);
  set_caps(h.get(), info);
  for (int i = 0; i < 10; ++i) {
    gst::BufferPtr in = frame_of(info, static_cast<GstClockTime>(i) * 40 * GST_MSECOND, 200);
    const auto before = bytes_of(in.get());
    ASSERT_EQ(gst_harness_push(h.get(), in.release()), GST_FLOW_OK);
    const gst::BufferPtr out(gst_harness_pull(h.get()));
    EXPECT_EQ(gst::get_result(out.get())->status, i % 5 == 0 ? FrameStatus::kAnalysed : FrameStatus::kSkipped);
    EXPECT_NE(bytes_of(out.get()), before) << "frame " << i;
  }
}

}  // namespace
}  // namespace posecam::test
