#pragma once
// Lets calls about handles of a runtime in, until somebody wants to close and open that runtime.

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace posecam {

/// Thread-safe. Nobody may enter it again before he has left it.
class ResetGate {
 public:
  /// Blocks while it is closed. False once it was given up: the call must not be made.
  bool enter() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !closed_ || given_up_; });
    if (given_up_) return false;
    ++inside_;
    return true;
  }
  /// After an enter() that gave true.
  void leave() {
    const std::lock_guard lock(mutex_);
    if (--inside_ == 0 && closed_) changed_.notify_all();
  }
  /// Returns when everybody has left, and nobody enters until open(). False, and open as before: that took longer than
  /// `limit`. One thread at a time.
  bool close(std::chrono::milliseconds limit) {
    std::unique_lock lock(mutex_);
    closed_ = true;
    if (changed_.wait_for(lock, limit, [this] { return inside_ == 0; })) return true;
    closed_ = false;
    changed_.notify_all();
    return false;
  }
  void open() {
    const std::lock_guard lock(mutex_);
    closed_ = false;
    changed_.notify_all();
  }
  /// For good: who closed it does not come back.
  void give_up() {
    const std::lock_guard lock(mutex_);
    given_up_ = true;
    changed_.notify_all();
  }

  /// enter(), and leave() at its end; false if nobody may enter any more.
  class Use {
   public:
    explicit Use(ResetGate& gate) : gate_(gate.enter() ? &gate : nullptr) {}
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;
    ~Use() {
      if (gate_) gate_->leave();
    }
    explicit operator bool() const { return gate_ != nullptr; }

   private:
    ResetGate* const gate_;
  };

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint32_t inside_ = 0;
  bool closed_ = false;
  bool given_up_ = false;
};

}  // namespace posecam
