// Latency and quality of service.

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

TEST(NeuronInferLatency, PostsAMessageWhenItIsNotWhatItSaid) {
  use_fake_device({.cores = 1});  // far faster than the guess before the first frame
  auto h = harness(fake_line("max-batch-delay=0"));
  const ElementRef infer = find_infer(h.get());
  Messages messages(infer.get());
  set_caps(h.get(), kVideo);
  const GstClockTime guessed = gst_harness_query_latency(h.get());
  push_frames(h.get(), kVideo, 64);
  ASSERT_TRUE(messages.next(GST_MESSAGE_LATENCY));
  EXPECT_LT(gst_harness_query_latency(h.get()), guessed);
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
