#include "models/core/stage_log.h"

#include <chrono>
#include <pthread.h>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace posecam {
namespace {

StageSpan span(Stage stage) { return {stage, 1, -1, StageSpan::Clock::now(), StageSpan::Clock::now()}; }

TEST(StageLog, KeepsNothingWhileNobodyListens) {
  StageLog::stop();
  StageLog::add(span(Stage::kDecode));
  { StageLaps().lap(Stage::kExecute); }
  EXPECT_FALSE(StageLog::on());
  EXPECT_TRUE(StageLog::stop().empty());
}

TEST(StageLog, KeepsSpansByThreadAlsoOfThoseThatAreGone) {
  StageLog::start();
  StageLog::add(span(Stage::kDecode));
  std::thread([] {
    pthread_setname_np(pthread_self(), "a worker");
    StageLog::add(span(Stage::kExecute));
    StageLog::add(span(Stage::kPeaks));
  }).join();
  const auto threads = StageLog::stop();
  ASSERT_EQ(threads.size(), 2U);
  EXPECT_EQ(threads[0].spans.size(), 1U);
  EXPECT_EQ(threads[1].name, "a worker");
  EXPECT_EQ(threads[1].spans.size(), 2U);
  EXPECT_TRUE(StageLog::stop().empty());  // given away
}

TEST(StageLaps, GiveEachStageOneSpanHoweverOftenItsTurnCame) {
  StageLog::start();
  const auto before = StageSpan::Clock::now();
  {
    StageLaps laps(3, 7);
    for (int part = 0; part < 18; ++part) {
      laps.lap(Stage::kSmoothing);
      laps.lap(Stage::kPeaks);
    }
    laps.lap(Stage::kExecute);
  }
  const auto after = StageSpan::Clock::now();
  const auto threads = StageLog::stop();
  ASSERT_EQ(threads.size(), 1U);
  const auto& spans = threads[0].spans;
  ASSERT_EQ(spans.size(), 3U);
  EXPECT_EQ(spans[0].stage, Stage::kExecute);
  EXPECT_EQ(spans[0].core, 7);
  EXPECT_EQ(spans[0].frames, 3U);
  EXPECT_EQ(spans[1].stage, Stage::kSmoothing);
  EXPECT_EQ(spans[1].core, -1);
  EXPECT_EQ(spans[1].begin, spans[0].end);  // one after the other
  EXPECT_EQ(spans[2].begin, spans[1].end);
  EXPECT_GE(spans[0].begin, before);
  EXPECT_LE(spans[2].end, after);
}

float ms_of(const StageSpan& span) { return std::chrono::duration<float, std::milli>(span.end - span.begin).count(); }

TEST(StageTimer, TellsTheTimeThatTheLogHas) {
  StageLog::start();
  StageTimer timer(Stage::kExecute, 4, 2);
  const float told = timer.stop();
  const auto threads = StageLog::stop();
  ASSERT_EQ(threads.size(), 1U);
  ASSERT_EQ(threads[0].spans.size(), 1U);
  EXPECT_EQ(threads[0].spans[0].begin, timer.begin());
  EXPECT_EQ(ms_of(threads[0].spans[0]), told);
  EXPECT_EQ(threads[0].spans[0].frames, 4U);
  EXPECT_EQ(threads[0].spans[0].core, 2);
}

TEST(StageTimer, LeavesItsSpanToLapsThatTellMore) {
  StageLog::start();
  StageTimer timer(Stage::kExecute);
  { StageLaps().lap(Stage::kToDevice); }
  timer.stop();
  { StageTimer(Stage::kPreprocess).stop(); }  // what came before is no part of it
  const auto threads = StageLog::stop();
  ASSERT_EQ(threads.size(), 1U);
  ASSERT_EQ(threads[0].spans.size(), 2U);
  EXPECT_EQ(threads[0].spans[0].stage, Stage::kToDevice);
  EXPECT_EQ(threads[0].spans[1].stage, Stage::kPreprocess);
}

TEST(StageTimer, TellsTheTimeWhileNobodyListens) {
  StageLog::stop();
  const auto before = StageSpan::Clock::now();
  StageTimer timer(Stage::kExecute);
  while (StageSpan::Clock::now() - before < std::chrono::milliseconds(1)) {
  }
  EXPECT_GT(timer.stop(), 0.5F);
  EXPECT_TRUE(StageLog::stop().empty());
}

}  // namespace
}  // namespace posecam
