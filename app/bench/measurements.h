#pragma once
// What `posecam bench --json` measured, as far as a price follows from it.

#include <cstdint>
#include <string>
#include <vector>

#include "models/core/result.h"

namespace posecam {

/// What is compared: the same work, whoever does it. Empty: typed figures, which say nothing of it.
struct Workload {
  std::string model{};           ///< as bench was given it
  std::string stages{};          ///< "net": the network alone; "all": end to end
  std::string net_resolution{};  ///< WIDTHxHEIGHT

  friend bool operator==(const Workload&, const Workload&) = default;
};

inline constexpr double kLeastThroughput = 1e-9;  ///< frames a second; less has no price

/// One combination of settings.
struct Measurement {
  Workload workload;        ///< what was done
  std::string device;       ///< "neuron", "neuron-sim", "openvino", "opencv"
  bool simulated = false;   ///< the device's time is the simulator's
  std::uint32_t batch = 0;  ///< frames
  std::uint32_t cores = 0;  ///< NeuronCores at work; at least 1 for neuron and neuron-sim
  double throughput = 0;    ///< frames a second, 1e-9 to 1e9
  double p99_s = 0;         ///< of a request, in seconds

  /// On NeuronCores, real or simulated.
  bool neuron() const;
};

/// All of one report.
struct Measurements {
  std::string cpu{};             ///< of the machine that measured: its name
  std::uint32_t cpus = 0;        ///< and how many it has
  std::vector<Measurement> all;  ///< at least one
};

/// What parse_bench_report() reads, but for cases of which nothing was measured; each on a device that is known, with a
/// throughput above 0. kModel.
Result<Measurements> parse_measurements(const std::string& text, const std::string& where);

}  // namespace posecam
