// Nothing of a frame is copied, and nothing allocated for it, once the stream runs.

#include <atomic>
#include <memory>

#include <gtest/gtest.h>

#include "tests/element/harness.h"
#include "tests/support/alloc_counter.h"

namespace posecam::test {
namespace {

/// Memory of GStreamer's own kind that counts how it is used.
struct Use {
  std::atomic<int> allocated = 0;
  std::atomic<int> mapped = 0;
  std::atomic<int> copied = 0;
};
Use g_use;

struct CountingAllocator {
  GstAllocator parent;
};
struct CountingAllocatorClass {
  GstAllocatorClass parent;
};
struct CountedMemory {
  GstMemory parent;
  guint8* data;
};

G_DEFINE_TYPE(CountingAllocator, counting_allocator, GST_TYPE_ALLOCATOR)

GstMemory* alloc_counted(GstAllocator* allocator, gsize size, GstAllocationParams*) {
  ++g_use.allocated;
  auto* memory = g_new0(CountedMemory, 1);
  memory->data = static_cast<guint8*>(g_malloc0(size));
  gst_memory_init(&memory->parent, static_cast<GstMemoryFlags>(0), allocator, nullptr, size, 0, 0, size);
  return &memory->parent;
}

void free_counted(GstAllocator*, GstMemory* memory) {
  g_free(reinterpret_cast<CountedMemory*>(memory)->data);
  g_free(memory);
}

void counting_allocator_class_init(CountingAllocatorClass* klass) {
  klass->parent.alloc = alloc_counted;
  klass->parent.free = free_counted;
}

void counting_allocator_init(CountingAllocator* self) {
  self->parent.mem_type = "Counted";
  self->parent.mem_map = [](GstMemory* memory, gsize, GstMapFlags) -> gpointer {
    ++g_use.mapped;
    return reinterpret_cast<CountedMemory*>(memory)->data;
  };
  self->parent.mem_unmap = [](GstMemory*) {};
  self->parent.mem_copy = [](GstMemory* memory, gssize, gssize) -> GstMemory* {
    ++g_use.copied;
    return gst_allocator_alloc(nullptr, memory->maxsize, nullptr);
  };
  GST_OBJECT_FLAG_SET(self, GST_ALLOCATOR_FLAG_CUSTOM_ALLOC);
}

class ZeroCopy : public testing::Test {
 protected:
  ZeroCopy() : allocator_(static_cast<GstAllocator*>(g_object_new(counting_allocator_get_type(), nullptr))) {}
  ~ZeroCopy() override { gst_object_unref(allocator_); }

  /// Buffers in counted memory, made beforehand.
  std::vector<gst::BufferPtr> frames(const GstVideoInfo& info, int count) {
    std::vector<gst::BufferPtr> all;
    for (int i = 0; i < count; ++i) {
      gst::BufferPtr buffer(gst_buffer_new_allocate(allocator_, GST_VIDEO_INFO_SIZE(&info), nullptr));
      GST_BUFFER_PTS(buffer.get()) = static_cast<GstClockTime>(i);
      all.push_back(std::move(buffer));
    }
    return all;
  }

  GstAllocator* allocator_;
};

TEST_F(ZeroCopy, AFrameIsMappedOnceAndNeverCopied) {
  constexpr int kFrames = 100;
  use_fake_device({.cores = 2});
  const auto info = video_info(GST_VIDEO_FORMAT_NV12, 64, 48);
  auto h = harness(fake_line("batch-size=4 max-batch-delay=1") + " ! neuronjson location=/dev/null");
  set_caps(h.get(), info);
  auto in = frames(info, kFrames);
  g_use.allocated = g_use.mapped = g_use.copied = 0;
  for (auto& frame : in) ASSERT_EQ(gst_harness_push(h.get(), frame.release()), GST_FLOW_OK);
  for (int i = 0; i < kFrames; ++i) gst::BufferPtr(gst_harness_pull(h.get())).reset();
  EXPECT_EQ(g_use.allocated, 0);
  EXPECT_EQ(g_use.copied, 0);
  EXPECT_EQ(g_use.mapped, kFrames);
}

TEST_F(ZeroCopy, AFrameThatATeeSharesIsNotCopiedEither) {
  use_fake_device({.cores = 2});
  const auto info = video_info(GST_VIDEO_FORMAT_NV12, 64, 48);
  auto h = harness(fake_line());
  set_caps(h.get(), info);
  auto in = frames(info, 20);
  g_use.mapped = g_use.copied = 0;
  for (auto& frame : in) {
    ASSERT_EQ(gst_harness_push(h.get(), gst_buffer_ref(frame.get())), GST_FLOW_OK);  // somebody else holds it too
    const gst::BufferPtr out(gst_harness_pull(h.get()));
    EXPECT_NE(out.get(), frame.get());
    EXPECT_EQ(gst_buffer_peek_memory(out.get(), 0), gst_buffer_peek_memory(frame.get(), 0));
  }
  EXPECT_EQ(g_use.copied, 0);
  EXPECT_EQ(g_use.mapped, 20);
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

}  // namespace
}  // namespace posecam::test
