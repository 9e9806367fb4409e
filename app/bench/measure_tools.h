#pragma once
// What both kinds of measurement share.

#include <chrono>
#include <string_view>
#include <thread>

#include "app/bench/bench.h"
#include "models/spec/model_spec.h"

namespace posecam {

inline constexpr double kForever = 1e9;  ///< seconds

/// Until the time is over or `done` says so.
template <class Done>
void wait_for(double seconds, Done done) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  while (std::chrono::steady_clock::now() < end && !done()) std::this_thread::sleep_for(std::chrono::milliseconds(2));
}

/// Of one row of the network's input as it goes to the device.
double bytes_of_a_row(const ModelSpec& model);

/// What this process has used so far.
struct ProcessUse {
  double cpu_s = 0;      ///< user and system time of all threads
  double busy_s = 0;     ///< of all cores of a Neuron device, from the process's own counters
  bool counted = false;  ///< whether there are such

  static ProcessUse now(std::string_view device);  ///< `device`: its name; Neuron devices are counted
  /// Fills in core_use, cpu_use and rss_mb of a run with its `cores`, of `seconds`. The cores of a CPU are busy when
  /// this process uses them.
  void since(const ProcessUse& before, double seconds, BenchRun& run) const;
};

}  // namespace posecam
