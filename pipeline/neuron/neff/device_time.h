#pragma once
// How long a core takes for a batch: the model behind the simulator's device time, from published figures or numbers of
// one's own.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "models/core/result.h"

namespace posecam {

class JsonNode;

/// fixed + per row * batch, or points by batch size with straight lines between and beyond them.
struct DeviceTime {
  std::string preset;     ///< where the numbers are from; empty for numbers of one's own
  double fixed_ms = 0;    ///< of a batch, whatever its size
  double per_row_ms = 0;  ///< more for each row
  std::vector<std::pair<std::uint32_t, double>> by_batch;  ///< ascending batch; wins where it is not empty

  /// Milliseconds that one core needs for a batch.
  double ms(std::uint32_t batch) const;

  friend bool operator==(const DeviceTime&, const DeviceTime&) = default;
};

/// "openpose", "resnet50", "coordinates"; docs/neuron-simulator.md names their sources.
std::vector<std::string_view> device_time_presets();

/// {"preset": NAME}, {"fixed_ms": a, "per_row_ms": b} or {"by_batch": {"1": ms, ...}}. Problems go to the node's
/// document.
DeviceTime read_device_time(const JsonNode& node);
/// As read_device_time() reads it; a preset as its name.
nlohmann::json to_json(const DeviceTime& time);

/// A preset's name, or "A+B": A ms and B ms more for each row. kUsage.
Result<DeviceTime> parse_device_time(const std::string& text);

}  // namespace posecam
