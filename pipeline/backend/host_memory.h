#pragma once
// Memory that devices copy from and to.

#include <cstddef>
#include <memory>

namespace posecam {

/// Bytes that begin and end on a cache line, all 0 at first: rows that never held a frame are padding, without NaN.
/// Owned; movable. Nothing of 0 bytes has an address, too; only a default-constructed one has none.
class HostMemory {
 public:
  HostMemory() = default;
  /// Throws std::bad_alloc.
  explicit HostMemory(std::size_t bytes);
  /// The same address for as long as the memory lives, also once it was moved to another owner.
  std::byte* data() const { return memory_.get(); }

 private:
  struct Free {
    void operator()(std::byte* memory) const noexcept;
  };
  std::unique_ptr<std::byte, Free> memory_;
};

}  // namespace posecam
