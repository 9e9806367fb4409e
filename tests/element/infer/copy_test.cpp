// Nothing of a frame is copied, and nothing allocated for it, once the stream runs.

#include <memory>

#include <gtest/gtest.h>

#include "tests/element/harness.h"
#include "tests/element/infer/counted_memory.h"
#include "tests/support/alloc_counter.h"

namespace posecam::test {
namespace {

class ZeroCopy : public testing::Test {
 protected:
  /// Buffers in counted memory, made beforehand.
  std::vector<gst::BufferPtr> frames(const GstVideoInfo& info, int count) {
    std::vector<gst::BufferPtr> all;
    for (int i = 0; i < count; ++i) {
      gst::BufferPtr buffer = counted_.new_buffer(GST_VIDEO_INFO_SIZE(&info));
      GST_BUFFER_PTS(buffer.get()) = static_cast<GstClockTime>(i);
      all.push_back(std::move(buffer));
    }
    return all;
  }

  CountedMemory counted_;
};

TEST_F(ZeroCopy, AFrameIsMappedOnceAndNeverCopied) {
  constexpr int kFrames = 100;
  use_fake_device({.cores = 2});
  const auto info = video_info(GST_VIDEO_FORMAT_NV12, 64, 48);
  auto h = harness(fake_line("batch-size=4 max-batch-delay=1") + " ! neuronjson location=/dev/null");
  set_caps(h.get(), info);
  auto in = frames(info, kFrames);
  counted_.reset();
  for (auto& frame : in) ASSERT_EQ(gst_harness_push(h.get(), frame.release()), GST_FLOW_OK);
  for (int i = 0; i < kFrames; ++i) gst::BufferPtr(gst_harness_pull(h.get())).reset();
  EXPECT_EQ(counted_.use().allocated, 0);
  EXPECT_EQ(counted_.use().copied, 0);
  EXPECT_EQ(counted_.use().mapped, kFrames);
}

TEST_F(ZeroCopy, AFrameThatATeeSharesIsNotCopiedEither) {
  use_fake_device({.cores = 2});
  const auto info = video_info(GST_VIDEO_FORMAT_NV12, 64, 48);
  auto h = harness(fake_line());
  set_caps(h.get(), info);
  auto in = frames(info, 20);
  counted_.reset();
  for (auto& frame : in) {
    ASSERT_EQ(gst_harness_push(h.get(), gst_buffer_ref(frame.get())), GST_FLOW_OK);  // somebody else holds it too
    const gst::BufferPtr out(gst_harness_pull(h.get()));
    EXPECT_NE(out.get(), frame.get());
    EXPECT_EQ(gst_buffer_peek_memory(out.get(), 0), gst_buffer_peek_memory(frame.get(), 0));
  }
  EXPECT_EQ(counted_.use().copied, 0);
  EXPECT_EQ(counted_.use().mapped, 20);
}

TEST_F(ZeroCopy, TheElementAllocatesNothingForAFrameOnceWarm) {
  use_fake_device({.cores = 1});
  const auto info = video_info(GST_VIDEO_FORMAT_NV12, 64, 48);
  auto h = harness(fake_line("max-in-flight=2"));
  set_caps(h.get(), info);
  auto in = frames(info, 200);
  const auto pass = [&](int from, int to) {
    for (int i = from; i < to; ++i) {
      ASSERT_EQ(gst_harness_push(h.get(), in[static_cast<std::size_t>(i)].release()), GST_FLOW_OK);
      gst::BufferPtr(gst_harness_pull(h.get())).reset();
    }
  };
  pass(0, 100);
  const std::size_t before = allocation_count();
  pass(100, 200);
  EXPECT_EQ(allocation_count() - before, 0U);
}

TEST_F(ZeroCopy, AsksUpstreamForAsManyBuffersAsItHolds) {
  use_fake_device({.cores = 2});
  const auto info = video_info(GST_VIDEO_FORMAT_NV12, 64, 48);
  auto h = harness(fake_line("batch-size=4"));
  set_caps(h.get(), info);
  GstCaps* caps = gst_video_info_to_caps(const_cast<GstVideoInfo*>(&info));
  GstQuery* query = gst_query_new_allocation(caps, TRUE);
  ASSERT_TRUE(gst_pad_peer_query(h.get()->srcpad, query));
  ASSERT_GT(gst_query_get_n_allocation_pools(query), 0U);
  guint min = 0;
  gst_query_parse_nth_allocation_pool(query, 0, nullptr, nullptr, &min, nullptr);
  EXPECT_GE(min, 2U * 2U * 4U) << "two batches of four for each of two cores";
  gst_query_unref(query);
  gst_caps_unref(caps);
}

/// Buffers go on as they are: whether they may have odd strides is for downstream to say.
TEST_F(ZeroCopy, PassesOnWhetherDownstreamReadsOddStrides) {
  use_fake_device({.cores = 1});
  const auto info = video_info(GST_VIDEO_FORMAT_NV12, 64, 48);
  GstCaps* caps = gst_video_info_to_caps(const_cast<GstVideoInfo*>(&info));
  for (const bool reads : {false, true}) {
    auto h = harness(fake_line());
    set_caps(h.get(), info);
    if (reads) gst_harness_add_propose_allocation_meta(h.get(), GST_VIDEO_META_API_TYPE, nullptr);
    GstQuery* query = gst_query_new_allocation(caps, TRUE);
    ASSERT_TRUE(gst_pad_peer_query(h.get()->srcpad, query));
    EXPECT_EQ(gst_query_find_allocation_meta(query, GST_VIDEO_META_API_TYPE, nullptr) != 0, reads);
    gst_query_unref(query);
  }
  gst_caps_unref(caps);
}

/// Else videocrop hands on whole frames, in which regions of interest have another origin.
TEST_F(ZeroCopy, LetsNobodyUpstreamLeaveTheCroppingToTheSink) {
  use_fake_device({.cores = 1});
  const auto info = video_info(GST_VIDEO_FORMAT_NV12, 64, 48);
  GstCaps* caps = gst_video_info_to_caps(const_cast<GstVideoInfo*>(&info));
  for (const std::string& line : {fake_line(), std::string("neuronoverlay")}) {
    auto h = harness(line);
    set_caps(h.get(), info);
    gst_harness_add_propose_allocation_meta(h.get(), GST_VIDEO_META_API_TYPE, nullptr);
    gst_harness_add_propose_allocation_meta(h.get(), GST_VIDEO_CROP_META_API_TYPE, nullptr);
    GstQuery* query = gst_query_new_allocation(caps, TRUE);
    ASSERT_TRUE(gst_pad_peer_query(h.get()->srcpad, query));
    EXPECT_TRUE(gst_query_find_allocation_meta(query, GST_VIDEO_META_API_TYPE, nullptr)) << line;
    EXPECT_FALSE(gst_query_find_allocation_meta(query, GST_VIDEO_CROP_META_API_TYPE, nullptr)) << line;
    gst_query_unref(query);
  }
  gst_caps_unref(caps);
}

}  // namespace
}  // namespace posecam::test
