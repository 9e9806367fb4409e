// What it costs to know where the time of a frame goes: all stage timers of one frame of a model of 18 parts, with
// nobody profiling and while somebody does. Figures in docs/performance/end-to-end.md.

#include <benchmark/benchmark.h>

#include "models/core/stage_log.h"

namespace posecam {
namespace {

constexpr int kParts = 18;
constexpr std::int64_t kFramesOfARun = 1000;  // then the log is emptied, which is part of it

/// As InferElement, Engine, a slot on a Neuron device and FastPafDecoder do it.
void time_a_frame() {
  StageTimer preprocess(Stage::kPreprocess);
  benchmark::DoNotOptimize(preprocess.stop());
  StageTimer batch(Stage::kExecute, 1, 0);
  {
    StageLaps laps(1, 0);
    laps.lap(Stage::kToDevice);
    laps.lap(Stage::kExecute);
    laps.lap(Stage::kFromDevice);
  }
  benchmark::DoNotOptimize(batch.stop());
  if (StageLog::on()) StageLog::add({Stage::kQueue, 1, -1, preprocess.begin(), batch.begin()});
  StageTimer decoding(Stage::kGrouping);
  {
    StageLaps laps;
    for (int part = 0; part < kParts; ++part) {
      laps.lap(Stage::kSmoothing);
      laps.lap(Stage::kPeaks);
    }
    laps.lap(Stage::kGrouping);
  }
  benchmark::DoNotOptimize(decoding.stop());
}

void nobody_profiles(benchmark::State& state) {
  StageLog::stop();
  for (auto _ : state) time_a_frame();
}
BENCHMARK(nobody_profiles);

void somebody_profiles(benchmark::State& state) {
  StageLog::start();
  std::int64_t frames = 0;
  for (auto _ : state) {
    time_a_frame();
    if (++frames % kFramesOfARun == 0) StageLog::start();
  }
  StageLog::stop();
}
BENCHMARK(somebody_profiles);

}  // namespace
}  // namespace posecam

BENCHMARK_MAIN();
