#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <glib.h>

#include "app/bench/latency_meter.h"
#include "app/bench/measure.h"
#include "app/bench/measure_tools.h"
#include "app/commands/run_options.h"
#include "app/session/inputs.h"
#include "app/session/outputs.h"
#include "app/session/stream.h"
#include "app/session/topology.h"
#include "pipeline/engine/engine.h"
#include "pipeline/engine/histogram.h"
#include "pipeline/settings/engine_plan.h"

namespace posecam {
namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* kSharedModel = "posecam-bench";

/// Several times one input, in one process and on one engine.
class Streams {
 public:
  Result<void> open(const BenchCase& what, const RunOptions& options, const std::string& input);
  void play();
  /// Lets the main loop do what there is to do.
  static void attend() {
    while (g_main_context_iteration(nullptr, FALSE) != FALSE) {
    }
  }
  bool over() const { return finished_ > 0; }  // with one input gone, the load is another one
  std::optional<Error> failure() const;
  StreamStats first() const { return streams_.front()->stats(); }
  /// Frames and latencies count from now on.
  void begin_measuring();
  std::uint64_t frames() const;
  Histogram latencies() const;

 private:
  std::vector<std::unique_ptr<LatencyMeter>> meters_;  // outlive the streams, which tell them
  std::vector<std::unique_ptr<Stream>> streams_;
  std::size_t finished_ = 0;
};

Result<void> Streams::open(const BenchCase& what, const RunOptions& options, const std::string& input) {
  auto inputs = identify_inputs(std::vector<std::string>(what.streams, input));
  if (!inputs) return inputs.error();
  Outputs outputs;
  outputs.json_lines = "/dev/null";
  for (Input& one : *inputs) {
    one.repeats = true;
    auto topology = build_topology(options, one, outputs, what.streams > 1 ? kSharedModel : "");
    if (!topology) return topology.error();
    meters_.push_back(std::make_unique<LatencyMeter>());
    meters_.back()->watch(topology->infer);
    streams_.push_back(std::make_unique<Stream>(
        std::move(*topology), one, outputs, [this] { ++finished_; }, [](const std::string&) {}));
    if (auto opened = streams_.back()->open(); !opened) return opened;
  }
  return {};
}

void Streams::play() {
  for (const auto& stream : streams_) stream->play();
}

std::optional<Error> Streams::failure() const {
  for (const auto& stream : streams_) {
    if (stream->failure()) return stream->failure();
  }
  return {};
}

std::uint64_t Streams::frames() const {
  std::uint64_t frames = 0;
  for (const auto& meter : meters_) frames += meter->frames();
  return frames;
}

void Streams::begin_measuring() {
  for (const auto& meter : meters_) meter->restart();
}

Histogram Streams::latencies() const {
  Histogram all;
  for (const auto& meter : meters_) all.add(meter->latencies());
  return all;
}

/// An engine counts frames, not batches of a core; how many cores it has is known once it has them.
Result<RunOptions> options_of(const BenchCase& what, const EngineSettings& base, const std::string& input) {
  RunOptions options;
  static_cast<EngineSettings&>(options) = settings_of(what, base);
  if (what.slots == EngineOptions().slots_per_core) return options;
  Streams trial;
  if (auto opened = trial.open(what, options, input); !opened) return opened.error();
  options.max_in_flight = trial.first().cores * what.batch * what.slots;
  return options;
}

}  // namespace

Result<BenchRun> measure_whole(const BenchCase& what, const EngineSettings& base, const std::string& input,
                               const MeasureTime& time) {
  const auto options = options_of(what, base, input);
  if (!options) return options.error();
  Streams streams;
  if (auto opened = streams.open(what, *options, input); !opened) return opened.error();
  const auto over = [&] {
    Streams::attend();
    return streams.over() || time.is_interrupted();
  };
  streams.play();
  wait_for(kForever, [&] { return over() || streams.frames() > 0; });  // loading is no part of it
  wait_for(time.warm_up_s, over);
  if (const auto failure = streams.failure()) return *failure;

  const std::string device = streams.first().device;
  const ProcessUse before = ProcessUse::now(device);
  streams.begin_measuring();
  const auto began = Clock::now();
  wait_for(time.frames > 0 ? kForever : time.seconds,
           [&] { return over() || (time.frames > 0 && streams.frames() >= time.frames); });
  wait_for(kForever, [&] { return over() || streams.frames() > 0; });  // one result at least
  const Histogram latency = streams.latencies();
  const double seconds = std::chrono::duration<double>(Clock::now() - began).count();
  BenchRun run;
  run.cores = streams.first().cores;
  run.frames = latency.count();
  ProcessUse::now(device).since(before, seconds, run);
  if (const auto failure = streams.failure()) return *failure;
  if (run.frames == 0 && time.is_interrupted()) return Error{Errc::kCancelled, "interrupted"};
  if (streams.over()) return Error{Errc::kMedia, fmt::format("--input {}: ended while it was measured", input)};

  run.elapsed_s = seconds;
  run.throughput = static_cast<double>(run.frames) / seconds;
  run.p50_ms = latency.quantile(0.5);
  run.p90_ms = latency.quantile(0.9);
  run.p99_ms = latency.quantile(0.99);
  const auto plan = plan_engine(settings_of(what, base), kUnknownVideo);
  if (plan) run.mb_to_device_s = 1e-6 * run.throughput * bytes_of_a_row(plan->model);
  return run;
}

}  // namespace posecam
