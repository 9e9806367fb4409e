#include "app/commands/bench_command.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <fstream>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/chrono.h>
#include <fmt/format.h>

#include "app/bench/bench.h"
#include "app/bench/bench_compare.h"
#include "app/bench/bench_files.h"
#include "app/bench/measure.h"
#include "app/cli/console.h"
#include "app/cli/engine_options.h"
#include "app/cli/exit_code.h"
#include "app/cli/interrupt.h"
#include "app/cli/library_log.h"
#include "app/cli/progress.h"
#include "app/cli/text_file.h"
#include "app/session/input/inputs.h"
#include "app/session/plugin_path.h"
#include "models/core/text.h"
#include "pipeline/devices/devices.h"

namespace posecam {
namespace {

int report_error(const Error& error) {
  tell("posecam: {}\n", error.message);
  return exit_code(error.code);
}

constexpr std::size_t kLongestReason = 500;

struct Request {
  std::vector<std::string> models{""};
  std::vector<std::string> devices{"auto"};
  std::vector<std::uint32_t> batches{0};
  std::vector<std::uint32_t> cores{0};
  std::vector<std::uint32_t> slots{2};
  std::vector<std::uint32_t> request_batches{0};
  std::uint32_t streams = 1;
  EngineSettings engine;  ///< what all cases have in common
  std::string stages = "net";
  std::string input = kSynthetic;
  MeasureTime time;
  std::uint32_t repeat = 3;
  BenchOutputs outputs;
  bool quiet = false;
};

/// The line "model name" of /proc/cpuinfo; Arm has none.
std::string cpu_name() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const std::size_t colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "unknown";
}

/// All combinations, the last option changing fastest, each as it will run and none twice.
Result<std::vector<BenchCase>> combine(const Request& r) {
  std::vector<BenchCase> cases{
      {.whole = r.stages == "all", .streams = r.streams, .net_resolution = r.engine.net_resolution}};
  const auto multiply = [&cases](const auto& values, auto BenchCase::*field) {
    std::vector<BenchCase> more;
    for (const BenchCase& one : cases) {
      for (const auto& value : values) {
        more.push_back(one);
        more.back().*field = value;
      }
    }
    cases = std::move(more);
  };
  multiply(r.models, &BenchCase::model);
  multiply(r.devices, &BenchCase::device);
  multiply(r.cores, &BenchCase::cores);
  multiply(r.slots, &BenchCase::slots);
  multiply(r.batches, &BenchCase::batch);
  multiply(r.request_batches, &BenchCase::request_batch);
  std::vector<BenchCase> distinct;
  for (const BenchCase& one : cases) {
    auto resolved = resolve_case(one, r.engine);
    if (!resolved) return resolved.error();
    if (std::ranges::find(distinct, *resolved) == distinct.end()) distinct.push_back(std::move(*resolved));
  }
  return distinct;
}

/// Measures everything once a round, so that a minute in which the machine had other work meets all cases.
class Sweep {
 public:
  Sweep(const Request& request, std::vector<BenchCase> cases)
      : request_(request), printer_(request.quiet), cases_(std::move(cases)), began_(std::chrono::steady_clock::now()) {
    report_.version = POSECAM_VERSION;
    report_.when = fmt::format("{:%FT%TZ}", fmt::gmtime(std::time(nullptr)));
    report_.cpu = cpu_name();
    report_.cpus = std::max(1U, std::thread::hardware_concurrency());
    for (const BenchCase& what : cases_) report_.results.push_back({what, device_traits(what.device).simulated, {}});
  }

  /// Why cases failed, once each: the others are measured all the same.
  std::vector<Error> run() {
    std::vector<Error> failures;
    const std::size_t total = cases_.size() * request_.repeat;
    for (std::size_t n = 0; n < total && !request_.time.is_interrupted(); ++n) {
      BenchResult& result = report_.results[n % cases_.size()];
      if (!result.failure.empty()) continue;
      show(n, total, result.what);
      const BenchCase& what = cases_[n % cases_.size()];
      auto measured = what.whole ? measure_whole(what, request_.engine, request_.input, request_.time)
                                 : measure_net(what, request_.engine, request_.time);
      if (!measured && request_.time.is_interrupted()) break;
      if (!measured) {
        result.failure = short_line(measured.error().message, kLongestReason);
        failures.push_back(measured.error());
        continue;
      }
      result.what.cores = measured->cores;
      result.runs.push_back(*measured);
    }
    erase_status();
    std::erase_if(report_.results, [](const auto& result) { return result.runs.empty() && result.failure.empty(); });
    return failures;
  }

