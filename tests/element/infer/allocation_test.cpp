// ALLOCATION queries: those of a decoder that asks before every frame do not hold up the frames before them.

#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "tests/element/harness.h"
#include "tests/support/temp_dir.h"

namespace posecam::test {
namespace {

const GstVideoInfo kVideo = video_info(GST_VIDEO_FORMAT_NV12, 64, 48);

struct QueryUnref {
  void operator()(GstQuery* query) const { gst_query_unref(query); }
};
using QueryPtr = std::unique_ptr<GstQuery, QueryUnref>;

class Allocation : public testing::Test {
 protected:
  void start(const std::string& more) {
    use_fake_device({.cores = 2});
    h = harness(fake_line(more));
    gst_harness_add_propose_allocation_meta(h.get(), GST_VIDEO_META_API_TYPE, nullptr);
    set_caps(h.get(), kVideo);
    GstPad* src = gst_element_get_static_pad(find_infer(h.get()).get(), "src");
    gst_pad_add_probe(
        src, static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_QUERY_DOWNSTREAM | GST_PAD_PROBE_TYPE_PUSH),
        [](GstPad*, GstPadProbeInfo* info, gpointer asked) {
          *static_cast<int*>(asked) += GST_QUERY_TYPE(GST_PAD_PROBE_INFO_QUERY(info)) == GST_QUERY_ALLOCATION;
          return GST_PAD_PROBE_OK;
        },
        &asked_, nullptr);
    gst_object_unref(src);
    asked_ = 0;
  }
  QueryPtr ask(const GstVideoInfo& info = kVideo) {
    GstCaps* caps = gst_video_info_to_caps(const_cast<GstVideoInfo*>(&info));
    QueryPtr query(gst_query_new_allocation(caps, TRUE));
    gst_caps_unref(caps);
    EXPECT_TRUE(gst_pad_peer_query(h->srcpad, query.get()));
    return query;
  }
  /// How often downstream was asked since the last call.
  int asked() { return std::exchange(asked_, 0); }

  HarnessPtr h;

 private:
  int asked_ = 0;
};

TEST_F(Allocation, TheSameQuestionIsAnsweredAtOnceWithFramesUnderWay) {
  start("batch-size=4 " + kLongDelay);
  const QueryPtr first = ask();
  EXPECT_EQ(asked(), 1);
  push_frames(h.get(), kVideo, 3);
  const QueryPtr again = ask();
  EXPECT_EQ(asked(), 0);
  EXPECT_EQ(gst_harness_buffers_received(h.get()), 0U) << "the batch has not been closed for it";
  for (const QueryPtr* query : {&first, &again}) {
    ASSERT_EQ(gst_query_get_n_allocation_pools(query->get()), 1U);
    guint size = 0;
    guint min = 0;
    gst_query_parse_nth_allocation_pool(query->get(), 0, nullptr, &size, &min, nullptr);
    EXPECT_EQ(size, GST_VIDEO_INFO_SIZE(&kVideo));
    EXPECT_GE(min, 16U);
    EXPECT_TRUE(gst_query_find_allocation_meta(query->get(), GST_VIDEO_META_API_TYPE, nullptr));
  }
}

TEST_F(Allocation, WhatMayHaveChangedIsAskedAnew) {
  start("max-batch-delay=0");
  ask();
  ask(video_info(GST_VIDEO_FORMAT_NV12, 32, 48));
  EXPECT_EQ(asked(), 2) << "other caps";
  ask(video_info(GST_VIDEO_FORMAT_NV12, 32, 48));
  EXPECT_EQ(asked(), 0);
  gst_harness_push_upstream_event(h.get(), gst_event_new_reconfigure());
  ask(video_info(GST_VIDEO_FORMAT_NV12, 32, 48));
  EXPECT_EQ(asked(), 1) << "downstream wants to be asked";
  gst_harness_push_event(h.get(), gst_event_new_flush_start());
  gst_harness_push_event(h.get(), gst_event_new_flush_stop(TRUE));
  ask(video_info(GST_VIDEO_FORMAT_NV12, 32, 48));
  EXPECT_EQ(asked(), 1) << "a flush";
  set_caps(h.get(), kVideo);
  ask(video_info(GST_VIDEO_FORMAT_NV12, 32, 48));
  EXPECT_EQ(asked(), 1) << "new caps";
}

/// Decoders do: they put pools of their own in its place.
TEST_F(Allocation, WhoTakesTheAnswerMayChangeIt) {
  start("max-batch-delay=0");
  const QueryPtr first = ask();
  gst_query_remove_nth_allocation_pool(first.get(), 0);
  gst_query_remove_nth_allocation_meta(first.get(), 0);
  const QueryPtr again = ask();
  EXPECT_EQ(gst_query_get_n_allocation_pools(again.get()), 1U);
  EXPECT_TRUE(gst_query_find_allocation_meta(again.get(), GST_VIDEO_META_API_TYPE, nullptr));
}

class AllocationOfSizes : public testing::TestWithParam<Size> {};

/// avdec_h264 asks before every frame where the width is no multiple of 16 and downstream reads odd strides.
TEST_P(AllocationOfSizes, ADecoderThatAsksBeforeEveryFrameFillsTheBatches) {
  for (const char* needed : {"x264enc", "avdec_h264"}) {
    GstElementFactory* factory = gst_element_factory_find(needed);
    if (!factory) GTEST_SKIP() << needed << " is not here";
    gst_object_unref(factory);
  }
  const TempDir dir;
  const std::string clip = (dir.path() / "clip.h264").string();
  const auto encode = launch(fmt::format(
      "videotestsrc num-buffers=160 pattern=black ! video/x-raw,format=I420,width={},height={},framerate=25/1 ! "
      "x264enc speed-preset=ultrafast ! h264parse ! matroskamux ! filesink location={}",
      GetParam().width, GetParam().height, clip));
  ASSERT_EQ(play(encode.get()), "");
  use_fake_device({.cores = 4});
  auto pipeline = launch("filesrc location=" + clip + " ! matroskademux ! h264parse ! avdec_h264 ! queue ! " +
                         fake_line("batch-size=4 qos=false " + kLongDelay) +
                         " ! videoconvert ! video/x-raw,format=BGRx ! fakesink sync=false");
  const ElementRef infer(gst_bin_get_by_name(GST_BIN(pipeline.get()), "infer"));
  ASSERT_EQ(play(pipeline.get()), "");
  EXPECT_EQ(stat(infer.get(), "frames"), 160);
  EXPECT_GE(stat(infer.get(), "batch-fill"), 3.5);
}

INSTANTIATE_TEST_SUITE_P(Sizes, AllocationOfSizes, testing::Values(Size{854, 480}, Size{1080, 1920}, Size{360, 640}),
                         [](const auto& size) { return fmt::format("{}x{}", size.param.width, size.param.height); });

}  // namespace
}  // namespace posecam::test
