// How busy the engine alone keeps simulated NeuronCores, whatever the size of the requests that frames come in:
//
//     neuron_requests [--cores 4] [--batch 1,4,16] [--time coordinates] [--request-batch 1,2,4,8,16] [--seconds 20]
//                     [--faults JSON]
//
// No video, no preprocessing, next to no decoding: a network of a kilobyte whose device time is that of --time (a
// preset of docs/neuron-simulator.md, or "A+B" ms). Clients send a request of so many frames, wait for its results and
// send the next; together they have twice as many frames under way as the engine holds. A core that --faults lets go is
// lost for the rest. A JSON line for each request size:
//
//   core_use    busy time of the cores / (cores x time), from the simulator's own counters
//   fps         frames a second
//   bound_fps   cores x the rate of the best compiled batch size
//   efficiency  fps / bound_fps
//   cpu_ms_per_frame  of this process, clients included

#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>
#include <numeric>
#include <string>
#include <sys/resource.h>
#include <thread>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "models/core/log.h"
#include "pipeline/neuron/compile/compile_sim.h"
#include "pipeline/neuron/machine/core_file.h"
#include "pipeline/settings/engine_plan.h"
#include "pipeline/settings/engine_settings.h"
#include "postprocess/decode/decoders.h"
#include "tests/support/temp_dir.h"

namespace posecam {
namespace {

using Clock = std::chrono::steady_clock;

struct Arguments {
  std::uint32_t cores = 4;
  std::vector<std::uint32_t> batches{1, 4, 16};
  std::string time = "coordinates";
  std::vector<std::uint32_t> request_batches{1, 2, 4, 8, 16};
  double seconds = 20;
  std::string faults = "[]";
};

template <class T>
T or_exit(Result<T> result) {
  if (result) return std::move(*result);
  fmt::print(stderr, "neuron_requests: {}\n", result.error().message);
  std::exit(1);
}

/// One client: a request at a time.
class Client final : public RowClient {
 public:
  void row_done(Ticket, std::shared_ptr<FrameResult> result) override {
    if (result->status != FrameStatus::kAnalysed) std::abort();
    std::lock_guard lock(mutex_);
    if (--waiting_ == 0) done_.notify_one();
  }
  /// Frames that differ, as the simulator keeps one result for all that are alike.
  static bool request(const std::shared_ptr<Client>& self, Engine& engine, std::uint32_t rows, std::stop_token stop) {
    self->waiting_ = rows;
    for (std::uint32_t i = 0; i < rows; ++i) {
      auto row = engine.reserve(stop);
      if (!row) return false;
      const MutableTensorView input = row->input();
      std::memset(input.data, 0, input.bytes());
      input.as<float>()[i] = 1;
      const Size size = engine.model().input.size;
      const Point whole{static_cast<float>(size.width), static_cast<float>(size.height)};
      row->commit(self, i, {size, size, {}, whole}, 0);
    }
    std::unique_lock lock(self->mutex_);
    self->done_.wait(lock, [&] { return self->waiting_ == 0; });
    return true;
  }

 private:
  std::mutex mutex_;
  std::condition_variable done_;
  std::uint32_t waiting_ = 0;
};

struct Moment {
  Clock::time_point time = Clock::now();
  std::uint64_t rows = 0;
  double busy_s = 0;
  double cpu_s = 0;
};

Moment now(const Engine& engine, const std::filesystem::path& pool) {
  Moment m;
  m.rows = engine.stats().rows;
  for (const sim::CoreUse& core : sim::read_core_pool(pool)) m.busy_s += 1e-9 * static_cast<double>(core.busy_ns);
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  m.cpu_s = seconds(usage.ru_utime) + seconds(usage.ru_stime);
  return m;
}

void measure(const Arguments& args, Engine& engine, const std::filesystem::path& pool, std::uint32_t rows,
             const DeviceTime& time) {
  const std::size_t count = (2 * engine.max_in_flight() + rows - 1) / rows;
  std::vector<std::jthread> clients;
  for (std::size_t i = 0; i < count; ++i) {
    clients.emplace_back([&engine, rows](const std::stop_token& stop) {
      const auto client = std::make_shared<Client>();
      while (!stop.stop_requested() && Client::request(client, engine, rows, {})) {
      }
    });
  }
  const std::chrono::duration<double> warm_up(2), whole(args.seconds);
  std::this_thread::sleep_for(warm_up);
  const Moment begin = now(engine, pool);
  std::this_thread::sleep_for(whole);
  const Moment end = now(engine, pool);
  for (std::jthread& client : clients) client.request_stop();
  engine.drain();
  clients.clear();

  const double elapsed = std::chrono::duration<double>(end.time - begin.time).count();
  const auto frames = static_cast<double>(end.rows - begin.rows);
  double best = 0;
  for (const std::uint32_t batch : args.batches) best = std::max(best, 1000.0 * batch / time.ms(batch));
  const double bound = args.cores * best;
  const nlohmann::ordered_json line{{"cores", args.cores},
                                    {"request_batch", rows},
                                    {"clients", count},
                                    {"core_use", (end.busy_s - begin.busy_s) / (args.cores * elapsed)},
                                    {"fps", frames / elapsed},
                                    {"bound_fps", bound},
                                    {"efficiency", frames / elapsed / bound},
                                    {"cpu_ms_per_frame", 1000 * (end.cpu_s - begin.cpu_s) / frames}};
  fmt::print("{}\n", line.dump());
  std::fflush(stdout);
}

void run(const Arguments& args) {
  const test::TempDir folder;
  const std::filesystem::path pool = folder.path() / "pool";
  ::setenv("NEURON_SIM_POOL", pool.c_str(), 1);
  ::setenv("NEURON_SIM_CONFIG",
           fmt::format(R"({{"cores": {}, "mode": "timed", "faults": {}}})", args.cores, args.faults).c_str(), 1);
  logger().set_level(spdlog::level::warn);

  SimCompileOptions options;
  options.batches = args.batches;
  options.time = or_exit(parse_device_time(args.time));
  const auto tiny =
      or_exit(ModelSpec::load(std::filesystem::path(POSECAM_SOURCE_DIR) / "tests/data/tiny_pose.json", decoders()));
  EngineSettings settings;
  settings.model = or_exit(compile_for_sim(tiny, options, folder.path() / "net")).string();
  settings.device = "neuron-sim";
  const auto engine = or_exit(make_engine(or_exit(plan_engine(settings, kUnknownVideo))));
  for (const std::uint32_t rows : args.request_batches) measure(args, *engine, pool, rows, *options.time);
}

}  // namespace
}  // namespace posecam

// What is thrown here is a bug, and ends the program. NOLINTNEXTLINE(bugprone-exception-escape)
int main(int argc, char** argv) {
  posecam::Arguments args;
  CLI::App app("How busy the engine keeps simulated NeuronCores with requests of several sizes");
  app.add_option("--cores", args.cores)->check(CLI::Range(1, 512))->capture_default_str();
  app.add_option("--batch", args.batches, "compiled batch sizes, ascending")->delimiter(',')->capture_default_str();
  app.add_option("--time", args.time, "device time: a preset, or A+B ms")->capture_default_str();
  app.add_option("--request-batch", args.request_batches)->delimiter(',')->capture_default_str();
  app.add_option("--seconds", args.seconds, "of each measurement")->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--faults", args.faults, "as in NEURON_SIM_CONFIG: cores that are slow, or lost")
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  posecam::run(args);
}
