#include "pipeline/engine.h"

#include <array>
#include <atomic>
#include <condition_variable>
#include <future>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pipeline/batch_scheduler.h"
#include "tests/support/fake_backend.h"

namespace posecam {
namespace {

using test::fake_model;
using test::fake_value;
using test::FakeBackend;
using test::FakeOptions;
using namespace std::chrono_literals;

/// Keeps what it is given, by ticket.
class Collector final : public RowClient {
 public:
  void row_done(Ticket ticket, std::shared_ptr<const FrameResult> result) override {
    {
      std::lock_guard lock(mutex_);
      EXPECT_TRUE(results_.emplace(ticket, std::move(result)).second) << "ticket " << ticket << " came twice";
    }
    changed_.notify_all();
  }

  std::map<Ticket, std::shared_ptr<const FrameResult>> wait_for(std::size_t count) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, 20s, [&] { return results_.size() >= count; })) << results_.size();
    return results_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<Ticket, std::shared_ptr<const FrameResult>> results_;
};

std::shared_ptr<Engine> make_engine(int batch, FakeOptions fake, EngineOptions options = {}) {
  auto engine = Engine::create(std::make_unique<FakeBackend>(std::move(fake)),
                               std::make_shared<const ModelSpec>(fake_model(batch)), options);
  EXPECT_TRUE(engine) << engine.error().message;
  return *engine;
}

Result<void> submit(Engine& engine, const std::shared_ptr<RowClient>& client, Ticket ticket, int value) {
  auto row = engine.reserve({});
  if (!row) return row.error();
  row->input().as<float>()[0] = static_cast<float>(value);
  row->commit(client, ticket, {{8, 8}, {8, 8}, {0, 0}, {8, 8}}, 0);
  return {};
}

