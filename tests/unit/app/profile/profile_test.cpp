#include "app/profile/profile.h"

#include <chrono>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace posecam {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr StageSpan::Clock::time_point kStart{1h};

StageSpan span(Stage stage, std::chrono::milliseconds begin, std::chrono::milliseconds time, std::uint32_t frames = 1,
               std::int32_t core = -1) {
  return {stage, frames, core, kStart + begin, kStart + begin + time};
}

/// Two batches of two frames on one core, in two threads: the second waits for the first.
std::vector<StageLog::Thread> two_batches() {
  return {
      {"core 0 #0", {span(Stage::kExecute, 0ms, 40ms, 2, 0), span(Stage::kSmoothing, 40ms, 2ms)}},
      {"core 0 #1",
       {span(Stage::kQueue, 0ms, 500ms), span(Stage::kExecute, 10ms, 70ms, 2, 0), span(Stage::kSmoothing, 80ms, 4ms)}}};
}

TEST(Profile, SharesOutABatchAmongItsFrames) {
  const auto costs = stage_costs(two_batches(), 4);
  ASSERT_EQ(costs.size(), 3U);
  EXPECT_EQ(costs[0].stage, Stage::kQueue);
  EXPECT_EQ(costs[0].share, 0);  // waiting is no work
  EXPECT_EQ(costs[1].stage, Stage::kExecute);
  EXPECT_DOUBLE_EQ(costs[1].mean_ms, 27.5);
  EXPECT_DOUBLE_EQ(costs[1].p99_ms, 35);
  EXPECT_EQ(costs[2].stage, Stage::kSmoothing);
  EXPECT_DOUBLE_EQ(costs[2].mean_ms, 1.5);
  EXPECT_DOUBLE_EQ(costs[1].share + costs[2].share, 1);
  EXPECT_TRUE(stage_costs({}, 0).empty());
}

TEST(Profile, GivesAStageItsOwnTimeAndTheTraceAllOfIt) {
  StageSpan encode = span(Stage::kEncode, 0ms, 10ms);
  encode.nested = 4ms;
  const std::vector<StageLog::Thread> threads{{"queue", {span(Stage::kPublish, 5ms, 4ms), encode}}};
  const auto costs = stage_costs(threads, 1);
  ASSERT_EQ(costs.size(), 2U);
  EXPECT_EQ(costs[0].stage, Stage::kEncode);
  EXPECT_DOUBLE_EQ(costs[0].mean_ms, 6);
  EXPECT_DOUBLE_EQ(costs[0].p99_ms, 6);
  EXPECT_DOUBLE_EQ(costs[0].share, 0.6);
  const auto trace = nlohmann::json::parse(trace_json(threads));
  const auto& last = trace["traceEvents"].back();
  EXPECT_EQ(last["name"], "encode");
  EXPECT_DOUBLE_EQ(last["ts"].get<double>(), 0);
  EXPECT_DOUBLE_EQ(last["dur"].get<double>(), 10000);
}

TEST(Profile, ShowsRunsBesideEachOther) {
  const auto costs = stage_costs(two_batches(), 4);
  const std::string one = profile_table({{"fast", 50, costs}});
  EXPECT_THAT(one, HasSubstr("p99 ms"));
  EXPECT_THAT(one, HasSubstr("50.0 FPS"));
  const std::string two = profile_table({{"reference, 25 taps", 5, costs}, {"fast, 25 taps", 50, {}}});
  EXPECT_THAT(two, HasSubstr("reference, 25 taps"));
  EXPECT_THAT(two, HasSubstr("fast, 25 taps"));
  EXPECT_THAT(two, Not(HasSubstr("p99")));
}

TEST(Profile, TracesEveryThreadAndEachCoreOneThingAtATime) {
  const auto trace = nlohmann::json::parse(trace_json(two_batches()));
  std::map<std::pair<int, int>, std::vector<std::pair<double, double>>> tracks;
  std::map<std::pair<int, int>, std::string> names;
  for (const auto& event : trace["traceEvents"]) {
    const std::pair track(event["pid"].get<int>(), event["tid"].get<int>());
    if (event["ph"] == "X") tracks[track].emplace_back(event["ts"], event["dur"]);
    if (event["name"] == "thread_name") names[track] = event["args"]["name"];
  }
  EXPECT_EQ(tracks.size(), 3U);
  EXPECT_EQ((names[{2, 0}]), "core 0");
  EXPECT_EQ((names[{1, 1}]), "core 0 #0");
  const auto& core = tracks[{2, 0}];
  ASSERT_EQ(core.size(), 2U);
  EXPECT_DOUBLE_EQ(core[0].first, 0);
  EXPECT_DOUBLE_EQ(core[1].first, 40000);  // microseconds; asked for at 10 ms, but the core was busy
  EXPECT_DOUBLE_EQ(core[1].second, 40000);
}

}  // namespace
}  // namespace posecam
