#include <fstream>
#include <set>

#include <gmock/gmock.h>
#include <gst/video/gstvideometa.h>

#include "elements/meta/result_meta.h"
#include "tests/element/harness.h"
#include "tests/support/temp_dir.h"

namespace posecam::test {
namespace {

HarnessPtr infer_harness(const std::string& more = "") {
  HarnessPtr h(gst_harness_new_parse(infer_line(more).c_str()));
  return h;
}

TEST(NeuronInfer, PushesEveryFrameInOrder) {
  auto h = infer_harness();
  const auto info = video_info(GST_VIDEO_FORMAT_NV12, 64, 48);
  set_caps(h.get(), info);
  push_frames(h.get(), info, 100);
  expect_in_order(h.get(), 100);
}

TEST(NeuronInfer, GivesEveryFrameItsOwnResultHoweverCoresFinish) {
  use_fake_device({.cores = 4, .on_run = [](CoreId core, std::uint64_t, std::uint32_t) -> Result<void> {
                     if (core == 0) std::this_thread::sleep_for(std::chrono::milliseconds(2));
                     return {};
                   }});
  HarnessPtr h(gst_harness_new_parse(fake_line("batch-size=3").c_str()));
  const auto info = video_info(GST_VIDEO_FORMAT_BGR, 16, 16);
  set_caps(h.get(), info);
  for (int i = 0; i < 200; ++i) {
    const auto value = static_cast<std::uint8_t>(i + 1);
    ASSERT_EQ(gst_harness_push(h.get(), frame_of(info, 0, value).release()), GST_FLOW_OK);
  }
  ASSERT_TRUE(gst_harness_push_event(h.get(), gst_event_new_eos()));
  for (int i = 0; i < 200; ++i) {
    gst::BufferPtr out(gst_harness_pull(h.get()));
    ASSERT_TRUE(out);
    EXPECT_EQ(fake_value(*gst::get_result(out.get())), i + 1);
  }
}

TEST(NeuronInfer, TakesEveryFormatOfItsTemplate) {
  for (const GstVideoFormat format :
       {GST_VIDEO_FORMAT_NV12, GST_VIDEO_FORMAT_I420, GST_VIDEO_FORMAT_BGR, GST_VIDEO_FORMAT_RGB, GST_VIDEO_FORMAT_BGRx,
        GST_VIDEO_FORMAT_RGBx, GST_VIDEO_FORMAT_BGRA, GST_VIDEO_FORMAT_RGBA}) {
    auto h = infer_harness();
    const auto info = video_info(format, 33, 17);
    set_caps(h.get(), info);
    push_frames(h.get(), info, 3);
    expect_in_order(h.get(), 3);
  }
}

TEST(NeuronInfer, DrainsPartialBatchOnEos) {
  auto h = infer_harness("batch-size=8 " + kLongDelay);
  const auto info = video_info(GST_VIDEO_FORMAT_BGR, 64, 48);
  set_caps(h.get(), info);
  push_frames(h.get(), info, 11);
  const AtOnce at_once;
  ASSERT_TRUE(gst_harness_push_event(h.get(), gst_event_new_eos()));
  expect_in_order(h.get(), 11);
  GstEvent* event = nullptr;
  while ((event = gst_harness_pull_event(h.get())) && GST_EVENT_TYPE(event) != GST_EVENT_EOS) gst_event_unref(event);
  ASSERT_NE(event, nullptr);
  gst_event_unref(event);
}

TEST(NeuronInfer, FlushDropsWhatIsPendingAndGoesOn) {
  const AtOnce at_once;
  for (int round = 0; round < 20; ++round) {
    auto h = infer_harness("batch-size=4 " + kLongDelay);
    const auto info = video_info(GST_VIDEO_FORMAT_BGR, 64, 48);
    set_caps(h.get(), info);
    push_frames(h.get(), info, 3);  // a batch that will never be full
    ASSERT_TRUE(gst_harness_push_event(h.get(), gst_event_new_flush_start()));
    ASSERT_TRUE(gst_harness_push_event(h.get(), gst_event_new_flush_stop(TRUE)));
    while (GstBuffer* old = gst_harness_try_pull(h.get())) gst_buffer_unref(old);
    GstSegment segment;
    gst_segment_init(&segment, GST_FORMAT_TIME);
    ASSERT_TRUE(gst_harness_push_event(h.get(), gst_event_new_segment(&segment)));
    push_frames(h.get(), info, 8, 1000);  // caps and stream-start of before the flush still hold
    ASSERT_TRUE(gst_harness_push_event(h.get(), gst_event_new_eos()));
    expect_in_order(h.get(), 8, 1000);
  }
}

TEST(NeuronInfer, FollowsCapsThatChangeInMidStream) {
  auto h = infer_harness();
  const auto small = video_info(GST_VIDEO_FORMAT_NV12, 64, 48);
  const auto large = video_info(GST_VIDEO_FORMAT_BGR, 321, 123);
  set_caps(h.get(), small);
  push_frames(h.get(), small, 5);
  set_caps(h.get(), large);
  push_frames(h.get(), large, 5, 5);
  for (int i = 0; i < 10; ++i) {
    gst::BufferPtr out(gst_harness_pull(h.get()));
    EXPECT_EQ(gst_buffer_get_size(out.get()), GST_VIDEO_INFO_SIZE(i < 5 ? &small : &large));
  }
}

/// With the engine that there is: nothing but the change says that no more frames fill the batch.
TEST(NeuronInfer, NewCapsBringOutAPartialBatchAtOnce) {
  auto h = infer_harness("batch-size=8 " + kLongDelay);
  set_caps(h.get(), video_info(GST_VIDEO_FORMAT_NV12, 64, 48));
  push_frames(h.get(), video_info(GST_VIDEO_FORMAT_NV12, 64, 48), 3);
  const AtOnce at_once;
  GstVideoInfo large = video_info(GST_VIDEO_FORMAT_BGR, 320, 240);
  GstCaps* caps = gst_video_info_to_caps(&large);
  ASSERT_TRUE(gst_harness_push_event(h.get(), gst_event_new_caps(caps)));  // without the segment that set_caps() adds
  gst_caps_unref(caps);
  expect_in_order(h.get(), 3);
}

TEST(NeuronInfer, FollowsTheAspectOfTheVideo) {
  auto h = infer_harness("net-resolution=-1x32");
  for (const auto& info : {video_info(GST_VIDEO_FORMAT_BGR, 64, 32), video_info(GST_VIDEO_FORMAT_BGR, 32, 64)}) {
    set_caps(h.get(), info);
    push_frames(h.get(), info, 2);
    expect_in_order(h.get(), 2);
  }
}

TEST(NeuronInfer, KeepsAPartialBatchWhenNewCapsNeedAnotherEngine) {
  auto h = infer_harness("net-resolution=-1x32 batch-size=4 " + kLongDelay);
  const auto wide = video_info(GST_VIDEO_FORMAT_BGR, 64, 32);
  const auto tall = video_info(GST_VIDEO_FORMAT_BGR, 32, 64);
  set_caps(h.get(), wide);
  push_frames(h.get(), wide, 3);
  const AtOnce at_once;
  set_caps(h.get(), tall);
  push_frames(h.get(), tall, 4, 3);
  expect_in_order(h.get(), 7);
}

TEST(NeuronInfer, ReportsAFailureDownstreamThatOnlyEosFollows) {
  auto h = infer_harness();
  GstElement* infer = gst_harness_find_element(h.get(), "neuroninfer");
  GstBus* bus = gst_bus_new();
  gst_element_set_bus(infer, bus);
  GstPad* src = gst_element_get_static_pad(infer, "src");
  gst_pad_add_probe(
      src, GST_PAD_PROBE_TYPE_BUFFER,
      [](GstPad*, GstPadProbeInfo* info, gpointer) {
        gst_buffer_unref(GST_PAD_PROBE_INFO_BUFFER(info));
        GST_PAD_PROBE_INFO_FLOW_RETURN(info) = GST_FLOW_NOT_NEGOTIATED;
        return GST_PAD_PROBE_HANDLED;
      },
      nullptr, nullptr);
  const auto info = video_info(GST_VIDEO_FORMAT_BGR, 64, 48);
  set_caps(h.get(), info);
  push_frames(h.get(), info, 1);
  gst_harness_push_event(h.get(), gst_event_new_eos());
  GstMessage* message = gst_bus_timed_pop_filtered(bus, 10 * GST_SECOND, GST_MESSAGE_ERROR);
  EXPECT_NE(message, nullptr);
  g_clear_pointer(&message, gst_message_unref);
  gst_object_unref(src);
  gst_element_set_bus(infer, nullptr);
  gst_object_unref(bus);
  gst_object_unref(infer);
}

TEST(NeuronInfer, CountsWhatItDid) {
  auto h = infer_harness("inference-interval=3");
  const auto info = video_info(GST_VIDEO_FORMAT_BGR, 64, 48);
  set_caps(h.get(), info);
  push_frames(h.get(), info, 9);
  expect_in_order(h.get(), 9);
  GstElement* infer = gst_harness_find_element(h.get(), "neuroninfer");
  GstStructure* stats = nullptr;
  g_object_get(infer, "stats", &stats, nullptr);
  guint64 frames = 0;
  guint64 analysed = 0;
  guint64 skipped = 0;
  EXPECT_TRUE(gst_structure_get(stats, "frames", G_TYPE_UINT64, &frames, "analysed", G_TYPE_UINT64, &analysed,
                                "skipped", G_TYPE_UINT64, &skipped, nullptr));
  EXPECT_EQ(frames, 9U);
  EXPECT_EQ(analysed, 3U);
  EXPECT_EQ(skipped, 6U);
  gst_structure_free(stats);
  gst_object_unref(infer);
}

TEST(NeuronInfer, CountsFromZeroWhenItPlaysAgain) {
  auto pipeline =
      launch("videotestsrc num-buffers=5 ! video/x-raw,width=64,height=48 ! " + infer_line() + " ! fakesink");
  const ElementRef infer(gst_bin_get_by_name(GST_BIN(pipeline.get()), "infer"));
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(play(pipeline.get()), "");
    EXPECT_EQ(stat(infer.get(), "frames"), 5);
    gst_element_set_state(pipeline.get(), GST_STATE_READY);
  }
}

TEST(NeuronInfer, PostsItsStatisticsAtTheEndOfTheStream) {
  auto h = infer_harness("");
  const ElementRef infer = find_infer(h.get());
  Messages messages(infer.get());
  const auto info = video_info(GST_VIDEO_FORMAT_BGR, 64, 48);
  set_caps(h.get(), info);
  push_frames(h.get(), info, 3);
  ASSERT_TRUE(gst_harness_push_event(h.get(), gst_event_new_eos()));
  const auto message = messages.next(GST_MESSAGE_ELEMENT);
  ASSERT_TRUE(message);
  ASSERT_TRUE(gst_message_has_name(message.get(), "neuron-stats"));
  guint64 frames = 0;
  EXPECT_TRUE(gst_structure_get_uint64(gst_message_get_structure(message.get()), "frames", &frames));
  EXPECT_EQ(frames, 3U);
}

TEST(NeuronInfer, AddsToTheReportedLatency) {
  auto h = infer_harness("max-batch-delay=40");
  const auto info = video_info(GST_VIDEO_FORMAT_BGR, 64, 48);
  set_caps(h.get(), info);
  gst_harness_set_upstream_latency(h.get(), 7 * GST_MSECOND);
  EXPECT_GE(gst_harness_query_latency(h.get()), 47 * GST_MSECOND);
}

TEST(NeuronInfer, FailsInReadyWithTheRemedyWhenTheModelIsUnknown) {
  auto pipeline = launch("videotestsrc num-buffers=1 ! neuroninfer model=opnpose ! fakesink");
  EXPECT_EQ(gst_element_set_state(pipeline.get(), GST_STATE_READY), GST_STATE_CHANGE_FAILURE);
  EXPECT_THAT(play(pipeline.get()), testing::HasSubstr("openpose"));
}

TEST(NeuronInfer, RestartsManyTimes) {
  auto pipeline =
      launch("videotestsrc num-buffers=5 ! video/x-raw,width=64,height=48 ! " + infer_line() + " ! fakesink");
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(play(pipeline.get()), "");
    gst_element_set_state(pipeline.get(), GST_STATE_NULL);
  }
}

