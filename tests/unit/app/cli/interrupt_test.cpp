#include "app/cli/interrupt.h"

#include <csignal>
#include <cstdlib>
#include <semaphore>

#include <gtest/gtest.h>

namespace posecam {
namespace {

/// Interrupts the process, sees the stop, and interrupts it again.
void interrupt_twice(int first, int second) {
  const std::stop_token stop = watch_interrupts();
  if (stop.stop_requested()) std::_Exit(1);
  std::binary_semaphore seen(0);
  const std::stop_callback see(stop, [&] { seen.release(); });
  std::raise(first);
  seen.acquire();
  if (!watch_interrupts().stop_requested()) std::_Exit(2);
  std::raise(second);
}

TEST(InterruptDeathTest, IsSeenOnceAndEndsTheProgramTheSecondTime) {
  EXPECT_EXIT(interrupt_twice(SIGINT, SIGINT), ::testing::ExitedWithCode(130), "");
  EXPECT_EXIT(interrupt_twice(SIGTERM, SIGINT), ::testing::ExitedWithCode(130), "");
  EXPECT_EXIT(interrupt_twice(SIGINT, SIGTERM), ::testing::ExitedWithCode(130), "");
}

void interrupt_first_thing() {
  std::signal(SIGTERM, SIG_IGN);
  leave_when_interrupted();
  std::raise(SIGTERM);
}

TEST(InterruptDeathTest, EndsTheProgramAtOnceBeforeAnybodyWatches) {
  EXPECT_EXIT(interrupt_first_thing(), ::testing::ExitedWithCode(130), "");
}

}  // namespace
}  // namespace posecam
