#include "pipeline/backends.h"

#include <algorithm>
#include <cstdlib>
#include <thread>

#include <fmt/format.h>

#include "models/store.h"
#include "pipeline/core_list.h"
#include "pipeline/opencv/opencv_backend.h"
#ifdef POSECAM_HAVE_OPENVINO
#include "pipeline/openvino/openvino_backend.h"
#endif

namespace posecam {
namespace {

CoreId cpu_cores() { return std::max(1U, std::thread::hardware_concurrency()); }

Result<std::unique_ptr<InferenceBackend>> make_one(std::string_view device, const ModelSpec& spec,
                                                   const BackendOptions& options) {
  auto store = ModelStore::open_default();
  if (!store) return store.error();
  auto weights = store->weights(spec, device);
  if (!weights) return weights.error();
  if (device == "opencv") return make_opencv_backend(spec, *weights, options);
#ifdef POSECAM_HAVE_OPENVINO
  return make_openvino_backend(spec, *weights, options);
#else
  return Error{Errc::kDevice, "device openvino is not built in: build with OpenVINO, or use device opencv"};
#endif
}

}  // namespace

std::filesystem::path default_cache_dir() {
  const char* cache = std::getenv("XDG_CACHE_HOME");
  if (cache && cache[0] == '/') return std::filesystem::path(cache) / "posecam/openvino";
  const char* home = std::getenv("HOME");
  if (home && home[0] == '/') return std::filesystem::path(home) / ".cache/posecam/openvino";
  return {};
}

Result<void> check_same_tensors(const ModelSpec& loaded, const ModelSpec& asked) {
  const InputSpec& a = loaded.input;
  const InputSpec& b = asked.input;
  if (a.name == b.name && a.dtype == b.dtype && a.shape() == b.shape() && loaded.outputs == asked.outputs) return {};
  return Error{Errc::kModel, fmt::format("model {}: loaded with input {} {} {}, asked for {} {} {}, or other outputs",
                                         asked.name, a.name, to_string(a.shape()), to_string(a.dtype), b.name,
                                         to_string(b.shape()), to_string(b.dtype))};
}

Result<BackendOptions> BackendOptions::parse(std::string_view cores, std::string_view precision,
                                             std::string_view scheduling) {
  BackendOptions options;
  auto list = parse_core_list(cores, cpu_cores());
  if (!list) return list.error();
  options.cores = std::move(*list);
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
  if (device == "openvino" || device == "opencv") return make_one(device, spec, options);
  if (device != "auto") {
    return Error{Errc::kUsage, fmt::format("device={}: must be auto, openvino or opencv", device)};
  }
#ifdef POSECAM_HAVE_OPENVINO
  auto preferred = make_one("openvino", spec, options);
  if (preferred || !spec.weights_for("opencv")) return preferred;
  auto other = make_one("opencv", spec, options);
  if (other || !spec.weights_for("openvino")) return other;
  return preferred;  // its message names the better of the two remedies
#else
  return make_one("opencv", spec, options);
#endif
}

std::vector<DeviceInfo> list_devices() {
  std::vector<DeviceInfo> devices;
#ifdef POSECAM_HAVE_OPENVINO
  devices.push_back(describe_openvino(cpu_cores()));
#else
  devices.push_back({"openvino", "not built in", false, 0});
#endif
  devices.push_back(describe_opencv(cpu_cores()));
  return devices;
}

}  // namespace posecam
