#pragma once
// Devices on paper: a table for people, JSON for programs.

#include <chrono>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "pipeline/backend/device.h"
#include "pipeline/neuron/report/neuron_report.h"

namespace posecam {

/// Everything that `posecam devices` knows at one moment.
struct DevicesNow {
  std::vector<DeviceInfo> devices;           ///< all, whether or not they are available
  std::vector<NeuronReport> neuron;          ///< those that are available
  std::chrono::steady_clock::time_point at;  ///< when it was so
};
/// `monitor`: ask neuron-monitor, too, which takes its period of a second.
DevicesNow look_at_devices(bool monitor);

/// Share of the time that cores were busy between two looks, in percent; nothing at the first look. An execution counts
/// when it is over: what is more than the time since the last look is shown at the next ones.
class CoreUsage {
 public:
  /// By (device, core, pid, model).
  using Key = std::tuple<std::string, CoreId, std::int64_t, std::string>;
  /// The next look.
  void update(const DevicesNow& now);
  /// Negative if not known yet.
  double percent(const CoreActivity& activity) const;

 private:
  struct Known {
    std::uint64_t busy_ns = 0;
    double owed_ns = 0;  ///< busy, and not shown yet
    double percent = -1;
  };
  std::map<Key, Known> known_;
  std::chrono::steady_clock::time_point at_{};
};

/// For a terminal of so many columns (0: none). Ends with a newline.
std::string devices_table(const DevicesNow& now, const CoreUsage& usage, int columns);
/// A list of devices. `indent` < 0: in one line.
std::string devices_json(const DevicesNow& now, const CoreUsage& usage, int indent);

}  // namespace posecam
