#include "app/cli/interrupt.h"

#include <atomic>
#include <cerrno>
#include <functional>
#include <sys/eventfd.h>
#include <thread>

namespace posecam {
namespace {

std::atomic<void (*)(int)> g_again = SIG_DFL;
std::atomic<int> g_wake = -1;
static_assert(std::atomic<int>::is_always_lock_free);  // or a signal handler could not read it

/// A stop cannot be requested in a signal handler, since that takes locks; a thread waits to be told.
void interrupt(int) {
  const int error = errno;
  std::signal(SIGINT, g_again);
  std::signal(SIGTERM, g_again);
  eventfd_write(g_wake, 1);
  errno = error;
}

void wait_for_interrupt(std::stop_source& source) {
  eventfd_t count = 0;
  while (eventfd_read(g_wake, &count) != 0 && errno == EINTR) {
  }
  source.request_stop();
}

}  // namespace

std::stop_token watch_interrupts(void (*again)(int)) {
  static auto& source = *new std::stop_source;  // outlives the thread, which lives as long as the process
  if (g_wake >= 0) return source.get_token();
  g_again = again;
  g_wake = eventfd(0, EFD_CLOEXEC);
  std::thread(wait_for_interrupt, std::ref(source)).detach();
  std::signal(SIGINT, interrupt);
  std::signal(SIGTERM, interrupt);
  return source.get_token();
}

}  // namespace posecam
