// Downstream has had enough: as with queue, upstream learns of it, and the end of the stream still comes through.

#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "tests/element/harness.h"
#include "tests/support/watchdog.h"

namespace posecam::test {
namespace {

const GstVideoInfo kVideo = video_info(GST_VIDEO_FORMAT_BGR, 16, 16);
const std::string kSource = "videotestsrc ! video/x-raw,format=BGR,width=64,height=48 ! ";

/// Frames that came to a pad, and after how many its peer has had enough.
struct Seen {
  std::atomic<int> frames = 0;
  std::atomic<int> enough = 3;
};

/// Behind the pad nobody takes more than `enough` frames.
GstPadProbeReturn take_some(GstPad*, GstPadProbeInfo* info, gpointer data) {
  auto& seen = *static_cast<Seen*>(data);
  if (++seen.frames <= seen.enough) return GST_PAD_PROBE_OK;
  gst_buffer_unref(GST_PAD_PROBE_INFO_BUFFER(info));
  GST_PAD_PROBE_INFO_FLOW_RETURN(info) = GST_FLOW_EOS;
  return GST_PAD_PROBE_HANDLED;
}

class DownstreamEnd : public testing::TestWithParam<std::string> {
 protected:
  std::string line() const {
    if (GetParam() != "fake") return infer_line();
    use_fake_device({.cores = 2});
    return fake_line("batch-size=2");
  }
};

TEST_P(DownstreamEnd, TheStreamEndsWhenTheSinkHasItsFrames) {
  for (const std::string after : {"fakesink num-buffers=3", "identity eos-after=3 ! fakesink",
                                  "queue ! identity eos-after=3 ! fakesink", "fakesink num-buffers=1 sync=true"}) {
    auto pipeline = launch(fmt::format("{}{} ! {}", kSource, line(), after));
    EXPECT_EQ(play(pipeline.get(), 20 * GST_SECOND), "") << after;
  }
}

INSTANTIATE_TEST_SUITE_P(Devices, DownstreamEnd, testing::Values("fake", "opencv"),
                         [](const auto& device) { return device.param; });

TEST(DownstreamEndFlow, AnEndThatFollowsIsPushedOnBehindFramesThatNobodyWants) {
  const Watchdog watchdog(30);
  use_fake_device({.cores = 1});
  auto h = harness(fake_line("batch-size=8 " + kLongDelay));
  set_caps(h.get(), kVideo);
  const ElementRef infer = find_infer(h.get());
  GstPad* src = gst_element_get_static_pad(infer.get(), "src");
  Seen seen;
  gst_pad_add_probe(src, GST_PAD_PROBE_TYPE_BUFFER, take_some, &seen, nullptr);
  push_frames(h.get(), kVideo, 8);  // a batch: they come out together
  GstFlowReturn flow = GST_FLOW_OK;
  while (flow == GST_FLOW_OK) flow = gst_harness_push(h.get(), frame_of(kVideo, 0, 1).release());
  EXPECT_EQ(flow, GST_FLOW_EOS);
  EXPECT_EQ(seen.frames, 4) << "three that were taken and the one that was refused";
  ASSERT_TRUE(gst_harness_push_event(h.get(), gst_event_new_eos()));
  bool ended = false;
  while (GstEvent* event = gst_harness_pull_event(h.get())) {
    ended = GST_EVENT_TYPE(event) == GST_EVENT_EOS;
    gst_event_unref(event);
    if (ended) break;
  }
  EXPECT_TRUE(ended);
  gst_object_unref(src);
}

/// As of a gapless player: the next segment is another chance.
TEST(DownstreamEndFlow, ANewSegmentIsOfferedAgain) {
  const Watchdog watchdog(30);
  use_fake_device({.cores = 1});
  auto h = harness(fake_line("max-batch-delay=0"));
  set_caps(h.get(), kVideo);
  const ElementRef infer = find_infer(h.get());
  GstPad* src = gst_element_get_static_pad(infer.get(), "src");
  Seen seen;
  gst_pad_add_probe(src, GST_PAD_PROBE_TYPE_BUFFER, take_some, &seen, nullptr);
  while (gst_harness_push(h.get(), frame_of(kVideo, 0, 1).release()) == GST_FLOW_OK) std::this_thread::yield();
  seen.enough = 1000;
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  ASSERT_TRUE(gst_harness_push_event(h.get(), gst_event_new_segment(&segment)));
  push_frames(h.get(), kVideo, 2, 7);
  for (int i = 0; i < 3; ++i) gst_buffer_unref(gst_harness_pull(h.get()));
  expect_in_order(h.get(), 2, 7);
  gst_object_unref(src);
}

}  // namespace
}  // namespace posecam::test
