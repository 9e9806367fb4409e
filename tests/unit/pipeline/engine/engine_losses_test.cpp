// Cores that are lost, and those that come back.

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>

#include <fmt/format.h>
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

/// A device whose cores can be restored after `refusals` attempts in vain, and whose core 1 may fail from the start.
class Mendable final : public InferenceBackend {
 public:
  explicit Mendable(FakeOptions options) : fake_(std::move(options)) {}
  std::string_view name() const override { return "mendable"; }
  std::vector<CoreId> cores() const override { return fake_.cores(); }
  Result<std::unique_ptr<Slot>> make_slot(const ModelSpec& spec, CoreId core) override {
    if (core == 1 && fails_to_start) return Error{Errc::kDevice, "core 1: no power"};
    return fake_.make_slot(spec, core);
  }
  Result<void> restore(CoreId core) override {
    if (refusals-- > 0) return Error{Errc::kDevice, "not yet"};
    fails_to_start = false;
    last_restored = core;
    return {};
  }

  std::atomic<int> refusals = 0;
  std::atomic<bool> fails_to_start = false;
  std::atomic<CoreId> last_restored = 99;

 private:
  FakeBackend fake_;
};

Result<std::shared_ptr<Engine>> make_mendable(FakeOptions fake, const EngineOptions& options,
                                              const std::function<void(Mendable&)>& prepare) {
  auto device = std::make_unique<Mendable>(std::move(fake));
  prepare(*device);
  return Engine::create(std::move(device), std::make_shared<const ModelSpec>(fake_model(1)), options);
}

/// Sends frames, one at a time, until `enough`.
std::size_t send_until(Engine& engine, const std::shared_ptr<Collector>& client, const std::function<bool()>& enough) {
  std::size_t sent = 0;
  while (!enough()) {
    if (!submit(engine, client, sent, 7)) break;
    client->wait_for(++sent);
  }
  return sent;
}

std::vector<std::string> notes_of(const Engine& engine) {
  std::vector<std::string> texts;
  for (const EngineNote& note : engine.notes().from(0)) texts.push_back(note.text);
  return texts;
}

TEST(Engine, BringsALostCoreBackAndSaysSo) {
  std::atomic<bool> sick = true;
  std::atomic<int> healthy_runs = 0;
  const FakeOptions fake{.cores = 2, .on_run = [&](CoreId core, std::uint64_t, std::uint32_t) -> Result<void> {
                           if (core == 0 && sick.exchange(false)) return Error{Errc::kCoreLost, "core 0: HW_ERROR"};
                           if (core == 0) ++healthy_runs;
                           return {};
                         }};
  auto engine = make_mendable(fake, {.core_retry = 1ms}, [](Mendable& device) { device.refusals = 2; });
  ASSERT_TRUE(engine) << engine.error().message;
  auto client = std::make_shared<Collector>();
  const auto sent = send_until(**engine, client, [&] { return healthy_runs > 0; });
  for (const auto& [ticket, result] : client->wait_for(sent)) EXPECT_EQ(fake_value(*result), 7) << ticket;
  EXPECT_EQ((*engine)->stats().losses, 1U);
  EXPECT_THAT(notes_of(**engine),
              testing::ElementsAre("core 0: HW_ERROR; 1 core goes on", "core 0 of device mendable is back"));
}

TEST(Engine, LetsFramesWaitWhileItsLastCoreIsRestored) {
  const FakeOptions fake{.cores = 1, .on_run = [](CoreId, std::uint64_t run, std::uint32_t) -> Result<void> {
                           if (run == 2) return Error{Errc::kCoreLost, "core 0: HW_ERROR"};
                           return {};
                         }};
  auto engine = make_mendable(fake, {.core_retry = 1h}, [](Mendable&) {});
  ASSERT_TRUE(engine) << engine.error().message;
  auto client = std::make_shared<Collector>();
  for (Ticket t = 0; t < 20; ++t) ASSERT_TRUE(submit(**engine, client, t, 7));
  for (const auto& [ticket, result] : client->wait_for(20)) EXPECT_EQ(fake_value(*result), 7) << ticket;
  EXPECT_THAT(notes_of(**engine),
              testing::ElementsAre("core 0: HW_ERROR; no core is left: frames wait until one is back",
                                   "core 0 of device mendable is back"));
}

TEST(Engine, StartsWithTheCoresThatWork) {
  const auto broken = [](Mendable& device) { device.fails_to_start = true; };
  auto engine = make_mendable({.cores = 3}, {}, broken);
  ASSERT_TRUE(engine) << engine.error().message;
  EXPECT_EQ((*engine)->stats().cores, 2U);
  EXPECT_THAT(notes_of(**engine), testing::ElementsAre("core 1: no power; 2 cores go on"));
  auto client = std::make_shared<Collector>();
  for (Ticket t = 0; t < 20; ++t) ASSERT_TRUE(submit(**engine, client, t, 7));
  for (const auto& [ticket, result] : client->wait_for(20)) EXPECT_EQ(fake_value(*result), 7) << ticket;
  const auto insisting = make_mendable({.cores = 3}, {.require_all_cores = true}, broken);
  ASSERT_FALSE(insisting);
  EXPECT_EQ(insisting.error().message, "core 1: no power");
  const auto none = make_mendable({.cores = 1}, {}, [](Mendable&) {});
  EXPECT_TRUE(none);
}

TEST(Engine, RestoresACoreThatNeverWorked) {
  std::atomic<int> runs_of_1 = 0;
  const FakeOptions fake{.cores = 2, .on_run = [&](CoreId core, std::uint64_t, std::uint32_t) -> Result<void> {
                           runs_of_1 += core == 1 ? 1 : 0;
                           return {};
                         }};
  auto engine = make_mendable(fake, {.core_retry = 1ms}, [](Mendable& device) { device.fails_to_start = true; });
  ASSERT_TRUE(engine) << engine.error().message;
  auto client = std::make_shared<Collector>();
  const auto sent = send_until(**engine, client, [&] { return runs_of_1 > 0; });
  for (const auto& [ticket, result] : client->wait_for(sent)) EXPECT_EQ(fake_value(*result), 7) << ticket;
}

TEST(Engine, GivesTheBatchesOfACoreThatStaysBusyToTheOthers) {
  auto engine = make_engine(1, {.cores = 4, .on_run = [](CoreId core, std::uint64_t, std::uint32_t) -> Result<void> {
                                  if (core < 3) return Error{Errc::kBusy, "QUEUE_FULL"};
                                  return {};
                                }});
  auto client = std::make_shared<Collector>();
  for (Ticket t = 0; t < 200; ++t) ASSERT_TRUE(submit(*engine, client, t, static_cast<int>(t) + 1));
  for (const auto& [ticket, result] : client->wait_for(200)) {
    EXPECT_EQ(fake_value(*result), static_cast<int>(ticket) + 1);
  }
  EXPECT_EQ(engine->stats().cores, 4U) << "none is lost";
}

TEST(Engine, StopsWhileALostCoreIsWaitedFor) {
  auto backend = std::make_unique<Mendable>(
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
