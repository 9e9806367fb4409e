#pragma once
// Handles as the C interface gives them out: numbers that are never used twice, so that one that was freed, or comes
// from elsewhere, is recognised and not followed.

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <utility>

namespace posecam::sim {

inline constexpr std::uintptr_t kHandleStep = 16;  ///< from one to the next

/// A new handle. No address of a process looks like it: who follows it gets a fault, not data.
inline void* next_handle() {
  constexpr std::uintptr_t kBase = 0x5A00000000000000U;
  static std::atomic<std::uintptr_t> last{0};
  return reinterpret_cast<void*>(kBase + kHandleStep * ++last);  // NOLINT(performance-no-int-to-ptr): nobody follows it
}

/// The living objects of one kind. Thread-safe; who has found an object keeps it until he is done.
template <class T>
class Handles {
 public:
  /// Gives the object a new handle.
  void* add(std::shared_ptr<T> object) {
    void* handle = next_handle();
    add_as(handle, std::move(object));
    return handle;
  }
  /// For what the caller must be able to follow.
  void add_as(const void* handle, std::shared_ptr<T> object) {
    const std::lock_guard lock(mutex_);
    objects_.emplace(handle, std::move(object));
  }
  /// Null for handles that are not alive.
  std::shared_ptr<T> find(const void* handle) const {
    const std::lock_guard lock(mutex_);
    const auto found = objects_.find(handle);
    return found == objects_.end() ? nullptr : found->second;
  }
  /// Another object behind the same handle; false if the handle is not alive.
  bool replace(const void* handle, std::shared_ptr<T> object) {
    const std::lock_guard lock(mutex_);
    const auto found = objects_.find(handle);
    if (found == objects_.end()) return false;
    std::swap(found->second, object);
    return true;
  }
  /// Ends the handle; null if it was not alive.
  std::shared_ptr<T> take(const void* handle) {
    const std::lock_guard lock(mutex_);
    const auto node = objects_.extract(handle);
    return node ? std::move(node.mapped()) : nullptr;
  }
  /// Handles that are alive.
  std::size_t size() const {
    const std::lock_guard lock(mutex_);
    return objects_.size();
  }

 private:
  mutable std::mutex mutex_;
  std::unordered_map<const void*, std::shared_ptr<T>> objects_;
};

}  // namespace posecam::sim
