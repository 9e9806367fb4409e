#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <latch>
#include <mutex>
#include <optional>
#include <random>
#include <thread>
#include <vector>

#include <fmt/format.h>

#include "app/bench/measure.h"
#include "app/bench/measure_tools.h"
#include "pipeline/engine/histogram.h"
#include "pipeline/settings/engine_options.h"
#include "pipeline/settings/engine_plan.h"

namespace posecam {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint64_t kLeastRequests = 2;  ///< of each slot: a rate needs two ends

double seconds_between(Clock::time_point from, Clock::time_point to) {
  return std::chrono::duration<double>(to - from).count();
}

/// What all workers see.
struct Field {
  std::atomic<bool> counting = false;
  std::atomic<bool> over = false;    ///< done, but for slots that have too little
  std::atomic<bool> broken = false;  ///< stop now
  std::atomic<std::uint64_t> rows = 0;
};

struct Worker {
  std::uint64_t rows = 0;  ///< of requests after the first that counts
  std::uint64_t requests = 0;
  Clock::time_point first;
  Clock::time_point last;
  Histogram latency;
  std::optional<Error> error;

  void run(Slot& slot, std::uint32_t request, std::uint32_t batch, Field& field);
};

void Worker::run(Slot& slot, std::uint32_t request, std::uint32_t batch, Field& field) {
  while (!field.broken && (!field.over || requests < kLeastRequests)) {
    const auto asked = Clock::now();
    for (std::uint32_t left = request; left > 0;) {
      const std::uint32_t frames = std::min(left, batch);
      if (auto ran = slot.run(frames); !ran) {
        error = ran.error();
        field.broken = true;
        return;
      }
      left -= frames;
    }
    if (!field.counting) continue;
    last = Clock::now();
    if (requests++ == 0) {
      first = last;
      continue;
    }
    rows += request;
    field.rows += request;
    latency.add(static_cast<float>(1000 * seconds_between(asked, last)));
  }
}

/// Pixels like noise: a network takes as long for any, but a simulator keeps results of frames that are alike.
void fill(MutableTensorView input) {
  std::minstd_rand random(1);
  if (input.dtype == DType::kF32) {
    for (float& value : input.as<float>()) value = static_cast<float>(random() % 256);
  } else {
    for (std::size_t i = 0; i < input.bytes(); ++i) input.data[i] = static_cast<std::byte>(random() % 256);
  }
}

/// What `base` changes that the case does not say itself.
std::string options_beside(const BenchCase& what, const EngineSettings& base) {
  const EngineSettings said = settings_of(what, {});
  const EngineSettings all = settings_of(what, base);
  std::string text;
  for (const auto& option : kEngineOptions) {
    const std::string now = to_text(option, all);
    if (now != to_text(option, said)) text += (text.empty() ? "" : " ") + now;
  }
  return text;
}

}  // namespace

EngineSettings settings_of(const BenchCase& what, const EngineSettings& base) {
  EngineSettings settings = base;
  settings.model = what.model;
  settings.device = what.device;
  settings.net_resolution = what.net_resolution;
  settings.batch_size = what.batch;
  if (what.cores > 0) settings.cores = what.cores == 1 ? "0" : fmt::format("0-{}", what.cores - 1);
  return settings;
}

Result<BenchCase> resolve_case(BenchCase what, const EngineSettings& base) {
  const auto plan = plan_engine(settings_of(what, base), kUnknownVideo);
  if (!plan) return plan.error();
  const InputSpec& input = plan->model.input;
  what.model = plan->model_name;
  what.network = plan->model.name;
  what.device = plan->device->name();
  what.batch = static_cast<std::uint32_t>(input.batch);
  what.net_resolution = fmt::format("{}x{}", input.size.width, input.size.height);
  if (what.request_batch == 0 || what.whole) what.request_batch = what.batch;
  if (!what.whole) what.streams = 1;
  what.options = options_beside(what, base);
  return what;
}

Result<BenchRun> measure_net(const BenchCase& what, const EngineSettings& base, const MeasureTime& time) {
  const auto plan = plan_engine(settings_of(what, base), kUnknownVideo);
  if (!plan) return plan.error();
  const ModelSpec& model = plan->model;
  const auto backend = open_backend(*plan);
  if (!backend) return backend.error();
  InferenceBackend& device = **backend;
  const std::vector<CoreId> cores = device.cores();
  const std::size_t count = cores.size() * what.slots;

  Field field;
  std::vector<Worker> workers(count);
  std::latch ready(static_cast<std::ptrdiff_t>(count));
  std::vector<std::jthread> threads;
  for (std::size_t i = 0; i < count; ++i) {
    threads.emplace_back([&, i, &worker = workers[i]] {
      auto slot = device.make_slot(model, cores[i % cores.size()]);
      ready.count_down();
      if (!slot) {
        worker.error = slot.error();
        field.broken = true;
        return;
      }
      fill((*slot)->input());
      worker.run(**slot, what.request_batch, what.batch, field);
    });
  }
  ready.wait();
  wait_for(time.warm_up_s, [&] { return field.broken || time.is_interrupted(); });
  const ProcessUse before = ProcessUse::now(device.name());
  const auto began = Clock::now();
  field.counting = true;
  wait_for(time.frames > 0 ? kForever : time.seconds,
           [&] { return field.broken || time.is_interrupted() || (time.frames > 0 && field.rows >= time.frames); });
  const ProcessUse after = ProcessUse::now(device.name());
  const double window = seconds_between(began, Clock::now());
  field.over = true;
  if (time.is_interrupted()) field.broken = true;
  threads.clear();

  BenchRun run;
  run.cores = static_cast<std::uint32_t>(cores.size());
  Histogram latency;
  for (const Worker& worker : workers) {
    if (worker.error) return *worker.error;
  }
  for (const Worker& worker : workers) {
    if (worker.requests < kLeastRequests) return Error{Errc::kCancelled, "interrupted"};
    run.frames += worker.rows;
    run.throughput += static_cast<double>(worker.rows) / seconds_between(worker.first, worker.last);
    latency.add(worker.latency);
  }
  run.elapsed_s = static_cast<double>(run.frames) / run.throughput;
  run.p50_ms = latency.quantile(0.5);
  run.p90_ms = latency.quantile(0.9);
  run.p99_ms = latency.quantile(0.99);
  after.since(before, window, run);
  run.mb_to_device_s = 1e-6 * run.throughput * bytes_of_a_row(model);
  return run;
}

}  // namespace posecam