  const BenchReport& report() const { return report_; }

 private:
  void show(std::size_t done, std::size_t total, const BenchCase& what) {
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - began_;
    std::string text = fmt::format("{}/{}  {} on {}, batch {}", done + 1, total, what.model, what.device, what.batch);
    if (what.cores > 0) text += ", " + counted(what.cores, "core", "cores");
    if (done > 0) {
      const double left = elapsed.count() / static_cast<double>(done) * static_cast<double>(total - done);
      text += "  ETA " + format_duration(left);
    }
    printer_.show(static_cast<double>(done) / static_cast<double>(total), text);
  }

  const Request& request_;
  ProgressPrinter printer_;
  const std::vector<BenchCase> cases_;
  const std::chrono::steady_clock::time_point began_;
  BenchReport report_;
};

void warn_of_noise(const BenchReport& report) {
  const auto noisy =
      std::ranges::count_if(report.results, [](const BenchResult& r) { return r.spread() > kNoisySpread; });
  if (noisy == 0) return;
  tell(
      "posecam: {} of {} spread by more than {:.0f} %: the machine had other work; repeat when it is quiet, or with "
      "more "
      "--repeat\n",
      noisy, counted(report.results.size(), "row", "rows"), 100 * kNoisySpread);
}

/// Each in a line of its own, and the one that is left for the caller.
Error all_but_the_first_reported(const std::vector<Error>& errors) {
  for (const Error& error : std::span(errors).subspan(1)) report_error(error);
  return errors.front();
}

Result<void> bench(Request request) {
  auto cases = combine(request);
  if (!cases) return cases.error();
  if (request.quiet) quiet_library_log();
  if (request.stages == "all") {
    if (auto known = identify_input(request.input); !known) return known.error();
    start_gstreamer();
    if (auto loaded = load_plugin(); !loaded) return loaded;
  }
  auto files = BenchFiles::open(request.outputs);
  if (!files) return files.error();
  request.time.interrupt = watch_interrupts();
  Sweep sweep(request, std::move(*cases));
  const std::vector<Error> failed = sweep.run();
  const BenchReport& report = sweep.report();
  if (report.results.empty()) return Error{Errc::kCancelled, "interrupted before anything was measured"};
  if (!request.outputs.use_stdout()) put_text(bench_table(report, terminal_columns(STDOUT_FILENO)));
  std::vector<Error> failures = files->write(report);
  if (!failed.empty()) {
    failures.push_back(
        {failed.front().code, fmt::format("{} of {} failed, the first with: {}", failed.size(),
                                          counted(report.results.size(), "case", "cases"), failed.front().message)});
  }
  if (!request.quiet) warn_of_noise(report);
  if (request.time.is_interrupted()) {
    failures.insert(failures.begin(), {Errc::kCancelled, "interrupted: the table has what was measured"});
  }
  if (!failures.empty()) return all_but_the_first_reported(failures);
  return {};
}

struct Compare {
  std::string before;
  std::string after;
  std::optional<double> fail_below;
};

Result<BenchReport> load(const std::string& path) {
  const auto text = read_text_file(path, "what posecam bench --json wrote");
  if (!text) return text.error();
  return parse_bench_report(*text, path);
}

/// 1 if a case is missing, failed or became slower than asked for, beyond what the machine's noise explains.
Result<int> compare(const Compare& wish) {
  const auto before = load(wish.before);
  if (!before) return before.error();
  const auto after = load(wish.after);
  if (!after) return after.error();
  const BenchComparison comparison = compare_reports(*before, *after);
  if (comparison.changes.empty() && comparison.failed.empty())
    return Error{Errc::kModel, fmt::format("{} and {} have no case in common", wish.before, wish.after)};
  put_text(comparison_table(comparison, terminal_columns(STDOUT_FILENO)));
  if (!comparison.same_machine) {
    tell("posecam: measured on different machines, {} ({}) and {} ({}): a ratio may be theirs\n", before->cpu,
         counted(before->cpus, "CPU", "CPUs"), after->cpu, after->cpus);
  }
  if (!comparison.missing.empty()) {
    tell("posecam: {} of {} of {} missing in {}\n", comparison.missing.size(),
         counted(before->results.size(), "case", "cases"), wish.before, wish.after);
  }
  return wish.fail_below && comparison.fails(*wish.fail_below) ? 1 : 0;
}

void add_compare(CLI::App& bench, int& code) {
  auto wish = std::make_shared<Compare>();
  CLI::App* command =
      bench.add_subcommand("compare", "What changed from one --json file to another, beyond their noise");
  command->add_option("before", wish->before, "--json file of a bench")->required()->type_name("FILE");
  command->add_option("after", wish->after, "A later one")->required()->type_name("FILE");
  command
      ->add_option("--fail-below", wish->fail_below,
                   "Exit with 1 if a case is missing or failed, or its throughput ratio below this and noise no reason")
      ->check(CLI::Range(0.0, 100.0))
      ->type_name("RATIO");
  command->callback([wish, &code] {
    const auto result = compare(*wish);
    code = result ? *result : report_error(result.error());
  });
}

}  // namespace

