#pragma once
// A mutex that counts those that each thread holds, so that tests can see that nothing is called out with a lock of
// ours held.

#include <mutex>

namespace posecam {

/// As std::mutex; counts those that each thread holds.
class OwnMutex {
 public:
  void lock() {
    mutex_.lock();
    ++held_;
  }
  void unlock() {
    --held_;
    mutex_.unlock();
  }
  /// How many of them the calling thread holds. 0 whenever foreign code is called: it may call back.
  static int held() { return held_; }

 private:
  std::mutex mutex_;
  // Not in memory that is made when a thread first asks for it, as that of plugins is: asking would cost a call at each
  // lock, and LeakSanitizer loses its way in it.
  [[gnu::tls_model("initial-exec")]] static inline thread_local int held_ = 0;
};

}  // namespace posecam
