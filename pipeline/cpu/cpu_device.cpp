#include "pipeline/cpu/cpu_device.h"

#include <algorithm>
#include <string>
#include <thread>

#include "models/core/paths.h"
#include "models/store/store.h"
#include "pipeline/backend/core_list.h"

namespace posecam {
namespace {

CoreId cpu_cores() { return std::max(1U, std::thread::hardware_concurrency()); }

class CpuDevice final : public Device {
 public:
  explicit CpuDevice(const CpuLibrary& library) : Device(library.name, {}), library_(library) {}

  DeviceInfo describe() const override { return library_.describe(cpu_cores()); }
  bool is_automatic() const override { return library_.built_in; }

  bool can(const ModelSpec& original) const override {
    const auto store = ModelStore::open_default();
    return library_.built_in && store && store->has_begun(original, name());
  }

  std::string command_for(const ModelSpec& original) const override { return pull_command(original, name()); }

  Result<ModelSpec> resolve(const ModelSpec& original, const ModelWishes& wishes) const override {
    return as_wished(original, wishes);
  }

  Result<BackendOptions> options_for(std::string_view cores) const override {
    auto list = parse_core_list(cores, cpu_cores());
    if (!list) return list.error();
    BackendOptions options;
    options.cores = std::move(*list);
    options.cache_dir = cache_dir("openvino");
    return options;
  }

  Result<std::unique_ptr<InferenceBackend>> open(const ModelSpec& model, const BackendOptions& options) const override {
    const auto store = ModelStore::open_default();
    if (!store) return store.error();
    const auto weights = store->weights(model, name());
    if (!weights) return weights.error();
    return library_.load(model, *weights, options);
  }

 private:
  const CpuLibrary library_;
};

}  // namespace

std::shared_ptr<const Device> make_cpu_device(const CpuLibrary& library) {
  return std::make_shared<CpuDevice>(library);
}

}  // namespace posecam
