#include "pipeline/engine/batch_scheduler.h"

#include <array>
#include <atomic>
#include <future>
#include <latch>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace posecam {
namespace {

using namespace std::chrono_literals;

/// Streams that ask again as soon as they were served, for the one row of one slot: whoever was served last must not be
/// served before those who wait.
TEST(BatchScheduler, ServesStreamsInTheOrderTheyCame) {
  constexpr std::size_t kStreams = 4;
  constexpr int kEnough = 2000;
  BatchScheduler scheduler(1, 0ms, {0});
  Batch& batch = scheduler.add(nullptr, 0);
  std::array<std::atomic<int>, kStreams> served{};
  {
    std::jthread worker([&](std::stop_token stop) { scheduler.wait_for_batch(std::move(stop), batch); });
    std::latch ready(kStreams);
    std::atomic<bool> enough = false;
    std::vector<std::jthread> streams;
    for (auto& count : served) {
      streams.emplace_back([&] {
        ready.arrive_and_wait();
        while (!enough) {
          const auto place = scheduler.reserve({});
          if (++count == kEnough) enough = true;
          scheduler.settle(*place, {});  // given up: the worker frees the slot
        }
      });
    }
  }
  for (const auto& count : served) EXPECT_GT(count, kEnough / 2);
}

struct Nobody final : RowClient {
  void row_done(Ticket, std::shared_ptr<FrameResult>) override {}
};

/// The row says that it was committed an hour ago, so that the test need not wait.
TEST(BatchScheduler, RunsABatchOnceItsRowHasWaitedTheDelay) {
  BatchScheduler scheduler(8, 1h, {0});
  Batch& batch = scheduler.add(nullptr, 0);
  const auto place = scheduler.reserve({});
  ASSERT_TRUE(place);
  std::promise<BatchScheduler::Turn> turn;
  std::jthread worker([&](std::stop_token stop) { turn.set_value(scheduler.wait_for_batch(std::move(stop), batch)); });
  scheduler.settle(*place, {std::make_shared<Nobody>(), 0, {}, 0, std::chrono::steady_clock::now() - 61min});
  auto result = turn.get_future();
  ASSERT_EQ(result.wait_for(10s), std::future_status::ready);
  EXPECT_EQ(result.get(), BatchScheduler::Turn::kRun);
}

/// The worker waits while its slot is lent, and must be told when it is back.
TEST(BatchScheduler, MendsACoreThatWasLostWhileItsSlotWasLent) {
  for (int round = 0; round < 50; ++round) {
    BatchScheduler scheduler(1, 0ms, {0}, true);
    scheduler.add(nullptr, 0);
    Batch* const lent = scheduler.borrow({});
    ASSERT_NE(lent, nullptr);
    std::promise<BatchScheduler::Turn> turn;
    std::promise<void> waits;
    std::jthread worker([&](std::stop_token stop) {
      waits.set_value();
      turn.set_value(scheduler.wait_for_batch(std::move(stop), *lent));
    });
    waits.get_future().wait();
    std::this_thread::yield();
    scheduler.retire(*lent);
    scheduler.release(*lent);
    auto result = turn.get_future();
    ASSERT_EQ(result.wait_for(10s), std::future_status::ready) << "round " << round;
    EXPECT_EQ(result.get(), BatchScheduler::Turn::kMend);
  }
}

/// Runs a batch that takes `time` where the scheduler wants it. Returns the core.
CoreId run(BatchScheduler& scheduler, std::chrono::milliseconds time) {
  Batch* const batch = scheduler.borrow({});
  scheduler.begin_run(*batch);
  std::this_thread::sleep_for(time);
  scheduler.end_run(*batch, true);
  scheduler.release(*batch);
  return batch->core->id;
}

TEST(BatchScheduler, PrefersTheCoreThatWillBeDoneFirst) {
  BatchScheduler scheduler(1, 0ms, {0, 1}, false);
  for (const std::size_t core : {0U, 1U, 0U, 1U}) scheduler.add(nullptr, core);
  EXPECT_EQ(run(scheduler, 50ms), 0U);
  EXPECT_EQ(run(scheduler, 1ms), 1U);
  Batch* const refused = scheduler.borrow({});
  scheduler.begin_run(*refused);
  std::this_thread::sleep_for(200ms);
  scheduler.end_run(*refused, false);  // says nothing of the core
  scheduler.release(*refused);
  Batch* const first = scheduler.borrow({});
  EXPECT_EQ(first->core->id, 1U);
  EXPECT_EQ(scheduler.borrow({})->core->id, 1U);  // two of its batches before one of the other
  EXPECT_EQ(scheduler.borrow({})->core->id, 0U);
}

TEST(BatchScheduler, PrefersAnIdleCoreToOneThatIsStillInItsFirstRun) {
  BatchScheduler scheduler(1, 0ms, {0, 1}, false);
  for (const std::size_t core : {0U, 1U, 0U, 1U}) scheduler.add(nullptr, core);
  EXPECT_EQ(scheduler.borrow({})->core->id, 0U);
  EXPECT_EQ(run(scheduler, 1ms), 1U);
  EXPECT_EQ(scheduler.borrow({})->core->id, 1U);
}

/// Where one core would do for all frames, nothing else would ever show that the other is no longer slow.
TEST(BatchScheduler, TriesACoreAgainThatWasSlowOnce) {
  BatchScheduler scheduler(1, 0ms, {0, 1}, false);
  for (const std::size_t core : {0U, 1U}) scheduler.add(nullptr, core);
  EXPECT_EQ(run(scheduler, 50ms), 0U);
  int others = 0;
  while (run(scheduler, 0ms) != 0U && others < 1000) ++others;
  EXPECT_EQ(others, 256);
}

}  // namespace
}  // namespace posecam
