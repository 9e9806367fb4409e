#pragma once
// Memory that counts who allocates, looks at and copies it.

#include <atomic>

#include <gst/gst.h>

#include "elements/base/handles.h"

namespace posecam::test {

/// One at a time: the counts are the process's.
class CountedMemory {
 public:
  struct Use {
    std::atomic<int> allocated = 0;
    std::atomic<int> mapped = 0;
    std::atomic<int> copied = 0;  ///< or shared in part
  };

  CountedMemory();
  ~CountedMemory();
  CountedMemory(const CountedMemory&) = delete;
  CountedMemory& operator=(const CountedMemory&) = delete;

  gst::BufferPtr new_buffer(gsize bytes);
  static const Use& use();
  static void reset();

 private:
  GstAllocator* allocator_;
};

}  // namespace posecam::test
