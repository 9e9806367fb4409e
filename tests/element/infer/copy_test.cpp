// Nothing of a frame is copied, and nothing allocated for it, once the stream runs.

#include <algorithm>
#include <cstdint>
#include <cstring>
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

class Allocations : public ZeroCopy, public testing::WithParamInterface<std::string> {};

/// Of C++, that is: what GStreamer allocates for the metas of a frame, and for a buffer of its own where somebody else
/// holds the frame, comes from GLib's allocator. Two regions of interest are on each frame. Pools grow to what is under
/// way at once, which takes a while to come to its most: some hundred frames in a row need nothing at all.
TEST_P(Allocations, TheElementMakesNoneForAFrameOnceWarm) {
  constexpr std::size_t kHundreds = 10;
  use_fake_device({.cores = 1});
  const auto info = video_info(GST_VIDEO_FORMAT_NV12, 64, 48);
  auto h = harness(GetParam());
  set_caps(h.get(), info);
  gst_harness_query_latency(h.get());  // from now on the element looks whether it is still right
  auto in = frames(info, 100 * kHundreds);
  for (auto& frame : in) {
    for (const guint x : {0U, 32U}) gst_buffer_add_video_region_of_interest_meta(frame.get(), "person", x, 0, 32, 32);
  }
  std::size_t fewest = SIZE_MAX;
  for (std::size_t hundred = 0; hundred < kHundreds && fewest > 0; ++hundred) {
    const std::size_t before = allocation_count();
    for (std::size_t i = 0; i < 100; i += 4) {  // four under way at once
      for (std::size_t k = 0; k < 4; ++k) {
        ASSERT_EQ(gst_harness_push(h.get(), in[100 * hundred + i + k].release()), GST_FLOW_OK);
      }
      for (std::size_t k = 0; k < 4; ++k) gst::BufferPtr(gst_harness_pull(h.get())).reset();
    }
    fewest = std::min(fewest, allocation_count() - before);
  }
  EXPECT_EQ(fewest, 0U);
}

const std::string kFew = "max-in-flight=2 max-batch-delay=0 ";

std::string two_in_a_row() {
  std::string second = fake_line(kFew);
  second.replace(second.find("name=infer"), std::strlen("name=infer"), "name=second");
  return fake_line(kFew) + " ! " + second;
}

INSTANTIATE_TEST_SUITE_P(Ways, Allocations,
                         testing::Values(fake_line(kFew), fake_line(kFew + "inference-interval=2"),
                                         fake_line(kFew + "inference-region=roi-list"), two_in_a_row(),
                                         fake_line(kFew) + " ! neuronjson location=/dev/null"));

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
