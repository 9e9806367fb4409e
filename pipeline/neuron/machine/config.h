#pragma once
// What the simulator is to be: one JSON document in NEURON_SIM_CONFIG, a few variables of its own, and those of the
// real runtime. Read by nrt_init, never kept between two of them.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>
#include <vector>

#include "models/core/result.h"
#include "pipeline/neuron/machine/faults.h"
#include "pipeline/neuron/machine/instance.h"
#include "pipeline/neuron/neff/device_time.h"

namespace posecam::sim {

/// How the simulator gets its results.
enum class Mode {
  kExact,  ///< computes every row
  kTimed,  ///< takes the device's time, computes a few rows and repeats them
};

/// All settings, checked; the defaults are those of docs/neuron-simulator.md.
struct Config {
  Instance instance;                 ///< cores as configured
  RuntimeVersion runtime;            ///< which one to be: it shows in versions, numbers of types and placements
  Mode mode = Mode::kExact;          ///< exact or timed
  std::filesystem::path pool;        ///< folder of the files that say who owns which core
  bool bf16 = false;                 ///< exact: f32 inputs and outputs rounded to bf16
  std::optional<DeviceTime> time;    ///< instead of the models' own
  double switch_ms = 0;              ///< what an execution takes longer where another model was the core's last
  double transfer_gb_s = 8;          ///< timed: host to device and back, each core; about what a PCIe 3.0 x8 link gives
  std::uint32_t distinct = 4;        ///< timed: rows that are computed
  std::vector<FaultRule> faults;     ///< failures that were ordered
  std::optional<CoreRange> visible;  ///< NEURON_RT_VISIBLE_CORES
  std::optional<std::uint32_t> total;  ///< that nrt_get_total_nc_count tells; without it, the instance's cores
  std::uint32_t wanted = 0;            ///< NEURON_RT_NUM_CORES; 0: all
  /// NEURON_RT_ASYNC_EXEC_MAX_INFLIGHT_REQUESTS, where the runtime knows it; 0: nrt_execute waits for the device.
  std::uint32_t in_flight = 0;
};

/// std::getenv, or a test's own.
using GetEnv = const char* (*)(const char* name);

/// kModel or kUsage, in one line.
Result<Config> read_config(GetEnv env);

/// NEURON_RT_EXEC_TIMEOUT in seconds, 30 without it; for 0, which is no limit, the longest that may be asked for (11
/// days). kUsage. Fractions are an extension of the simulator.
Result<double> read_exec_timeout(GetEnv env);

}  // namespace posecam::sim