TEST(NeuronInfer, TwoStreamsShareOneEngine) {
  const std::string branch =
      "videotestsrc num-buffers=30 ! video/x-raw,width=64,height=48 ! neuroninfer device=opencv "
      "model-instance-id=a batch-size=4 model=" +
      tiny_model() + " name=";
  auto pipeline = launch(branch + "one ! fakesink " + branch + "two ! fakesink");
  EXPECT_EQ(play(pipeline.get()), "");
  guint64 batches[2] = {0, 0};
  for (int i = 0; i < 2; ++i) {
    GstElement* infer = gst_bin_get_by_name(GST_BIN(pipeline.get()), i == 0 ? "one" : "two");
    GstStructure* stats = nullptr;
    g_object_get(infer, "stats", &stats, nullptr);
    gst_structure_get_uint64(stats, "batches", &batches[i]);
    gst_structure_free(stats);
    gst_object_unref(infer);
  }
  EXPECT_GT(batches[0], 0U);
  EXPECT_EQ(batches[0], batches[1]) << "counters of one engine";
}

TEST(NeuronInfer, RefusesOtherSettingsUnderASharedId) {
  const std::string branch =
      "videotestsrc num-buffers=3 ! neuroninfer device=opencv model-instance-id=b model=" + tiny_model();
  auto pipeline = launch(branch + " ! fakesink " + branch + " batch-size=2 ! fakesink");
  EXPECT_THAT(play(pipeline.get()), testing::HasSubstr("model-instance-id=b is in use with other settings"));
}