/// A gate that runs wait at until it is opened.
class Gate {
 public:
  Result<void> pass() {
    std::unique_lock lock(mutex_);
    ++waiting_;
    changed_.notify_all();
    changed_.wait(lock, [&] { return open_; });
    return {};
  }
  void open() {
    std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  void wait_until_waiting(int count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return waiting_ >= count; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
  int waiting_ = 0;
};

TEST(Engine, GivesEveryFrameItsOwnResult) {
  auto engine = make_engine(4, {.cores = 3, .on_run = {}});
  auto client = std::make_shared<Collector>();
  for (int i = 0; i < 500; ++i) ASSERT_TRUE(submit(*engine, client, static_cast<Ticket>(i), i + 1));
  engine->drain();
  const auto results = client->wait_for(500);
  for (const auto& [ticket, result] : results) {
    EXPECT_EQ(fake_value(*result), static_cast<int>(ticket) + 1);
    EXPECT_EQ(result->status, FrameStatus::kAnalysed);
  }
}

TEST(Engine, RunsAFullBatchWithoutWaitingForTheDelay) {
  std::atomic<std::uint32_t> frames = 0;
  auto engine = make_engine(3,
                            {.cores = 1,
                             .on_run = [&](CoreId, std::uint64_t, std::uint32_t n) -> Result<void> {
                               frames = n;
                               return {};
                             }},
                            {.max_batch_delay = 1h});
  auto client = std::make_shared<Collector>();
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(submit(*engine, client, static_cast<Ticket>(i), i + 1));
  client->wait_for(3);
  EXPECT_EQ(frames, 3U);
}

TEST(Engine, DrainRunsAPartialBatchAtOnce) {
  auto engine = make_engine(8, {.cores = 1, .on_run = {}}, {.max_batch_delay = 1h});
  auto client = std::make_shared<Collector>();
  ASSERT_TRUE(submit(*engine, client, 1, 5));
  engine->drain();
  EXPECT_EQ(fake_value(*client->wait_for(1).at(1)), 5);
}

TEST(Engine, RunsAnOverdueBatchOnAnIdleCore) {
  auto engine = make_engine(8, {.cores = 1, .on_run = {}}, {.max_batch_delay = 1ms});
  auto client = std::make_shared<Collector>();
  ASSERT_TRUE(submit(*engine, client, 1, 5));
  client->wait_for(1);
}

TEST(Engine, CollectsRowsWhileItsCoreIsBusy) {
  Gate gate;
  std::vector<std::uint32_t> sizes;
  auto engine = make_engine(4,
                            {.cores = 1,
                             .on_run = [&](CoreId, std::uint64_t run, std::uint32_t n) -> Result<void> {
                               sizes.push_back(n);
                               return run == 0 ? gate.pass() : Result<void>{};
                             }},
                            {.max_batch_delay = 0ms});
  auto client = std::make_shared<Collector>();
  ASSERT_TRUE(submit(*engine, client, 0, 1));
  gate.wait_until_waiting(1);
  for (Ticket t = 1; t <= 3; ++t) ASSERT_TRUE(submit(*engine, client, t, 1));  // overdue at once, but the core is busy
  gate.open();
  client->wait_for(4);
  EXPECT_THAT(sizes, testing::ElementsAre(1, 3));
}

TEST(Engine, SpreadsBatchesOverAllCores) {
  Gate gate;
  std::mutex mutex;
  std::set<CoreId> used;
  auto engine = make_engine(1, {.cores = 4, .on_run = [&](CoreId core, std::uint64_t, std::uint32_t) -> Result<void> {
                                  {
                                    std::lock_guard lock(mutex);
                                    used.insert(core);
                                  }
                                  return gate.pass();
                                }});
  auto client = std::make_shared<Collector>();
  for (Ticket t = 0; t < 4; ++t) ASSERT_TRUE(submit(*engine, client, t, 1));
  gate.wait_until_waiting(4);
  gate.open();
  client->wait_for(4);
  EXPECT_EQ(used.size(), 4U);
}

TEST(Engine, ForgetsARowThatWasGivenUp) {
  auto engine = make_engine(2, {.cores = 1, .on_run = {}});
  auto client = std::make_shared<Collector>();
  for (int i = 0; i < 20; ++i) {
    {
      auto void_row = engine->reserve({});
      ASSERT_TRUE(void_row);
    }
    ASSERT_TRUE(submit(*engine, client, static_cast<Ticket>(i), i + 1));
  }
  for (const auto& [ticket, result] : client->wait_for(20))
    EXPECT_EQ(fake_value(*result), static_cast<int>(ticket) + 1);
}

TEST(Engine, FreesASlotWhoseRowsWereAllGivenUp) {
  auto engine = make_engine(1, {.cores = 1, .on_run = {}}, {.slots_per_core = 1});
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(engine->reserve({}));  // each waits for the slot of the one before
  EXPECT_EQ(engine->stats().batches, 0U);
}

TEST(Engine, StopEndsAWaitForASlot) {
  Gate gate;
  auto engine =
      make_engine(1, {.cores = 1, .on_run = [&](CoreId, std::uint64_t, std::uint32_t) { return gate.pass(); }},
                  {.slots_per_core = 1});
  auto client = std::make_shared<Collector>();
  ASSERT_TRUE(submit(*engine, client, 0, 1));
  std::stop_source stop;
  std::jthread waiter([&] { EXPECT_EQ(engine->reserve(stop.get_token()).error().code, Errc::kCancelled); });
  stop.request_stop();
  waiter.join();
  gate.open();
  client->wait_for(1);
}

TEST(Engine, ReRunsTheBatchOfALostCoreOnAnother) {
  std::atomic<int> lost_runs = 0;
  auto engine = make_engine(2, {.cores = 2, .on_run = [&](CoreId core, std::uint64_t, std::uint32_t) -> Result<void> {
                                  if (core != 0) return {};
                                  ++lost_runs;
                                  return Error{Errc::kCoreLost, "HW_ERROR"};
                                }});
  auto client = std::make_shared<Collector>();
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(submit(*engine, client, static_cast<Ticket>(i), i + 1));
  engine->drain();
  for (const auto& [ticket, result] : client->wait_for(100)) {
    EXPECT_EQ(result->status, FrameStatus::kAnalysed);
    EXPECT_EQ(fake_value(*result), static_cast<int>(ticket) + 1);
  }
  EXPECT_GE(lost_runs, 1);
  EXPECT_LE(lost_runs, 2);  // both slots of the core may have been running
  EXPECT_EQ(engine->stats().cores, 1U);
}

/// A core that is lost once; `slots` counts those alive on it.
class MendableBackend final : public InferenceBackend {
 public:
  explicit MendableBackend(FakeOptions options) : fake_(std::move(options)) {}
  std::string_view name() const override { return "mendable"; }
  std::vector<CoreId> cores() const override { return fake_.cores(); }
  Result<std::unique_ptr<Slot>> make_slot(const ModelSpec& spec, CoreId core) override {
    if (core == 0 && refusals > 0) {
      --refusals;
      return Error{Errc::kDevice, "not yet"};
    }
    if (core == 0) ++made_on_0;
    return fake_.make_slot(spec, core);
  }

  std::atomic<int> refusals = 0;
  std::atomic<int> made_on_0 = 0;

 private:
  FakeBackend fake_;
};

TEST(Engine, BringsALostCoreBackAndCountsItsLoss) {
  std::atomic<bool> sick = true;
  std::mutex mutex;
  std::condition_variable changed;
  int healthy_runs = 0;
  const FakeOptions fake{.cores = 2, .on_run = [&](CoreId core, std::uint64_t, std::uint32_t) -> Result<void> {
                           if (core != 0) return {};
                           if (sick.exchange(false)) return Error{Errc::kCoreLost, "HW_ERROR"};
                           std::lock_guard lock(mutex);
                           ++healthy_runs;
                           changed.notify_all();
                           return {};
                         }};
  auto backend = std::make_unique<MendableBackend>(fake);
  MendableBackend& device = *backend;
  auto engine =
      Engine::create(std::move(backend), std::make_shared<const ModelSpec>(fake_model(1)), {.core_retry = 1ms});
  ASSERT_TRUE(engine) << engine.error().message;
  device.refusals = 2;
  auto client = std::make_shared<Collector>();
  std::size_t sent = 0;
  const auto back = [&] { return device.made_on_0 == 4 && (*engine)->stats().cores == 2; };
  while (!back()) ASSERT_TRUE(submit(**engine, client, sent++, 7));
  {
    std::lock_guard lock(mutex);
    healthy_runs = 0;
  }
  for (bool seen = false; !seen;) {
    ASSERT_TRUE(submit(**engine, client, sent++, 7));
    std::lock_guard lock(mutex);
    seen = healthy_runs > 0;
  }
  (*engine)->drain();
  for (const auto& [ticket, result] : client->wait_for(sent)) EXPECT_EQ(fake_value(*result), 7) << ticket;
  EXPECT_EQ((*engine)->stats().losses, 1U);
}

TEST(Engine, StopsWhileALostCoreIsWaitedFor) {
  auto backend = std::make_unique<MendableBackend>(
      FakeOptions{.cores = 2, .on_run = [&](CoreId core, std::uint64_t, std::uint32_t) -> Result<void> {
                    return core == 0 ? Result<void>(Error{Errc::kCoreLost, "HW_ERROR"}) : Result<void>{};
                  }});
  auto engine =
      Engine::create(std::move(backend), std::make_shared<const ModelSpec>(fake_model(1)), {.core_retry = 1h});
  ASSERT_TRUE(engine) << engine.error().message;
  auto client = std::make_shared<Collector>();
  for (Ticket t = 0; t < 10; ++t) ASSERT_TRUE(submit(**engine, client, t, 7));
  client->wait_for(10);
  EXPECT_EQ((*engine)->stats().cores, 1U);
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

TEST(Engine, WaitsForFullBatchesIfItIsTold) {
  std::atomic<int> runs = 0;
  std::atomic<bool> all_full = true;
  FakeOptions fake{.cores = 1, .on_run = [&](CoreId, std::uint64_t, std::uint32_t frames) -> Result<void> {
                     ++runs;
                     if (frames != 2) all_full = false;
                     return {};
                   }};
  auto engine = Engine::create(std::make_unique<FakeBackend>(std::move(fake)),
                               std::make_shared<const ModelSpec>(fake_model(2)), {.max_batch_delay = kUntilFull});
  ASSERT_TRUE(engine) << engine.error().message;
  auto client = std::make_shared<Collector>();
  for (Ticket t = 0; t < 20; ++t) {
    ASSERT_TRUE(submit(**engine, client, t, 1));
    if (t % 2 == 1) client->wait_for(t + 1);  // the next batch starts on an idle core
  }
  EXPECT_EQ(runs, 10);
  EXPECT_TRUE(all_full);
}

/// Two cores went under it: its frames come back marked, and why is known.
TEST(Engine, SaysWhyABatchThatLostTwoCoresIsUnanalysed) {
  std::atomic<int> losses = 2;
  auto engine = make_engine(1, {.cores = 3, .on_run = [&](CoreId, std::uint64_t, std::uint32_t) -> Result<void> {
                                  if (losses-- > 0) return Error{Errc::kCoreLost, "HW_ERROR"};
                                  return {};
                                }});
  auto client = std::make_shared<Collector>();
  ASSERT_TRUE(submit(*engine, client, 0, 7));
  EXPECT_EQ(client->wait_for(1).at(0)->status, FrameStatus::kUnanalysed);
  EXPECT_EQ(engine->first_refusal(), "HW_ERROR");
  ASSERT_TRUE(submit(*engine, client, 1, 7));
  EXPECT_EQ(client->wait_for(2).at(1)->status, FrameStatus::kAnalysed);
  EXPECT_EQ(engine->stats().cores, 1U);
}

TEST(Engine, GivesASlowCoreFewerBatches) {
  std::array<std::atomic<int>, 2> runs{};
  Gate gate;
  auto engine = make_engine(1, {.cores = 2, .on_run = [&](CoreId core, std::uint64_t, std::uint32_t) -> Result<void> {
                                  ++runs.at(core);
                                  return core == 0 ? gate.pass() : Result<void>{};
                                }});
  auto client = std::make_shared<Collector>();
  for (Ticket t = 0; t < 100; ++t) ASSERT_TRUE(submit(*engine, client, t, 1));
  gate.open();
  client->wait_for(100);
  EXPECT_LE(runs[0], 2);  // what its slots hold
  EXPECT_GE(runs[1], 98);
}

TEST(BatchScheduler, PrefersTheCoreThatWillBeDoneFirst) {
  BatchScheduler scheduler(1, 0ms, {0, 1}, false);
  for (const std::size_t core : {0U, 1U, 0U, 1U}) scheduler.add(nullptr, core);
  const auto run = [&](std::chrono::milliseconds time) {
    Batch* const batch = scheduler.borrow({});
    scheduler.begin_run(*batch);
    std::this_thread::sleep_for(time);
    scheduler.end_run(*batch);
    scheduler.release(*batch);
    return batch->core->id;
  };
  EXPECT_EQ(run(50ms), 0U);
  EXPECT_EQ(run(1ms), 1U);
  Batch* const first = scheduler.borrow({});
  EXPECT_EQ(first->core->id, 1U);
  EXPECT_EQ(scheduler.borrow({})->core->id, 1U);  // two of its batches before one of the other
  EXPECT_EQ(scheduler.borrow({})->core->id, 0U);
}

TEST(Engine, MakesTheSlotsOfAllCoresAtOnce) {
  /// Each core's first slot waits until every core is being set up.
  class Meeting final : public InferenceBackend {
   public:
    std::string_view name() const override { return "meeting"; }
    std::vector<CoreId> cores() const override { return fake_.cores(); }
    Result<std::unique_ptr<Slot>> make_slot(const ModelSpec& spec, CoreId core) override {
      {
        std::unique_lock lock(mutex_);
        here_.insert(core);
        changed_.notify_all();
        if (!changed_.wait_for(lock, 20s, [&] { return here_.size() == 4; })) return Error{Errc::kDevice, "alone"};
      }
      return fake_.make_slot(spec, core);
    }

   private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::set<CoreId> here_;
    FakeBackend fake_{{.cores = 4, .on_run = {}}};
  };
  const auto engine = Engine::create(std::make_unique<Meeting>(), std::make_shared<const ModelSpec>(fake_model(1)), {});
  EXPECT_TRUE(engine) << engine.error().message;
}

TEST(Engine, DeliversFramesUnanalysedWhenNoCoreIsLeftAndThenRefuses) {
  auto engine = make_engine(1, {.cores = 2, .on_run = [](CoreId, std::uint64_t, std::uint32_t) -> Result<void> {
                                  return Error{Errc::kCoreLost, "HW_ERROR"};
                                }});
  auto client = std::make_shared<Collector>();
  std::size_t accepted = 0;
  Result<void> last;
  while (accepted < 1000 && (last = submit(*engine, client, accepted, 1))) ++accepted;
  ASSERT_FALSE(last);
  EXPECT_EQ(last.error().code, Errc::kDevice);
  EXPECT_THAT(last.error().message, testing::HasSubstr("HW_ERROR"));
  for (const auto& [ticket, result] : client->wait_for(accepted)) EXPECT_EQ(result->status, FrameStatus::kUnanalysed);
}

TEST(Engine, TriesAgainWhileTheDeviceIsBusy) {
  auto engine = make_engine(1, {.cores = 1, .on_run = [](CoreId, std::uint64_t run, std::uint32_t) -> Result<void> {
                                  if (run < 2) return Error{Errc::kBusy, "QUEUE_FULL"};
                                  return {};
                                }});
  auto client = std::make_shared<Collector>();
  ASSERT_TRUE(submit(*engine, client, 0, 7));
  EXPECT_EQ(fake_value(*client->wait_for(1).at(0)), 7);
}

TEST(Engine, ARefusedBatchIsUnanalysedAndTheNextGoesOn) {
  auto engine = make_engine(1, {.cores = 1, .on_run = [](CoreId, std::uint64_t run, std::uint32_t) -> Result<void> {
                                  if (run == 0) return Error{Errc::kBadInput, "EXEC_BAD_INPUT"};
                                  return {};
                                }});
  auto client = std::make_shared<Collector>();
  ASSERT_TRUE(submit(*engine, client, 0, 7));
  client->wait_for(1);
  ASSERT_TRUE(submit(*engine, client, 1, 8));
  const auto results = client->wait_for(2);
  EXPECT_EQ(results.at(0)->status, FrameStatus::kUnanalysed);
  EXPECT_EQ(results.at(1)->status, FrameStatus::kAnalysed);
}

TEST(Engine, AnExceptionOfADeviceIsAnErrorNotACrash) {
  auto engine = make_engine(1, {.cores = 1, .on_run = [](CoreId, std::uint64_t, std::uint32_t) -> Result<void> {
                                  throw std::runtime_error("boom");
                                }});
  auto client = std::make_shared<Collector>();
  ASSERT_TRUE(submit(*engine, client, 0, 7));
  EXPECT_EQ(client->wait_for(1).at(0)->status, FrameStatus::kUnanalysed);
  const auto refused = engine->reserve({});
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, testing::HasSubstr("boom"));
}

TEST(Engine, ResultsOutliveTheEngine) {
  auto engine = make_engine(1, {.cores = 1, .on_run = {}});
  auto client = std::make_shared<Collector>();
  ASSERT_TRUE(submit(*engine, client, 0, 7));
  const auto result = client->wait_for(1).at(0);
  engine.reset();
  EXPECT_EQ(fake_value(*result), 7);
}

TEST(Engine, CanBeDestroyedWithRowsUnderWay) {
  Gate gate;
  auto client = std::make_shared<Collector>();
  {
    auto engine =
        make_engine(4, {.cores = 1, .on_run = [&](CoreId, std::uint64_t, std::uint32_t) { return gate.pass(); }});
    for (Ticket t = 0; t < 6; ++t) ASSERT_TRUE(submit(*engine, client, t, 1));
    gate.wait_until_waiting(1);
    gate.open();
  }
  EXPECT_LE(client->wait_for(4).size(), 6U);
}

}  // namespace
}  // namespace posecam
