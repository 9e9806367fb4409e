#include "pipeline/engine/batch_scheduler.h"

#include <array>
#include <atomic>
#include <future>
#include <latch>
#include <memory>
#include <numeric>
#include <optional>
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
  std::promise<bool> turn;
  std::jthread worker([&](std::stop_token stop) { turn.set_value(scheduler.wait_for_batch(std::move(stop), batch)); });
  scheduler.settle(*place, {std::make_shared<Nobody>(), 0, {}, 0, std::chrono::steady_clock::now() - 61min});
  auto result = turn.get_future();
  ASSERT_EQ(result.wait_for(10s), std::future_status::ready);
  EXPECT_TRUE(result.get());
}

/// Cores with as many slots each, and one more that is lost, whose batch is always in need of another slot.
struct Cores {
  Cores(std::uint32_t count, std::uint32_t slots) : scheduler(1, 0ms, numbers(count + 1)) {
    for (std::uint32_t s = 0; s < slots; ++s) {
      for (std::uint32_t core = 0; core < count; ++core) scheduler.add(nullptr, core);
    }
    lost = &scheduler.add(nullptr, count);
    scheduler.retire(*lost);
  }
  static std::vector<CoreId> numbers(std::uint32_t count) {
    std::vector<CoreId> cores(count);
    std::iota(cores.begin(), cores.end(), 0);
    return cores;
  }
  Batch& take() { return **scheduler.borrow({}, *lost); }
  /// Runs a batch that takes `time` where the scheduler wants it. Returns the core.
  CoreId run(std::chrono::milliseconds time, bool good = true) {
    Batch& batch = take();
    scheduler.begin_run(batch);
    std::this_thread::sleep_for(time);
    scheduler.end_run(batch, good);
    scheduler.release(batch);
    return batch.core->id;
  }
  BatchScheduler scheduler;
  Batch* lost = nullptr;
};

TEST(BatchScheduler, PrefersTheCoreThatWillBeDoneFirst) {
  Cores cores(2, 2);
  EXPECT_EQ(cores.run(50ms), 0U);
  EXPECT_EQ(cores.run(1ms), 1U);
  cores.run(200ms, false);  // says nothing of the core
  EXPECT_EQ(cores.take().core->id, 1U);
  EXPECT_EQ(cores.take().core->id, 1U);  // two of its batches before one of the other
  EXPECT_EQ(cores.take().core->id, 0U);
}

TEST(BatchScheduler, PrefersAnIdleCoreToOneThatIsStillInItsFirstRun) {
  Cores cores(2, 2);
  EXPECT_EQ(cores.take().core->id, 0U);
  EXPECT_EQ(cores.run(1ms), 1U);
  EXPECT_EQ(cores.take().core->id, 1U);
}

/// Where one core would do for all frames, nothing else would ever show that the other is no longer slow.
TEST(BatchScheduler, TriesACoreAgainThatWasSlowOnce) {
  Cores cores(2, 1);
  EXPECT_EQ(cores.run(50ms), 0U);
  int others = 0;
  while (cores.run(0ms) != 0U && others < 1000) ++others;
  EXPECT_EQ(others, 256);
}

TEST(BatchScheduler, LeavesACoreThatIsBusyForLongToItself) {
  Cores cores(3, 2);
  Batch& busy = cores.take();
  ASSERT_TRUE(cores.scheduler.begin_run(busy));
  cores.scheduler.end_run(busy, false);
  cores.scheduler.rest(busy);
  EXPECT_FALSE(cores.scheduler.begin_run(busy)) << "others do not rest";
  std::vector<CoreId> taken;
  Batch* next = nullptr;
  for (int i = 0; i < 4; ++i) {
    next = *cores.scheduler.borrow({}, busy);
    taken.push_back(next->core->id);
  }
  EXPECT_THAT(taken, testing::UnorderedElementsAre(1, 1, 2, 2));
}

TEST(BatchScheduler, StaysWithACoreThatIsBusyWhereNoOtherIsThereOrAllAre) {
  Cores cores(2, 1);
  Batch& first = cores.take();
  cores.scheduler.rest(first);
  Batch& second = cores.take();
  EXPECT_NE(&second, &first);
  cores.scheduler.rest(second);
  EXPECT_EQ(*cores.scheduler.borrow({}, first), &first);
  EXPECT_EQ(*cores.scheduler.borrow({}, second), &second);
  EXPECT_TRUE(cores.scheduler.begin_run(first));
}