TEST(NeuronInfer, ItsResultsSurviveConversionAndScaling) {
  const TempDir dir;
  const std::string path = (dir.path() / "survive.ndjson").string();
  auto pipeline = launch("videotestsrc num-buffers=4 ! video/x-raw,format=NV12,width=64,height=48 ! " + infer_line() +
                         " ! videoconvert ! videoscale ! queue ! video/x-raw,format=BGRx,width=128,height=96 ! "
                         "neuronoverlay ! neuronjson stream-id=cam1 location=" +
                         path + " ! fakesink");
  EXPECT_EQ(play(pipeline.get()), "");
  std::ifstream file(path);
  std::string line;
  int lines = 0;
  while (std::getline(file, line)) {
    EXPECT_THAT(line, testing::HasSubstr("\"stream_id\":\"cam1\""));
    EXPECT_THAT(line, testing::HasSubstr("\"width\":128"));
    ++lines;
  }
  EXPECT_EQ(lines, 4);
}

TEST(NeuronJson, TimesStartWithTheStreamNotWithTheSegment) {
  const TempDir dir;
  const std::string path = (dir.path() / "times.ndjson").string();
  HarnessPtr h(gst_harness_new_parse((infer_line() + " ! neuronjson location=" + path).c_str()));
  const auto info = video_info(GST_VIDEO_FORMAT_BGR, 64, 48);
  set_caps(h.get(), info);
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  segment.start = 80 * GST_MSECOND;  // what a container with B-frames says
  ASSERT_TRUE(gst_harness_push_event(h.get(), gst_event_new_segment(&segment)));
  push_frames(h.get(), info, 2, 80);
  ASSERT_TRUE(gst_harness_push_event(h.get(), gst_event_new_eos()));
  for (int i = 0; i < 2; ++i) gst_buffer_unref(gst_harness_pull(h.get()));
  while (GstEvent* event = gst_harness_pull_event(h.get())) {
    const bool last = GST_EVENT_TYPE(event) == GST_EVENT_EOS;
    gst_event_unref(event);
    if (last) break;
  }
  std::ifstream file(path);
  std::string line;
  for (const char* pts : {"\"pts_ns\":0,", "\"pts_ns\":1000000,"}) {
    ASSERT_TRUE(std::getline(file, line));
    EXPECT_THAT(line, testing::HasSubstr(pts));
  }
}

