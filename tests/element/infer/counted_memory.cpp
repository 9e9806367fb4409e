#include "tests/element/infer/counted_memory.h"

namespace posecam::test {
namespace {

CountedMemory::Use g_use;

struct CountingAllocator {
  GstAllocator parent;
};
struct CountingAllocatorClass {
  GstAllocatorClass parent;
};
struct Memory {
  GstMemory parent;
  guint8* data;
};

G_DEFINE_TYPE(CountingAllocator, counting_allocator, GST_TYPE_ALLOCATOR)

GstMemory* alloc(GstAllocator* allocator, gsize size, GstAllocationParams*) {
  ++g_use.allocated;
  auto* memory = g_new0(Memory, 1);
  memory->data = static_cast<guint8*>(g_malloc0(size));
  gst_memory_init(&memory->parent, static_cast<GstMemoryFlags>(0), allocator, nullptr, size, 0, 0, size);
  return &memory->parent;
}

void free_memory(GstAllocator*, GstMemory* memory) {
  g_free(reinterpret_cast<Memory*>(memory)->data);
  g_free(memory);
}

void counting_allocator_class_init(CountingAllocatorClass* klass) {
  klass->parent.alloc = alloc;
  klass->parent.free = free_memory;
}

void counting_allocator_init(CountingAllocator* self) {
  self->parent.mem_type = "counting";
  self->parent.mem_map = [](GstMemory* memory, gsize, GstMapFlags) -> gpointer {
    ++g_use.mapped;
    return reinterpret_cast<Memory*>(memory)->data;
  };
  self->parent.mem_unmap = [](GstMemory*) {};
  self->parent.mem_copy = [](GstMemory* memory, gssize, gssize) -> GstMemory* {
    ++g_use.copied;
    return gst_allocator_alloc(nullptr, memory->maxsize, nullptr);
  };
  self->parent.mem_share = [](GstMemory*, gssize, gssize) -> GstMemory* {
    ++g_use.copied;
    return nullptr;
  };
  GST_OBJECT_FLAG_SET(self, GST_ALLOCATOR_FLAG_CUSTOM_ALLOC);
}

}  // namespace

CountedMemory::CountedMemory()
    : allocator_(static_cast<GstAllocator*>(g_object_new(counting_allocator_get_type(), nullptr))) {
  gst_object_ref_sink(allocator_);
}

CountedMemory::~CountedMemory() { gst_object_unref(allocator_); }

gst::BufferPtr CountedMemory::new_buffer(gsize bytes) {
  return gst::BufferPtr(gst_buffer_new_allocate(allocator_, bytes, nullptr));
}

const CountedMemory::Use& CountedMemory::use() { return g_use; }

void CountedMemory::reset() { g_use.allocated = g_use.mapped = g_use.copied = 0; }

}  // namespace posecam::test
