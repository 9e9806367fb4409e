#include "app/bench/measure_tools.h"

#include <algorithm>
#include <cstdio>
#include <memory>
#include <sys/resource.h>
#include <unistd.h>

#include "pipeline/devices/devices.h"
#include "pipeline/neuron/report/core_board.h"

namespace posecam {
namespace {

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
}

/// proc(5): the second number of statm is the resident set in pages.
double resident_mb() {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen("/proc/self/statm", "re"), std::fclose);
  unsigned long pages = 0;
  if (!file || std::fscanf(file.get(), "%*u %lu", &pages) != 1) return 0;
  return 1e-6 * static_cast<double>(pages) * static_cast<double>(sysconf(_SC_PAGESIZE));
}

}  // namespace

double bytes_of_a_row(const ModelSpec& model) {
  const auto bytes = model.input.shape().elements() * size_of(model.input.dtype);
  return static_cast<double>(bytes) / model.input.batch;
}

ProcessUse ProcessUse::now(std::string_view device) {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  ProcessUse use{.cpu_s = seconds(usage.ru_utime) + seconds(usage.ru_stime),
                 .counted = device_traits(device).neuron_cores};
  if (!use.counted) return use;
  for (const CoreActivity& core : CoreBoard::read(CoreBoard::folder())) {
    if (core.pid == getpid()) use.busy_s += 1e-9 * static_cast<double>(core.busy_ns);
  }
  return use;
}

void ProcessUse::since(const ProcessUse& before, double seconds, BenchRun& run) const {
  run.cpu_use = (cpu_s - before.cpu_s) / seconds;
  const double busy = counted ? (busy_s - before.busy_s) / seconds : run.cpu_use;
  run.core_use = std::min(1.0, busy / std::max(1U, run.cores));  // an execution counts when it ends, wherever it began
  run.rss_mb = resident_mb();
}

}  // namespace posecam
