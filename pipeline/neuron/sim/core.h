#pragma once
// A core that this process owns: its file, its memory, its DMA engine.

#include <algorithm>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>

#include "pipeline/neuron/machine/core_file.h"
#include "pipeline/neuron/sim/clock.h"

namespace posecam::sim {

/// Thread-safe. Shared by whatever lies on it; the last of them gives the core back.
class Core {
 public:
  Core(std::uint32_t number, CoreFile file) : number_(number), file_(std::move(file)) {}

  /// On the instance, from 0.
  std::uint32_t number() const { return number_; }
  /// Counts may be changed by any thread; the memory's only by allocate() and release().
  CoreRecord& record() { return file_.record(); }

  /// False if the device memory does not have that much left.
  bool allocate(std::uint64_t bytes) {
    const std::lock_guard lock(mutex_);
    const std::uint64_t used = record().memory_used;
    if (bytes > record().memory_limit - used) return false;
    record().memory_used = used + bytes;
    return true;
  }
  /// Gives back what was allocated.
  void release(std::uint64_t bytes) {
    const std::lock_guard lock(mutex_);  // or allocate() would overwrite it
    record().memory_used -= bytes;
  }

  /// Books the DMA engine; returns when the transfer is over.
  Nanos book_transfer(Nanos now, Nanos duration) {
    const std::lock_guard lock(mutex_);
    return dma_free_at_ = std::max(now, dma_free_at_) + duration;
  }

 private:
  const std::uint32_t number_;
  CoreFile file_;
  std::mutex mutex_;
  Nanos dma_free_at_ = 0;
};

/// A piece of a core's memory; null for host memory.
class DeviceMemory {
 public:
  DeviceMemory() = default;
  /// Null if there is no room.
  static std::unique_ptr<DeviceMemory> take(std::shared_ptr<Core> core, std::uint64_t bytes) {
    if (!core->allocate(bytes)) return nullptr;
    auto memory = std::make_unique<DeviceMemory>();
    memory->core_ = std::move(core);
    memory->bytes_ = bytes;
    return memory;
  }
  DeviceMemory(const DeviceMemory&) = delete;
  DeviceMemory& operator=(const DeviceMemory&) = delete;
  ~DeviceMemory() {
    if (core_) core_->release(bytes_);
  }

 private:
  std::shared_ptr<Core> core_;
  std::uint64_t bytes_ = 0;
};

}  // namespace posecam::sim
