#include "app/cli/interrupt.h"

#include <cstdlib>
#include <semaphore>

#include <gtest/gtest.h>

namespace posecam {
namespace {

/// Interrupts the process, sees the stop, and interrupts it again.
void interrupt_twice(int first, int second, void (*again)(int)) {
  const std::stop_token stop = watch_interrupts(again);
  if (stop.stop_requested()) std::_Exit(1);
  std::binary_semaphore seen(0);
  const std::stop_callback see(stop, [&] { seen.release(); });
  std::raise(first);
  seen.acquire();
  if (!watch_interrupts().stop_requested()) std::_Exit(2);
  std::raise(second);
}

TEST(InterruptDeathTest, IsSeenOnceAndEndsTheProgramTheSecondTime) {
  EXPECT_EXIT(interrupt_twice(SIGINT, SIGINT, SIG_DFL), ::testing::KilledBySignal(SIGINT), "");
  EXPECT_EXIT(interrupt_twice(SIGTERM, SIGINT, SIG_DFL), ::testing::KilledBySignal(SIGINT), "");
}

TEST(InterruptDeathTest, EndsTheProgramTheSecondTimeAsItIsTold) {
  EXPECT_EXIT(interrupt_twice(SIGINT, SIGTERM, [](int) { std::_Exit(130); }), ::testing::ExitedWithCode(130), "");
}

}  // namespace
}  // namespace posecam
