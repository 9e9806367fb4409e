#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "app/bench/latency_meter.h"
#include "app/bench/measure.h"
#include "app/bench/measure_tools.h"
#include "app/session/input/inputs.h"
#include "app/session/session.h"
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
  Result<void> open(const BenchCase& what, const EngineSettings& engine, const std::string& input,
                    const std::stop_token& interrupt);
  void play();
  bool over() const;  // with one input gone, the load is another one
  std::optional<Error> failure() const;
  StreamStats first() const { return sessions_.front()->stats(); }
  /// Frames and latencies count from now on.
  void begin_measuring();
  std::uint64_t frames() const;
  Histogram latencies() const;

 private:
  std::vector<std::unique_ptr<LatencyMeter>> meters_;  // outlive the sessions, which tell them
  std::vector<std::unique_ptr<Session>> sessions_;
};

Result<void> Streams::open(const BenchCase& what, const EngineSettings& engine, const std::string& input,
                           const std::stop_token& interrupt) {
  auto inputs = identify_inputs(std::vector<std::string>(what.streams, input));
  if (!inputs) return inputs.error();
  for (Input& one : *inputs) {
    one.repeats = true;
    SessionSpec spec{.engine = engine, .shared_model = what.streams > 1 ? kSharedModel : "", .input = std::move(one)};
    spec.sinks.push_back({.format = ResultFormat::kNdjson, .location = "/dev/null"});
    auto session = Session::create(std::move(spec));
    if (!session) return session.error();
    meters_.push_back(std::make_unique<LatencyMeter>());
    meters_.back()->watch((*session)->network());
    sessions_.push_back(*std::move(session));
    if (auto opened = sessions_.back()->open(interrupt); !opened) return opened;
  }
  return {};
}

void Streams::play() {
  for (const auto& session : sessions_) session->play();
}

bool Streams::over() const {
  return std::ranges::any_of(sessions_, [](const auto& session) { return session->finished(); });
}

std::optional<Error> Streams::failure() const {
  for (const auto& session : sessions_) {
    if (auto failure = session->failure()) return failure;
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
Result<EngineSettings> engine_of(const BenchCase& what, const EngineSettings& base, const std::string& input,
                                 const std::stop_token& interrupt) {
  EngineSettings engine = settings_of(what, base);
  if (what.slots == EngineOptions().slots_per_core) return engine;
  Streams trial;
  if (auto opened = trial.open(what, engine, input, interrupt); !opened) return opened.error();
  engine.max_in_flight = trial.first().cores * what.batch * what.slots;
  return engine;
}

}  // namespace

Result<BenchRun> measure_whole(const BenchCase& what, const EngineSettings& base, const std::string& input,
                               const MeasureTime& time) {
  const auto engine = engine_of(what, base, input, time.interrupt);
  if (!engine) return engine.error();
  Streams streams;
  if (auto opened = streams.open(what, *engine, input, time.interrupt); !opened) return opened.error();
  const auto over = [&] { return streams.over() || time.is_interrupted(); };
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