void add_bench_command(CLI::App& app, int& code) {
  auto r = std::make_shared<Request>();
  CLI::App* bench =
      app.add_subcommand("bench", "Measure throughput, latency and use of cores over models, batches and cores");
  bench->footer(
      "Every combination of the lists is measured once a round, for --repeat rounds; the table has the median round.");
  const auto list = [bench](const char* name, auto& value, const char* help) {
    return bench->add_option(name, value, help)->delimiter(',');
  };
  list("--model", r->models, "Models; default: as in run")->type_name("NAME,...");
  list("--device", r->devices, "Devices, as in run")->type_name("DEVICE,...");
  list("--batch,--batch-size", r->batches, "Frames in a batch; default: the model's own")
      ->type_name("N,...")
      ->check(CLI::Range(1U, 1024U));
  list("--cores", r->cores, "How many cores; default: all")->type_name("N,...")->check(CLI::Range(1U, 1024U));
  list("--slots", r->slots, "Batches under way on a core; default: 2")->type_name("N,...")->check(CLI::Range(1U, 16U));
  list("--request-batch", r->request_batches, "net: frames handed over at a time; default: a batch")
      ->type_name("N,...")
      ->check(CLI::Range(1U, 4096U));
  bench->add_option("--streams", r->streams, "all: inputs at the same time")
      ->check(CLI::Range(1U, 64U))
      ->capture_default_str();
  add_engine_options(*bench, r->engine, {"model", "device", "cores", "batch-size", "max-in-flight"});
  bench->add_option("--stages", r->stages, "net: the network alone; all: from decoding to JSON")
      ->check(CLI::IsMember({"net", "all"}))
      ->capture_default_str();
  bench->add_option("--input", r->input, "all: a clip (repeated as needed), or synthetic (640x480)")
      ->type_name("CLIP")
      ->capture_default_str();
  CLI::Option* seconds = bench->add_option("--seconds", r->time.seconds, "Of each measurement")
                             ->check(CLI::Range(0.1, 3600.0))
                             ->capture_default_str();
  bench->add_option("--frames", r->time.frames, "Frames of each measurement, instead of --seconds")
      ->check(CLI::Range(1U, 100'000'000U))
      ->excludes(seconds);
  bench->add_option("--warm-up", r->time.warm_up_s, "Seconds before each measurement")
      ->check(CLI::Range(0.0, 600.0))
      ->capture_default_str();
  bench->add_option("--repeat", r->repeat, "Rounds")->check(CLI::Range(1U, 1000U))->capture_default_str();
  bench->add_option("--json", r->outputs.json, "All figures, for bench compare and cost")->type_name("FILE|-");
  bench->add_option("--csv", r->outputs.csv, "The table with all its columns")->type_name("FILE|-");
  bench->add_option("--html", r->outputs.html, "A page with the table and the curves")->type_name("FILE|-");
  bench->add_option("--plot", r->outputs.plot, "The curves (.svg, .png)")->type_name("FILE");
  bench->add_flag("--quiet,-q", r->quiet, "No progress");
  add_compare(*bench, code);
  bench->callback([r, bench, &code] {
    if (!bench->get_subcommands().empty()) return;  // compare
    const auto done = posecam::bench(*r);
    code = done ? 0 : report_error(done.error());
  });
}

}  // namespace posecam
