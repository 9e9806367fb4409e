#include "pipeline/devices/backends.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <map>
#include <mutex>
#include <optional>
#include <thread>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "models/core/log.h"
#include "models/store/store.h"
#include "pipeline/backend/core_list.h"
#include "pipeline/devices/opencv_backend.h"
#include "pipeline/neuron/nrt/neuron_library.h"
#include "pipeline/neuron/report/neuron_report.h"
#include "pipeline/neuron/runtime/neuron_backend.h"
#ifdef POSECAM_HAVE_OPENVINO
#include "pipeline/devices/openvino_backend.h"
#endif

namespace posecam {
namespace {

constexpr CoreId kMostNeuronCores = 1024;  // more than any instance has

CoreId cpu_cores() { return std::max(1U, std::thread::hardware_concurrency()); }

#ifdef POSECAM_HAVE_OPENVINO
constexpr std::array<std::string_view, 2> kByPreference{"openvino", "opencv"};
#else
constexpr std::array<std::string_view, 1> kByPreference{"opencv"};
#endif

Result<std::filesystem::path> find_weights(std::string_view device, const ModelSpec& spec) {
  auto store = ModelStore::open_default();
  if (!store) return store.error();
  return store->weights(spec, device);
}

Result<std::unique_ptr<InferenceBackend>> load(std::string_view device, const ModelSpec& spec,
                                               const std::filesystem::path& weights, const BackendOptions& options) {
#ifdef POSECAM_HAVE_OPENVINO
  if (device == "openvino") return make_openvino_backend(spec, weights, options);
#else
  if (device == "openvino") {
    return Error{Errc::kDevice, "device openvino is not built in: build with OpenVINO, or use device opencv"};
  }
#endif
  return make_opencv_backend(spec, weights, options);
}

/// The best device that has weights. If it then fails, that is an error: a silent change to a slower one would be
/// worse.
Result<std::unique_ptr<InferenceBackend>> load_best(const ModelSpec& spec, const BackendOptions& options) {
  std::optional<Error> first;
  for (const std::string_view device : kByPreference) {
    auto weights = find_weights(device, spec);
    if (weights) {
      logger().info("device auto: {}", device);
      return load(device, spec, *weights, options);
    }
    if (!first && spec.weights_for(device)) first = weights.error();
  }
  if (first) return *first;  // names the command to run
  return Error{Errc::kModel, fmt::format("model '{}': its descriptor has no weights for a device that is built in: {}",
                                         spec.name, fmt::join(kByPreference, ", "))};
}

struct AddedDevices {
  std::mutex mutex;
  std::map<std::string, BackendFactory, std::less<>> factories;
};
AddedDevices& added_devices() {
  static AddedDevices devices;
  return devices;
}

BackendFactory find_added(std::string_view device) {
  AddedDevices& added = added_devices();
  std::lock_guard lock(added.mutex);
  const auto found = added.factories.find(device);
  return found == added.factories.end() ? nullptr : found->second;
}

}  // namespace

std::filesystem::path default_cache_dir() {
  const char* cache = std::getenv("XDG_CACHE_HOME");
  if (cache && cache[0] == '/') return std::filesystem::path(cache) / "posecam/openvino";
  const char* home = std::getenv("HOME");
  if (home && home[0] == '/') return std::filesystem::path(home) / ".cache/posecam/openvino";
  return {};
}

Result<BackendOptions> BackendOptions::parse(std::string_view cores, std::string_view precision,
                                             std::string_view scheduling, std::string_view device) {
  BackendOptions options;
  if (!is_neuron(device) || cores != "all") {
    auto list = parse_core_list(cores, is_neuron(device) ? kMostNeuronCores : cpu_cores());
    if (!list) return list.error();
    options.cores = std::move(*list);
  }
  options.cache_dir = default_cache_dir();
  if (precision == "f32") {
    options.precision = Precision::kF32;
  } else if (precision == "bf16") {
    options.precision = Precision::kBf16;
  } else if (precision != "auto") {
    return Error{Errc::kUsage, fmt::format("precision={}: must be auto, f32 or bf16", precision)};
  }
  if (scheduling == "latency") {
    options.scheduling = Scheduling::kLatency;
  } else if (scheduling != "throughput") {
    return Error{Errc::kUsage, fmt::format("scheduling-policy={}: must be throughput or latency", scheduling)};
  }
  return options;
}

Result<std::unique_ptr<InferenceBackend>> make_backend(std::string_view device, const ModelSpec& spec,
                                                       const BackendOptions& options) {
  if (device == "auto") return load_best(spec, options);
  if (is_neuron(device)) {
    const auto neff = find_weights(kNeuron, spec);
    if (!neff) return neff.error();
    return make_neuron_backend(device, spec, neff->parent_path(), options);
  }
  if (device != "openvino" && device != "opencv") {
    if (const BackendFactory factory = find_added(device)) return factory(spec, options);
    return Error{Errc::kUsage, fmt::format("device={}: must be auto, neuron, neuron-sim, openvino or opencv", device)};
  }
  const auto weights = find_weights(device, spec);
  if (!weights) return weights.error();
  return load(device, spec, *weights, options);
}

void add_device(std::string name, BackendFactory factory) {
  AddedDevices& added = added_devices();
  std::lock_guard lock(added.mutex);
  added.factories.insert_or_assign(std::move(name), std::move(factory));
}

std::vector<DeviceInfo> list_devices() {
  std::vector<DeviceInfo> devices{describe_neuron(kNeuron), describe_neuron(kNeuronSim)};
#ifdef POSECAM_HAVE_OPENVINO
  devices.push_back(describe_openvino(cpu_cores()));
#else
  devices.push_back({"openvino", "not built in", false, 0});
#endif
  devices.push_back(describe_opencv(cpu_cores()));
  return devices;
}

}  // namespace posecam
