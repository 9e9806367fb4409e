#pragma once
// Work that may hang in a library, which nobody can end but itself.

#include <chrono>
#include <functional>
#include <memory>
#include <stop_token>
#include <thread>

namespace posecam {

/// On a thread of its own from the constructor on. Used by one thread.
class Errand {
 public:
  explicit Errand(std::function<void()> work);
  /// Leaves it behind if it is not done: what it sees must stay.
  ~Errand();
  Errand(const Errand&) = delete;
  Errand& operator=(const Errand&) = delete;

  /// Until it is done; false if `limit` has passed or `stop` was requested before.
  bool wait_for(std::chrono::milliseconds limit, std::stop_token stop = {});

  /// True while any of this process was left behind and is not done: the process must end without its destructors then,
  /// with _exit(2), since such a thread uses what they destroy.
  static bool any_left_behind();

 private:
  struct State;
  std::shared_ptr<State> state_;
  std::thread thread_;
};

}  // namespace posecam
