// Cores that are lost, and those that come back.

#include <atomic>
#include <condition_variable>
#include <mutex>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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

}  // namespace
}  // namespace posecam
