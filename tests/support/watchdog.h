#pragma once
// Ends a test program that hangs and says in which step: a hang inside GStreamer cannot be waited out with a time
// limit.

#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <unistd.h>

namespace posecam::test {

/// One at a time. The program aborts when `seconds` pass without a step().
class Watchdog {
 public:
  explicit Watchdog(unsigned seconds) : seconds_(seconds) {
    std::signal(SIGALRM, [](int) {
      // Only async-signal-safe calls here.
      if (::write(STDERR_FILENO, g_step.data(), std::strlen(g_step.data())) < 0) ::_exit(1);
      std::abort();
    });
    step("start");
  }
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;
  ~Watchdog() {
    ::alarm(0);
    std::signal(SIGALRM, SIG_DFL);
  }

  void step(const std::string& name) {
    ::alarm(0);
    std::snprintf(g_step.data(), g_step.size(), "hung for %u s: %s\n", seconds_, name.c_str());
    ::alarm(seconds_);
  }

 private:
  static inline std::array<char, 256> g_step{};
  unsigned seconds_;
};

}  // namespace posecam::test
