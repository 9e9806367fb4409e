#include "pipeline/backend/host_memory.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>

namespace posecam {
namespace {

constexpr std::size_t kCacheLine = 64;

}  // namespace

HostMemory::HostMemory(std::size_t bytes) {
  const std::size_t whole = std::max((bytes + kCacheLine - 1) / kCacheLine * kCacheLine, kCacheLine);
  memory_.reset(static_cast<std::byte*>(std::aligned_alloc(kCacheLine, whole)));
  if (!memory_) throw std::bad_alloc();
  std::memset(memory_.get(), 0, whole);
}

void HostMemory::Free::operator()(std::byte* memory) const noexcept {
  std::free(memory);  // the counterpart of std::aligned_alloc. NOLINT(cppcoreguidelines-no-malloc)
}

}  // namespace posecam