/// The batch of a core that rests waits for another; when that is lost, it must go on with its own.
TEST(BatchScheduler, GoesOnWithACoreThatRestsWhenTheOtherIsLost) {
  BatchScheduler scheduler(1, 0ms, {0, 1});
  Batch& resting = scheduler.add(nullptr, 0);
  Batch& other = scheduler.add(nullptr, 1);
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(scheduler.reserve({}));  // no slot is free
  scheduler.rest(resting);
  std::promise<Batch*> borrowed;
  auto answer = borrowed.get_future();
  std::jthread worker([&](std::stop_token stop) {
    const auto batch = scheduler.borrow(std::move(stop), resting);
    borrowed.set_value(batch ? *batch : nullptr);
  });
  EXPECT_EQ(answer.wait_for(1ms), std::future_status::timeout) << "the other is awake";
  scheduler.retire(other);
  ASSERT_EQ(answer.wait_for(10s), std::future_status::ready);
  EXPECT_EQ(answer.get(), &resting);
}

/// Who waits for a slot may wait for the very batch that these rows fill.
TEST(BatchScheduler, FillsAnOpenBatchWhileAnotherWaitsForItsSlot) {
  BatchScheduler scheduler(2, 1h, {0, 1});
  Batch& open = scheduler.add(nullptr, 0);
  Batch& lost = scheduler.add(nullptr, 1);
  const auto first = scheduler.reserve({});
  ASSERT_TRUE(first);
  ASSERT_EQ(first->batch, open.index);
  scheduler.retire(lost);
  std::jthread borrower([&](std::stop_token stop) {
    const auto borrowed = scheduler.borrow(std::move(stop), lost);
    EXPECT_FALSE(borrowed);  // stopped in the end
  });
  std::promise<bool> reserved;
  auto answer = reserved.get_future();
  std::jthread stream([&](std::stop_token stop) { reserved.set_value(bool(scheduler.reserve(std::move(stop)))); });
  ASSERT_EQ(answer.wait_for(10s), std::future_status::ready);
  EXPECT_TRUE(answer.get());
}

TEST(BatchScheduler, UsesACoreAgainThatHasRestedWhileTheOtherIsStillAtWork) {
  BatchScheduler scheduler(1, 0ms, {0, 1});
  Batch& rested = scheduler.add(nullptr, 0);
  scheduler.add(nullptr, 1);
  scheduler.rest(rested);
  const auto at_work = scheduler.reserve({});
  ASSERT_TRUE(at_work);
  EXPECT_NE(at_work->batch, rested.index);
  const auto next = scheduler.reserve({});  // nobody tells that the rest is over
  ASSERT_TRUE(next);
  EXPECT_EQ(next->batch, rested.index);
}

TEST(BatchScheduler, LetsACoreRestAgainThatWasBusySoonAfterAGoodRun) {
  Cores cores(2, 2);
  Batch& batch = cores.take();
  cores.scheduler.rest(batch);
  ++batch.core->running;
  cores.scheduler.end_run(batch, true);  // of its other slot, begun before
  cores.scheduler.rest(batch);
  EXPECT_FALSE(cores.scheduler.begin_run(batch));
}

TEST(BatchScheduler, LetsACoreRestNoLongerBecauseAllWereBusy) {
  Cores cores(2, 1);
  Batch& first = cores.take();
  Batch& second = cores.take();
  for (int i = 0; i < 8; ++i) {
    cores.scheduler.rest(first);
    cores.scheduler.rest(second);
  }
  EXPECT_LE(first.core->rest, 250ms);
  EXPECT_LE(second.core->rest, 250ms);
}

TEST(BatchScheduler, LooksAtAllLostCoresOnceOneIsBack) {
  BatchScheduler scheduler(1, 0ms, {0, 1}, 1h);
  Batch& first = scheduler.add(nullptr, 0);
  Batch& second = scheduler.add(nullptr, 1);
  scheduler.retire(first);
  scheduler.retire(second);
  ASSERT_TRUE(scheduler.wait_for_lost_core({}));
  scheduler.restored(0, true);
  EXPECT_EQ(scheduler.wait_for_lost_core({}), 1U) << "at once, not in an hour";
}

/// Two attempts for the last one follow each other, but not at once.
TEST(BatchScheduler, RestoresTheLastCoreAtOnceAndOthersWhenTheyAreDue) {
  BatchScheduler scheduler(1, 0ms, {4, 5}, 1h);
  Batch& first = scheduler.add(nullptr, 0);
  Batch& second = scheduler.add(nullptr, 1);
  scheduler.retire(first);
  std::promise<std::optional<CoreId>> due;
  auto answer = due.get_future();
  std::jthread restorer([&](std::stop_token stop) { due.set_value(scheduler.wait_for_lost_core(std::move(stop))); });
  EXPECT_EQ(answer.wait_for(20ms), std::future_status::timeout) << "due in an hour";
  scheduler.retire(second);
  ASSERT_EQ(answer.wait_for(10s), std::future_status::ready);
  EXPECT_EQ(answer.get(), 4U);
  scheduler.restored(4, false);
  EXPECT_EQ(scheduler.wait_for_lost_core({}), 5U);
  scheduler.restored(5, true);
  EXPECT_EQ(scheduler.living_cores(), 1U);
  EXPECT_EQ(scheduler.losses(), 2U);
}

}  // namespace
}  // namespace posecam