TEST(NeuronJson, PassesFramesOnAfterASeekBackFromTheEnd) {
  HarnessPtr h(gst_harness_new_parse((infer_line() + " ! neuronjson location=/dev/null").c_str()));
  const auto info = video_info(GST_VIDEO_FORMAT_BGR, 64, 48);
  set_caps(h.get(), info);
  push_frames(h.get(), info, 1);
  expect_in_order(h.get(), 1);
  ASSERT_TRUE(gst_harness_push_event(h.get(), gst_event_new_eos()));
  while (GstEvent* event = gst_harness_pull_event(h.get())) {
    const bool last = GST_EVENT_TYPE(event) == GST_EVENT_EOS;
    gst_event_unref(event);
    if (last) break;
  }
  ASSERT_TRUE(gst_harness_push_event(h.get(), gst_event_new_flush_start()));
  ASSERT_TRUE(gst_harness_push_event(h.get(), gst_event_new_flush_stop(TRUE)));
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  ASSERT_TRUE(gst_harness_push_event(h.get(), gst_event_new_segment(&segment)));
  push_frames(h.get(), info, 2);
  expect_in_order(h.get(), 2);
}

TEST(NeuronJson, SaysWhatIsMissingWhenNobodyAnalysedTheFrames) {
  auto pipeline = launch("videotestsrc num-buffers=1 ! neuronjson location=/dev/null ! fakesink");
  EXPECT_THAT(play(pipeline.get()), testing::HasSubstr("put neuroninfer before neuronjson"));
}

TEST(NeuronJson, SaysWhyItCannotWrite) {
  auto pipeline = launch("videotestsrc num-buffers=1 ! " + infer_line() +
                         " ! neuronjson location=/nonexistent/dir/out.ndjson ! fakesink");
  EXPECT_THAT(play(pipeline.get()), testing::HasSubstr("/nonexistent/dir/out.ndjson"));
}

}  // namespace
}  // namespace posecam::test
