#include "pipeline/engine/engine.h"

#include <array>
#include <atomic>
#include <condition_variable>
#include <future>
#include <map>
#include <mutex>
#include <set>
#include <thread>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/core/stage_log.h"
#include "tests/unit/pipeline/engine/engine_harness.h"

namespace posecam {
namespace {

using test::Collector;
using test::fake_model;
using test::fake_value;
using test::FakeBackend;
using test::FakeOptions;
using test::make_engine;
using test::submit;
using namespace std::chrono_literals;

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

/// Asks the engine about the batch that its only row was in.
class Asker final : public RowClient {
 public:
  explicit Asker(const Engine& engine) : engine_(engine) {}
  void row_done(Ticket, std::shared_ptr<FrameResult>) override {
    const EngineStats stats = engine_.stats();
    counted_.set_value({stats.batches, stats.rows});
  }
  std::pair<std::uint64_t, std::uint64_t> counted() { return counted_.get_future().get(); }

 private:
  const Engine& engine_;
  std::promise<std::pair<std::uint64_t, std::uint64_t>> counted_;
};

TEST(Engine, CountsABatchBeforeAnybodyHasItsResults) {
  auto engine = make_engine(1, {.cores = 1, .on_run = {}});
  auto client = std::make_shared<Asker>(*engine);
  ASSERT_TRUE(submit(*engine, client, 0, 7));
  EXPECT_EQ(client->counted(), std::pair(std::uint64_t{1}, std::uint64_t{1}));
}

/// The summary of a run and a profile of it show the same readings of the clock.
TEST(Engine, TimesOfAFrameAreThoseOfTheStageLog) {
  StageLog::start();
  auto engine = make_engine(1, {.cores = 1, .on_run = {}});
  auto client = std::make_shared<Collector>();
  ASSERT_TRUE(submit(*engine, client, 0, 1));
  const FrameTimes times = client->wait_for(1).at(0)->times;
  engine.reset();
  std::map<Stage, float> logged;
  for (const auto& thread : StageLog::stop()) {
    for (const StageSpan& span : thread.spans) {
      logged[span.stage] += std::chrono::duration<float, std::milli>(span.end - span.begin).count();
    }
  }
  EXPECT_EQ(logged[Stage::kQueue], times.queue);
  EXPECT_EQ(logged[Stage::kExecute], times.infer);
  EXPECT_GT(logged[Stage::kGrouping], 0);
  EXPECT_LE(logged[Stage::kGrouping], times.post);  // the decoder's own laps are within
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

TEST(Engine, RefusesANetworkThatDoesNotFitItsDecoderBeforeAnyFrame) {
  FakeOptions fake{.cores = 1, .on_run = {}};
  fake.network.shapes = [](const ModelSpec& spec) { return std::vector<Shape>{{spec.input.batch, 1, 7}}; };
  const auto engine = Engine::create(std::make_unique<FakeBackend>(std::move(fake)),
                                     std::make_shared<const ModelSpec>(fake_model(2)), {});
  ASSERT_FALSE(engine);
  EXPECT_EQ(engine.error().code, Errc::kModel);
  EXPECT_THAT(engine.error().message,
              testing::StartsWith("model fake: YOLOX: output 0 is 1x1x7 f32, expected 1x1x6 f32"));
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
