#pragma once
// The memory behind tensors. It is real only once somebody wrote to it: results that are shown again and again stay
// where they are, and nothing is copied for them.

#include <cstddef>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "pipeline/neuron/sim/core.h"

namespace posecam::sim {

using RowBytes = std::vector<std::byte>;            ///< one row of one tensor
using SharedRow = std::shared_ptr<const RowBytes>;  ///< the same, however many tensors show it

/// Thread-safe: two executions that share a tensor give one result or the other for each of its rows. Offsets and
/// sizes are the caller's to check.
class Storage {
 public:
  /// Zeros. `memory` is where it lies on a device, null for the host.
  Storage(std::size_t size, std::unique_ptr<DeviceMemory> memory) : size_(size), memory_(std::move(memory)) {}
  /// Somebody else's memory, at least as long-lived.
  explicit Storage(std::span<std::byte> attached) : size_(attached.size()), attached_(attached.data()) {}

  std::size_t size() const { return size_; }  ///< bytes
  /// Zeros where nobody has written; attached memory as it is.
  void read(std::size_t offset, std::span<std::byte> out);
  /// Copies `data` to `offset`.
  void write(std::size_t offset, std::span<const std::byte> data);
  /// Sets `size` bytes from `offset` on.
  void fill(std::size_t offset, std::byte value, std::size_t size);
  /// From `offset` on the storage reads as these rows, which all have the same size.
  void show(std::size_t offset, const std::vector<SharedRow>& rows);
  /// Stays the same for the storage's life.
  std::byte* address();

 private:
  std::byte* real();  ///< with the lock held

  const std::size_t size_;
  std::byte* attached_ = nullptr;
  std::unique_ptr<DeviceMemory> memory_;
  std::mutex mutex_;
  std::vector<std::byte> bytes_;
  std::vector<SharedRow> shown_;  ///< covers everything where it is not empty
};

}  // namespace posecam::sim
