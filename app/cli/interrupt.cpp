#include "app/cli/interrupt.h"

#include <atomic>
#include <cerrno>
#include <csignal>
#include <functional>
#include <sys/eventfd.h>
#include <thread>
#include <unistd.h>

#include "app/cli/exit_code.h"

namespace posecam {
namespace {

std::atomic<int> g_wake = -1;
static_assert(std::atomic<int>::is_always_lock_free);  // or a signal handler could not read it

void leave(int) { _exit(exit_code(Errc::kCancelled)); }

/// A stop cannot be requested in a signal handler, since that takes locks; a thread waits to be told.
void interrupt(int) {
  const int error = errno;
  leave_when_interrupted();
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

void leave_when_interrupted() {
  std::signal(SIGINT, leave);
  std::signal(SIGTERM, leave);
}

std::stop_token watch_interrupts() {
  static auto& source = *new std::stop_source;  // outlives the thread, which lives as long as the process
  if (g_wake >= 0) return source.get_token();
  g_wake = eventfd(0, EFD_CLOEXEC);
  std::thread(wait_for_interrupt, std::ref(source)).detach();
  std::signal(SIGINT, interrupt);
  std::signal(SIGTERM, interrupt);
  return source.get_token();
}

}  // namespace posecam
