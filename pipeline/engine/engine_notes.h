#pragma once
// What people should hear of a device while an engine runs on it.

#include <atomic>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "pipeline/backend/backend.h"

namespace posecam {

/// One thing that happened.
struct EngineNote {
  enum class Kind : std::uint8_t { kRemark, kCoreLost, kCoreBack };
  Kind kind = Kind::kRemark;
  CoreId core = 0;               ///< which it is about
  std::uint32_t cores_left = 0;  ///< in service from then on
  std::string text;              ///< a line: the core, the call, its status, what to do
};

/// The last kKept of them, numbered from 0 in the order they came. Thread-safe.
class EngineNotes {
 public:
  static constexpr std::size_t kKept = 64;

  void add(EngineNote note) {
    const std::lock_guard lock(mutex_);
    notes_.push_back(std::move(note));
    if (notes_.size() > kKept) notes_.pop_front();
    ++count_;
  }
  /// How many ever came.
  std::uint64_t count() const { return count_; }
  /// Those from a number on that are still kept; `next` becomes the number of the next to come.
  std::vector<EngineNote> from(std::uint64_t number, std::uint64_t& next) const {
    const std::lock_guard lock(mutex_);
    next = count_;
    const std::uint64_t oldest = count_ - notes_.size();
    const std::uint64_t first = number > oldest ? number - oldest : 0;
    if (first >= notes_.size()) return {};
    return {notes_.begin() + static_cast<std::ptrdiff_t>(first), notes_.end()};
  }
  std::vector<EngineNote> from(std::uint64_t number) const { return from(number, number); }

 private:
  mutable std::mutex mutex_;
  std::deque<EngineNote> notes_;
  std::atomic<std::uint64_t> count_ = 0;
};

}  // namespace posecam
