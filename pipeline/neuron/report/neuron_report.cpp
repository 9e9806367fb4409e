#include "pipeline/neuron/report/neuron_report.h"

#include <cstdlib>

#include <fmt/format.h>

#include "pipeline/neuron/machine/config.h"
#include "pipeline/neuron/machine/core_file.h"
#include "pipeline/neuron/nrt/neuron_library.h"

namespace posecam {
namespace {

NeuronReport look(std::string_view device) {
  NeuronReport report;
  DeviceInfo& info = report.info;
  info.name = device;
  const auto library = load_neuron_library(device);
  if (!library) {
    info.description = device == kNeuronSim ? "the simulator is not installed"
                                            : "no Neuron runtime (aws-neuronx-runtime-lib) is installed";
    return report;
  }
  report.runtime = (*library)->version();
  report.library = (*library)->path().string();
  const char* const option = std::getenv("POSECAM_NRT_LIBRARY");
  if (device == kNeuron && !has_neuron_device() && !(option && *option)) {
    info.description = fmt::format("no Neuron device (/dev/neuron*); runtime {} is installed", report.runtime);
    return report;
  }
  const auto count = (*library)->functions().nrt_get_total_nc_count;
  std::uint32_t cores = 0;
  if (count && (count(&cores) != NRT_SUCCESS || cores == 0)) {
    info.description = fmt::format("runtime {} finds no NeuronCore", report.runtime);
    return report;
  }
  info.cores = cores;
  info.available = true;
  info.description =
      fmt::format("{}, runtime {}", device == kNeuronSim ? "simulated NeuronCores" : "AWS NeuronCores", report.runtime);
  return report;
}

}  // namespace

DeviceInfo describe_neuron(std::string_view device) { return look(device).info; }

NeuronReport report_neuron(std::string_view device) {
  NeuronReport report = look(device);
  if (!report.info.available) return report;
  if (device == kNeuronSim) {
    report.devices = simulated_devices();
  } else if (auto devices = neuron_ls()) {
    report.devices = std::move(*devices);
  }
  for (CoreActivity& activity : CoreBoard::read(CoreBoard::folder())) {
    if (activity.device == device) report.use.push_back(std::move(activity));
  }
  return report;
}

std::vector<NeuronDevice> simulated_devices() {
  std::vector<NeuronDevice> devices;
  const auto config = sim::read_config([](const char* name) -> const char* { return std::getenv(name); });
  if (!config) return devices;  // no simulator starts with these settings either
  for (const sim::CoreUse& use : sim::read_core_pool(config->pool)) {
    if (!use.held && use.core >= config->instance.cores) continue;  // of an earlier, larger instance
    NeuronDevice device;
    device.index = use.core;
    device.cores = 1;
    device.memory_bytes = use.memory_limit;
    device.core_ids = {use.core};
    if (use.held) device.processes.push_back({static_cast<std::int64_t>(use.pid), use.command});
    devices.push_back(std::move(device));
  }
  return devices;
}

}  // namespace posecam
