#include "app/cli/interrupt.h"

#include <csignal>
#include <cstdlib>

#include <gtest/gtest.h>

namespace posecam {
namespace {

TEST(InterruptDeathTest, IsSeenOnceAndEndsTheProgramTheSecondTime) {
  EXPECT_EXIT(
      {
        const std::atomic<bool>& interrupted = watch_interrupts();
        if (interrupted) std::_Exit(1);
        std::raise(SIGINT);
        if (!interrupted) std::_Exit(2);
        std::raise(SIGINT);
      },
      ::testing::KilledBySignal(SIGINT), "");
}

}  // namespace
}  // namespace posecam
