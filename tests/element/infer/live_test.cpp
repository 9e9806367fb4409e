// Latency and quality of service.

#include <chrono>
#include <thread>

#include <gmock/gmock.h>

#include "elements/meta/result_meta.h"
#include "tests/element/harness.h"

namespace posecam::test {
namespace {

const GstVideoInfo kVideo = video_info(GST_VIDEO_FORMAT_BGR, 16, 16);

FrameStatus status_at(GstHarness* h, GstClockTime time) {
  EXPECT_EQ(gst_harness_push(h, frame_of(kVideo, time, 5).release()), GST_FLOW_OK);
  gst::BufferPtr out(gst_harness_pull(h));
  return gst::get_result(out.get())->status;
}

/// As a sink says it: the frame of that time came so much too late.
void tell_late(GstHarness* h, GstClockTime time, GstClockTimeDiff late) {
  gst_harness_push_upstream_event(h, gst_event_new_qos(GST_QOS_TYPE_UNDERFLOW, 1.5, late, time));
}

TEST(NeuronInferQos, LeavesOutWhatWouldComeTooLateAndSaysSo) {
  use_fake_device({.cores = 1});
  auto h = harness(fake_line());
  const ElementRef infer = find_infer(h.get());
  Messages messages(infer.get());
  set_caps(h.get(), kVideo);
  EXPECT_EQ(status_at(h.get(), 0), FrameStatus::kAnalysed);
  tell_late(h.get(), 0, 50 * GST_MSECOND);
  EXPECT_EQ(status_at(h.get(), 40 * GST_MSECOND), FrameStatus::kSkipped);
  EXPECT_EQ(status_at(h.get(), 80 * GST_MSECOND), FrameStatus::kSkipped);
  EXPECT_EQ(status_at(h.get(), 120 * GST_MSECOND), FrameStatus::kAnalysed);
  EXPECT_EQ(stat(infer.get(), "late"), 2);

  ASSERT_TRUE(messages.seen(GST_MESSAGE_QOS));
  const auto second = messages.seen(GST_MESSAGE_QOS);
  ASSERT_TRUE(second);
  guint64 running = 0;
  gst_message_parse_qos(second.get(), nullptr, &running, nullptr, nullptr, nullptr);
  EXPECT_EQ(running, 80 * GST_MSECOND);
  guint64 processed = 0;
  guint64 dropped = 0;
  GstFormat format = GST_FORMAT_UNDEFINED;
  gst_message_parse_qos_stats(second.get(), &format, &processed, &dropped);
  EXPECT_EQ(format, GST_FORMAT_BUFFERS);
  EXPECT_EQ(processed, 1U);
  EXPECT_EQ(dropped, 2U);
}

TEST(NeuronInferQos, AnalysesEverythingWhenSwitchedOffEvenWhilePlaying) {
  use_fake_device({.cores = 1});
  auto h = harness(fake_line());
  set_caps(h.get(), kVideo);
  tell_late(h.get(), 0, 50 * GST_MSECOND);
  EXPECT_EQ(status_at(h.get(), 0), FrameStatus::kSkipped);
  g_object_set(find_infer(h.get()).get(), "qos", FALSE, nullptr);
  EXPECT_EQ(status_at(h.get(), GST_MSECOND), FrameStatus::kAnalysed);
}

TEST(NeuronInferQos, AFlushForgetsWhatWasLate) {
  use_fake_device({.cores = 1});
  auto h = harness(fake_line());
  set_caps(h.get(), kVideo);
  tell_late(h.get(), 0, GST_SECOND);
  EXPECT_EQ(status_at(h.get(), 0), FrameStatus::kSkipped);
  gst_harness_push_event(h.get(), gst_event_new_flush_start());
  gst_harness_push_event(h.get(), gst_event_new_flush_stop(TRUE));
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  gst_harness_push_event(h.get(), gst_event_new_segment(&segment));
  EXPECT_EQ(status_at(h.get(), 0), FrameStatus::kAnalysed);
}

/// A clip that is played from its tenth second: the sink speaks of the time since then.
TEST(NeuronInferQos, JudgesByTheTimeOfThePipelineNotOfTheClip) {
  use_fake_device({.cores = 1});
  auto h = harness(fake_line());
  set_caps(h.get(), kVideo);
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  segment.start = segment.time = 10 * GST_SECOND;
  ASSERT_TRUE(gst_harness_push_event(h.get(), gst_event_new_segment(&segment)));
  tell_late(h.get(), 0, 50 * GST_MSECOND);
  EXPECT_EQ(status_at(h.get(), 10 * GST_SECOND + 40 * GST_MSECOND), FrameStatus::kSkipped);
  EXPECT_EQ(status_at(h.get(), 10 * GST_SECOND + 120 * GST_MSECOND), FrameStatus::kAnalysed);
}

TEST(NeuronInferQos, TellsUpstreamToo) {
  use_fake_device({.cores = 1});
  auto h = harness(fake_line());
  set_caps(h.get(), kVideo);
  tell_late(h.get(), 7, 9);
  GstEvent* event = nullptr;
  while ((event = gst_harness_pull_upstream_event(h.get())) && GST_EVENT_TYPE(event) != GST_EVENT_QOS) {
    gst_event_unref(event);
  }
  ASSERT_NE(event, nullptr);
  gst_event_unref(event);
}

TEST(NeuronInferLatency, ReportsTheDelayOfABatchAndItsOwnWay) {
  use_fake_device({.cores = 1});
  auto h = harness(fake_line("max-batch-delay=40"));
  set_caps(h.get(), kVideo);
  gst_harness_set_upstream_latency(h.get(), 7 * GST_MSECOND);
  const GstClockTime reported = gst_harness_query_latency(h.get());
  guint64 own = 0;
  g_object_get(find_infer(h.get()).get(), "latency", &own, nullptr);
  EXPECT_GE(own, 40 * GST_MSECOND);
  EXPECT_EQ(reported, 7 * GST_MSECOND + own);
}

TEST(NeuronInferLatency, AddsNothingToALatencyWithoutALimit) {
  use_fake_device({.cores = 1});
  auto h = harness(fake_line("max-batch-delay=40"));
  set_caps(h.get(), kVideo);
  GstQuery* query = gst_query_new_latency();
  ASSERT_TRUE(gst_pad_peer_query(h->sinkpad, query));
  gboolean live = FALSE;
  GstClockTime min = 0;
  GstClockTime max = 0;
  gst_query_parse_latency(query, &live, &min, &max);
  gst_query_unref(query);
  EXPECT_TRUE(live);
  EXPECT_GE(min, 40 * GST_MSECOND);
  EXPECT_EQ(max, GST_CLOCK_TIME_NONE);
}

/// Twice the guess before the first frame, however fast this machine is.
TEST(NeuronInferLatency, PostsAMessageWhenItIsLongerThanItSaid) {
  use_fake_device({.cores = 1, .on_run = [](CoreId, std::uint64_t, std::uint32_t) -> Result<void> {
                     std::this_thread::sleep_for(std::chrono::milliseconds(100));
                     return {};
                   }});
  auto h = harness(fake_line("batch-size=32 max-batch-delay=0"));
  const ElementRef infer = find_infer(h.get());
  Messages messages(infer.get());
  set_caps(h.get(), kVideo);
  const GstClockTime guessed = gst_harness_query_latency(h.get());
  push_frames(h.get(), kVideo, 64);
  ASSERT_TRUE(messages.next(GST_MESSAGE_LATENCY));
  EXPECT_GT(gst_harness_query_latency(h.get()), guessed);
}

/// Far faster than the guess, but for moments when this machine has other work: such frames may be one in a hundred,
/// and until there are enough of the others the latency may even seem longer.
TEST(NeuronInferLatency, PostsAMessageWhenItIsShorterThanItSaid) {
  use_fake_device({.cores = 1});
  auto h = harness(fake_line("max-batch-delay=0"));
  const ElementRef infer = find_infer(h.get());
  Messages messages(infer.get());
  set_caps(h.get(), kVideo);
  const GstClockTime guessed = gst_harness_query_latency(h.get());
  GstClockTime told = guessed;
  for (int frame = 0; told >= guessed && frame < 1000 * 32; frame += 32) {
    push_frames(h.get(), kVideo, 32, frame);
    expect_in_order(h.get(), 32, frame);
    if (messages.seen(GST_MESSAGE_LATENCY)) told = gst_harness_query_latency(h.get());
  }
  EXPECT_LT(told, guessed);
}

TEST(NeuronInferLatency, ASinkThatWaitsForItsClockDoesNotCount) {
  use_fake_device({.cores = 1});
  auto pipeline = launch("videotestsrc num-buffers=40 ! video/x-raw,width=16,height=16,format=BGR,framerate=100/1 ! " +
                         fake_line("max-batch-delay=0") + " ! fakesink sync=true");
  ASSERT_EQ(play(pipeline.get()), "");
  const ElementRef infer(gst_bin_get_by_name(GST_BIN(pipeline.get()), "infer"));
  EXPECT_LT(stat(infer.get(), "latency-median-ms"), 9);  // a frame lasts 10 ms at the sink
}

}  // namespace
}  // namespace posecam::test
