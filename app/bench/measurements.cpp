#include "app/bench/measurements.h"

#include <fmt/format.h>

#include "app/bench/bench.h"
#include "models/core/text.h"
#include "pipeline/devices/devices.h"

namespace posecam {

bool Measurement::neuron() const { return device_traits(device).neuron_cores; }

Result<Measurements> parse_measurements(const std::string& text, const std::string& where) {
  const auto report = parse_bench_report(text, where);
  if (!report) return report.error();
  Measurements measurements{.cpu = report->cpu, .cpus = report->cpus, .all = {}};
  for (const BenchResult& result : report->results) {
    const BenchCase& what = result.what;
    if (!result.failure.empty() || result.runs.empty()) continue;
    if (auto known = find_device(what.device); !known) {
      return Error{Errc::kModel, fmt::format("{}: {}: whose figures these are cannot be told; measure again", where,
                                             known.error().message)};
    }
    Measurement m{.workload = {what.model, what.whole ? "all" : "net", what.net_resolution},
                  .device = what.device,
                  .simulated = result.simulated,
                  .batch = what.batch,
                  .cores = what.cores,
                  .throughput = result.median(&BenchRun::throughput),
                  .p99_s = result.median(&BenchRun::p99_ms) / 1000};
    if (m.throughput < kLeastThroughput || (m.neuron() && m.cores == 0)) {
      return Error{Errc::kModel,
                   fmt::format("{}: {} on {}: throughput {} on {}: nothing can be priced by that", where,
                               m.workload.model, m.device, m.throughput, counted(m.cores, "core", "cores"))};
    }
    measurements.all.push_back(std::move(m));
  }
  if (measurements.all.empty()) return Error{Errc::kModel, fmt::format("{}: results: nothing was measured", where)};
  return measurements;
}

}  // namespace posecam
