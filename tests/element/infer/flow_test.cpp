// Flags, events and times: what travels through neuroninfer beside the pixels.

#include <thread>

#include <gmock/gmock.h>
#include <gst/video/gstvideometa.h>

#include "elements/meta/result_meta.h"
#include "tests/element/harness.h"
#include "tests/support/watchdog.h"

namespace posecam::test {
namespace {

const GstVideoInfo kVideo = video_info(GST_VIDEO_FORMAT_BGR, 16, 16);

class NeuronInferFlow : public testing::Test {
 protected:
  void start(const std::string& more, const std::string& after = "") {
    use_fake_device({.cores = 2});
    h = harness(fake_line(more) + after);
    set_caps(h.get(), kVideo);
  }
  FrameStatus push_flagged(GstBufferFlags flag, GstBufferFlags* out_flags = nullptr) {
    gst::BufferPtr in = frame_of(kVideo, 0, 7);
    GST_BUFFER_FLAG_SET(in.get(), flag);
    EXPECT_EQ(gst_harness_push(h.get(), in.release()), GST_FLOW_OK);
    gst::BufferPtr out(gst_harness_pull(h.get()));
    if (out_flags) *out_flags = static_cast<GstBufferFlags>(GST_BUFFER_FLAGS(out.get()));
    return gst::get_result(out.get())->status;
  }
  /// What downstream answered to the frame before is what the next one is answered, as soon as it is known.
  GstFlowReturn push_until_refused() {
    const Watchdog watchdog(30);
    GstFlowReturn flow = GST_FLOW_OK;
    while (flow == GST_FLOW_OK) flow = gst_harness_push(h.get(), frame_of(kVideo, 1, 1).release());
    return flow;
  }
  HarnessPtr h;
};

TEST_F(NeuronInferFlow, GapFramesPassWithoutAnalysis) {
  start("");
  EXPECT_EQ(push_flagged(GST_BUFFER_FLAG_GAP), FrameStatus::kSkipped);
}

TEST_F(NeuronInferFlow, CorruptedFramesAreUnanalysed) {
  start("");
  EXPECT_EQ(push_flagged(GST_BUFFER_FLAG_CORRUPTED), FrameStatus::kUnanalysed);
}

TEST_F(NeuronInferFlow, DiscontStaysOnAFrameThatIsAnalysed) {
  start("");
  GstBufferFlags flags{};
  EXPECT_EQ(push_flagged(GST_BUFFER_FLAG_DISCONT, &flags), FrameStatus::kAnalysed);
  EXPECT_TRUE(flags & GST_BUFFER_FLAG_DISCONT);
}

TEST_F(NeuronInferFlow, TimesPassUnchanged) {
  start("");
  gst::BufferPtr in = frame_of(kVideo, 123, 7);
  GST_BUFFER_DTS(in.get()) = 77;
  GST_BUFFER_DURATION(in.get()) = 40;
  GST_BUFFER_OFFSET(in.get()) = 9;
  ASSERT_EQ(gst_harness_push(h.get(), in.release()), GST_FLOW_OK);
  gst::BufferPtr out(gst_harness_pull(h.get()));
  EXPECT_EQ(GST_BUFFER_PTS(out.get()), 123U);
  EXPECT_EQ(GST_BUFFER_DTS(out.get()), 77U);
  EXPECT_EQ(GST_BUFFER_DURATION(out.get()), 40U);
  EXPECT_EQ(GST_BUFFER_OFFSET(out.get()), 9U);
}

TEST_F(NeuronInferFlow, AGapEventEndsTheWaitForAFullBatch) {
  start("batch-size=4 " + kLongDelay);
  push_frames(h.get(), kVideo, 1);
  const AtOnce at_once;
  ASSERT_TRUE(gst_harness_push_event(h.get(), gst_event_new_gap(GST_MSECOND, GST_SECOND)));
  expect_in_order(h.get(), 1);
}

/// What came out, in its order: times of frames in ms, names of events.
struct Trace {
  std::mutex mutex;
  std::vector<std::string> items;
  static GstPadProbeReturn note(GstPad*, GstPadProbeInfo* info, gpointer trace) {
    auto* self = static_cast<Trace*>(trace);
    std::lock_guard lock(self->mutex);
    if (GST_PAD_PROBE_INFO_TYPE(info) & GST_PAD_PROBE_TYPE_BUFFER) {
      self->items.push_back(std::to_string(GST_BUFFER_PTS(GST_PAD_PROBE_INFO_BUFFER(info)) / GST_MSECOND));
    } else {
      self->items.emplace_back(GST_EVENT_TYPE_NAME(GST_PAD_PROBE_INFO_EVENT(info)));
    }
    return GST_PAD_PROBE_OK;
  }
};

TEST_F(NeuronInferFlow, SerializedEventsKeepTheirPlaceAmongTheFrames) {
  start("batch-size=4 " + kLongDelay);
  Trace trace;
  const ElementRef infer = find_infer(h.get());
  GstPad* src = gst_element_get_static_pad(infer.get(), "src");
  gst_pad_add_probe(src, static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM),
                    Trace::note, &trace, nullptr);
  const AtOnce at_once;
  push_frames(h.get(), kVideo, 2);
  gst_harness_push_event(h.get(), gst_event_new_tag(gst_tag_list_new(GST_TAG_TITLE, "a clip", nullptr)));
  push_frames(h.get(), kVideo, 1, 2);
  gst_harness_push_event(h.get(), gst_event_new_custom(GST_EVENT_CUSTOM_DOWNSTREAM, gst_structure_new_empty("mine")));
  push_frames(h.get(), kVideo, 1, 3);
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  gst_harness_push_event(h.get(), gst_event_new_segment(&segment));
  push_frames(h.get(), kVideo, 1, 4);
  gst_harness_push_event(h.get(), gst_event_new_eos());
  expect_in_order(h.get(), 5);
  while (GstEvent* event = gst_harness_pull_event(h.get())) {
    const bool last = GST_EVENT_TYPE(event) == GST_EVENT_EOS;
    gst_event_unref(event);
    if (last) break;
  }
  gst_object_unref(src);
  std::lock_guard lock(trace.mutex);
  const std::vector<std::string> tail(trace.items.end() - 9, trace.items.end());
  EXPECT_THAT(tail, testing::ElementsAre("0", "1", "tag", "2", "custom-downstream", "3", "segment", "4", "eos"));
}

TEST_F(NeuronInferFlow, ASerializedQueryComesBehindTheFramesBeforeIt) {
  start("batch-size=4 " + kLongDelay);
  push_frames(h.get(), kVideo, 3);
  const AtOnce at_once;
  GstQuery* drain = gst_query_new_drain();
  gst_pad_peer_query(h.get()->srcpad, drain);
  gst_query_unref(drain);
  EXPECT_GE(gst_harness_buffers_received(h.get()), 3U);
}

/// An event that is not serialized overtakes frames and moves none.
TEST_F(NeuronInferFlow, EachSerializedEventBringsOutTheFramesBeforeIt) {
  start("batch-size=4 " + kLongDelay);
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  const AtOnce at_once;
  int frame = 0;
  for (GstEvent* event : {gst_event_new_tag(gst_tag_list_new(GST_TAG_TITLE, "a clip", nullptr)),
                          gst_event_new_segment(&segment), gst_event_new_gap(GST_MSECOND, GST_SECOND),
                          gst_event_new_custom(GST_EVENT_CUSTOM_DOWNSTREAM, gst_structure_new_empty("mine"))}) {
    push_frames(h.get(), kVideo, 1, frame);
    ASSERT_TRUE(gst_harness_push_event(h.get(), event));
    expect_in_order(h.get(), 1, frame++);
  }
}

TEST_F(NeuronInferFlow, AFlushEndsAWaitForTheNetwork) {
  std::mutex gate;
  std::unique_lock closed(gate);
  use_fake_device({.cores = 1, .on_run = [&](CoreId, std::uint64_t, std::uint32_t) -> Result<void> {
                     std::lock_guard wait(gate);
                     return {};
                   }});
  h = harness(fake_line("max-in-flight=1"));
  set_caps(h.get(), kVideo);
  push_frames(h.get(), kVideo, 1);
  std::thread blocked([&] {  // in reserve(): the only row is with the network
    EXPECT_EQ(gst_harness_push(h.get(), frame_of(kVideo, GST_MSECOND, 1).release()), GST_FLOW_FLUSHING);
  });
  // The pusher blocks within this call or before it: either way the flush must end it.
  gst_harness_push_event(h.get(), gst_event_new_flush_start());
  blocked.join();
  closed.unlock();
  gst_harness_push_event(h.get(), gst_event_new_flush_stop(TRUE));
  h.reset();  // the device holds the gate
}

/// They were behind a frame that is still with the network, and nobody sends them again.
TEST_F(NeuronInferFlow, AFlushKeepsTheCapsAndTagsThatWereUnderWay) {
  std::mutex gate;
  std::unique_lock closed(gate);
  use_fake_device({.cores = 1, .on_run = [&](CoreId, std::uint64_t, std::uint32_t) -> Result<void> {
                     std::lock_guard wait(gate);
                     return {};
                   }});
  h = harness(fake_line());
  set_caps(h.get(), kVideo);
  push_frames(h.get(), kVideo, 1);
  const auto large = video_info(GST_VIDEO_FORMAT_BGR, 32, 16);
  GstCaps* caps = gst_video_info_to_caps(const_cast<GstVideoInfo*>(&large));
  ASSERT_TRUE(gst_harness_push_event(h.get(), gst_event_new_caps(caps)));
  ASSERT_TRUE(gst_harness_push_event(h.get(), gst_event_new_tag(gst_tag_list_new(GST_TAG_TITLE, "a clip", nullptr))));
  gst_harness_push_event(h.get(), gst_event_new_flush_start());
  gst_harness_push_event(h.get(), gst_event_new_flush_stop(TRUE));
  closed.unlock();
  GstPad* src = gst_element_get_static_pad(find_infer(h.get()).get(), "src");
  GstCaps* now = gst_pad_get_current_caps(src);
  EXPECT_TRUE(gst_caps_is_equal(now, caps));
  GstEvent* tags = gst_pad_get_sticky_event(src, GST_EVENT_TAG, 0);
  EXPECT_NE(tags, nullptr);
  g_clear_pointer(&tags, gst_event_unref);
  gst_caps_unref(now);
  gst_caps_unref(caps);
  gst_object_unref(src);
  h.reset();  // the device holds the gate
}

/// The device is busy for the moment, and an engine that goes does not wait for it.
TEST_F(NeuronInferFlow, NewCapsThatNeedAnotherEngineWaitForTheFramesOfTheFirst) {
  constexpr std::uint64_t kBusyRuns = 7;
  FakeNetwork network = one_detection();
  network.shapes = [](const ModelSpec& spec) {
    return std::vector<Shape>{{spec.input.batch, spec.input.size.width / 8 * spec.input.size.height / 8, 6}};
  };
  use_fake_device({.cores = 1,
                   .on_run = [](CoreId, std::uint64_t run, std::uint32_t) -> Result<void> {
                     return run < kBusyRuns ? Error{Errc::kBusy, "busy"} : Result<void>{};
                   },
                   .network = network});
  h = harness(fake_line("net-resolution=-1x8 batch-size=4 " + kLongDelay));
  const auto wide = video_info(GST_VIDEO_FORMAT_BGR, 48, 16);
  set_caps(h.get(), video_info(GST_VIDEO_FORMAT_BGR, 32, 16));
  push_frames(h.get(), video_info(GST_VIDEO_FORMAT_BGR, 32, 16), 3);
  GstCaps* caps = gst_video_info_to_caps(const_cast<GstVideoInfo*>(&wide));
  ASSERT_TRUE(gst_harness_push_event(h.get(), gst_event_new_caps(caps)));
  gst_caps_unref(caps);
  for (int i = 0; i < 3; ++i) {
    const gst::BufferPtr out(gst_harness_pull(h.get()));
    ASSERT_TRUE(out);
    EXPECT_EQ(gst::get_result(out.get())->status, FrameStatus::kAnalysed) << i;
  }
}

/// Whoever is behind the pad answers each frame with EOS.
void want_no_more(GstPad* pad) {
  gst_pad_add_probe(
      pad, GST_PAD_PROBE_TYPE_BUFFER,
      [](GstPad*, GstPadProbeInfo* info, gpointer) {
        gst_buffer_unref(GST_PAD_PROBE_INFO_BUFFER(info));
        GST_PAD_PROBE_INFO_FLOW_RETURN(info) = GST_FLOW_EOS;
        return GST_PAD_PROBE_HANDLED;
      },
      nullptr, nullptr);
}

TEST_F(NeuronInferFlow, AnUnlinkedOrFinishedDownstreamStopsTheStream) {
  start("");
  const ElementRef infer = find_infer(h.get());
  GstPad* src = gst_element_get_static_pad(infer.get(), "src");
  want_no_more(src);
  GstFlowReturn flow = GST_FLOW_OK;
  for (int i = 0; i < 1000 && flow == GST_FLOW_OK; ++i) flow = gst_harness_push(h.get(), frame_of(kVideo, 0).release());
  EXPECT_EQ(flow, GST_FLOW_EOS);
  gst_object_unref(src);
}

TEST_F(NeuronInferFlow, UpstreamLearnsWithItsNextFrameThatDownstreamWantsNoMore) {
  start("batch-size=8 max-batch-delay=0");
  const ElementRef infer = find_infer(h.get());
  GstPad* src = gst_element_get_static_pad(infer.get(), "src");
  want_no_more(src);
  ASSERT_EQ(gst_harness_push(h.get(), frame_of(kVideo, 0, 1).release()), GST_FLOW_OK);
  EXPECT_EQ(push_until_refused(), GST_FLOW_EOS);
  gst_object_unref(src);
}

TEST_F(NeuronInferFlow, GoesOnWhenItIsLinkedAgain) {
  start("max-batch-delay=0");
  const ElementRef infer = find_infer(h.get());
  GstPad* src = gst_element_get_static_pad(infer.get(), "src");
  GstPad* peer = gst_pad_get_peer(src);
  gst_pad_unlink(src, peer);
  ASSERT_EQ(gst_harness_push(h.get(), frame_of(kVideo, 0, 1).release()), GST_FLOW_OK);
  EXPECT_EQ(push_until_refused(), GST_FLOW_NOT_LINKED);
  ASSERT_EQ(gst_pad_link(src, peer), GST_PAD_LINK_OK);  // tells upstream to reconfigure
  ASSERT_EQ(gst_harness_push(h.get(), frame_of(kVideo, 2, 1).release()), GST_FLOW_OK);
  for (GstClockTime time = 0; time != 2;) {  // behind those that were taken before the refusal was known
    const gst::BufferPtr out(gst_harness_pull(h.get()));
    ASSERT_TRUE(out);
    time = GST_BUFFER_PTS(out.get());
  }
  gst_object_unref(peer);
  gst_object_unref(src);
}

/// A seek that races with a shutdown: nobody would stop the task any more.
TEST_F(NeuronInferFlow, TheEndOfAFlushStartsNothingOnAPadThatWasDeactivated) {
  start("");
  const ElementRef infer = find_infer(h.get());
  GstPad* src = gst_element_get_static_pad(infer.get(), "src");
  gst_harness_push_event(h.get(), gst_event_new_flush_start());
  ASSERT_TRUE(gst_pad_set_active(src, FALSE));
  gst_harness_push_event(h.get(), gst_event_new_flush_stop(TRUE));
  EXPECT_NE(gst_pad_get_task_state(src), GST_TASK_STARTED);
  gst_object_unref(src);
}

/// Applications look at an element when it makes its thread, within the call that makes it.
TEST_F(NeuronInferFlow, ItsPropertiesCanBeReadByWhoHearsOfItsTask) {
  const Watchdog watchdog(30);
  use_fake_device({.cores = 1});
  auto pipeline =
      launch("videotestsrc num-buffers=3 ! video/x-raw,width=16,height=16,format=BGR ! " + fake_line() + " ! fakesink");
  const ElementRef infer(gst_bin_get_by_name(GST_BIN(pipeline.get()), "infer"));
  static std::atomic<int> heard;
  heard = 0;
  GstBus* bus = gst_element_get_bus(pipeline.get());
  gst_bus_set_sync_handler(
      bus,
      [](GstBus*, GstMessage* message, gpointer element) {
        if (GST_MESSAGE_TYPE(message) != GST_MESSAGE_STREAM_STATUS) return GST_BUS_PASS;
        guint64 latency = 0;
        gchar* model = nullptr;
        g_object_get(element, "latency", &latency, "model", &model, nullptr);
        g_free(model);
        stat(static_cast<GstElement*>(element), "frames");
        ++heard;
        return GST_BUS_PASS;
      },
      infer.get(), nullptr);
  gst_object_unref(bus);
  EXPECT_EQ(play(pipeline.get()), "");
  gst_element_set_state(pipeline.get(), GST_STATE_NULL);
  EXPECT_GE(heard, 4) << "made and entered, the source's and the element's own";
}

TEST_F(NeuronInferFlow, TheFirstFrameAfterASeekIsAnalysed) {
  start("inference-interval=10 max-batch-delay=0");
  for (int seek = 0; seek < 3; ++seek) {
    push_frames(h.get(), kVideo, 2);
    for (const FrameStatus expected : {FrameStatus::kAnalysed, FrameStatus::kSkipped}) {
      const gst::BufferPtr out(gst_harness_pull(h.get()));
      ASSERT_TRUE(out);
      EXPECT_EQ(gst::get_result(out.get())->status, expected);
    }
    gst_harness_push_event(h.get(), gst_event_new_flush_start());
    gst_harness_push_event(h.get(), gst_event_new_flush_stop(TRUE));
    GstSegment segment;
    gst_segment_init(&segment, GST_FORMAT_TIME);
    gst_harness_push_event(h.get(), gst_event_new_segment(&segment));
  }
}

TEST_F(NeuronInferFlow, ARegionOfInterestWithoutAClassIsOfNoClass) {
  start("inference-region=roi-list object-class=person");
  gst::BufferPtr in = frame_of(kVideo, 0, 9);
  gst_buffer_add_video_region_of_interest_meta_id(in.get(), 0, 0, 0, 8, 8);
  ASSERT_EQ(gst_harness_push(h.get(), in.release()), GST_FLOW_OK);
  const gst::BufferPtr out(gst_harness_pull(h.get()));
  EXPECT_TRUE(gst::get_result(out.get())->detections.empty());
}

TEST_F(NeuronInferFlow, PlaysAndStopsAHundredTimes) {
  use_fake_device({.cores = 2});
  auto pipeline = launch("videotestsrc num-buffers=3 ! video/x-raw,width=16,height=16,format=BGR ! " +
                         fake_line("batch-size=2 " + kLongDelay) + " ! fakesink");
  for (int i = 0; i < 100; ++i) {
    ASSERT_EQ(play(pipeline.get()), "") << i;
    ASSERT_EQ(gst_element_set_state(pipeline.get(), GST_STATE_NULL), GST_STATE_CHANGE_SUCCESS);
  }
}

TEST_F(NeuronInferFlow, StopsInMidStreamAHundredTimes) {
  use_fake_device({.cores = 2});
  auto pipeline = launch("videotestsrc ! video/x-raw,width=16,height=16,format=BGR ! " +
                         fake_line("batch-size=2 " + kLongDelay) + " ! fakesink sync=true");
  for (int i = 0; i < 100; ++i) {
    gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
    ASSERT_NE(gst_element_get_state(pipeline.get(), nullptr, nullptr, 10 * GST_SECOND), GST_STATE_CHANGE_FAILURE);
    ASSERT_EQ(gst_element_set_state(pipeline.get(), GST_STATE_NULL), GST_STATE_CHANGE_SUCCESS);
  }
}

}  // namespace
}  // namespace posecam::test
