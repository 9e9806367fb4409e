#include "app/commands/devices_view.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "app/cli/text_table.h"
#include "models/core/text.h"
#include "pipeline/devices/devices.h"

namespace posecam {
namespace {

using Json = nlohmann::ordered_json;

CoreUsage::Key key_of(const CoreActivity& a) { return {a.device, a.core, a.pid, a.model}; }

std::string percent_text(double percent) { return percent < 0 ? "-" : fmt::format("{:.0f} %", percent); }

std::string processes_text(const NeuronDevice& device) {
  std::string text;
  for (const NeuronProcess& process : device.processes) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", process.pid, process.command);
  }
  return text.empty() ? "nobody" : text;
}

void add_neuron(std::string& text, const NeuronReport& report, const CoreUsage& usage, int columns) {
  text += fmt::format("\n{}: runtime {}, {}\n", report.info.name, report.runtime, report.library);
  for (const NeuronDevice& device : report.devices) {
    text += fmt::format("  device {:<3} {} ({}), {:.1f} GiB, held by {}\n", device.index,
                        counted(device.cores, "core", "cores"), fmt::join(device.core_ids, ","),
                        static_cast<double>(device.memory_bytes) / (1U << 30U), processes_text(device));
  }
  if (report.use.empty()) return;
  Cells rows{{"CORE", "PID", "MODEL", "EXECUTIONS", "FRAMES", "BUSY S", "USE", "FAILURES"}};
  for (const CoreActivity& a : report.use) {
    rows.push_back({std::to_string(a.core), std::to_string(a.pid), a.model, std::to_string(a.executions),
                    std::to_string(a.rows), fmt::format("{:.1f}", static_cast<double>(a.busy_ns) / 1e9),
                    percent_text(usage.percent(a)), std::to_string(a.failures)});
  }
  text += lay_out(rows, {.sides = "rrlrrrrr", .keys = 2, .columns = columns});
}

Json to_json(const NeuronDevice& device) {
  auto processes = Json::array();
  for (const NeuronProcess& p : device.processes) processes.push_back({{"pid", p.pid}, {"command", p.command}});
  return {{"neuron_device", device.index},
          {"cores", device.core_ids},
          {"memory_bytes", device.memory_bytes},
          {"processes", std::move(processes)}};
}

Json to_json(const CoreActivity& a, double percent) {
  Json entry{{"core", a.core},   {"pid", a.pid},         {"model", a.model},      {"executions", a.executions},
             {"frames", a.rows}, {"busy_ns", a.busy_ns}, {"failures", a.failures}};
  if (percent >= 0) entry["use_percent"] = percent;
  return entry;
}

void add_neuron(Json& entry, const NeuronReport& report, const CoreUsage& usage) {
  entry["runtime"] = report.runtime;
  entry["library"] = report.library;
  entry["neuron_devices"] = Json::array();
  for (const NeuronDevice& device : report.devices) entry["neuron_devices"].push_back(to_json(device));
  entry["use"] = Json::array();
  for (const CoreActivity& a : report.use) entry["use"].push_back(to_json(a, usage.percent(a)));
  if (report.monitor.empty()) return;
  entry["neuron_monitor"] = Json::array();
  for (const NeuronCoreUse& use : report.monitor) {
    entry["neuron_monitor"].push_back({{"core", use.core}, {"pid", use.pid}, {"use_percent", use.percent}});
  }
}

}  // namespace

DevicesNow look_at_devices(bool monitor) {
  DevicesNow now;
  for (const auto& device : devices()) {
    const DeviceInfo& info = now.devices.emplace_back(device->describe());
    if (!device->traits().neuron_cores || !info.available) continue;
    NeuronReport& report = now.neuron.emplace_back(report_neuron(device->name()));
    if (!monitor || device->traits().simulated) continue;
    if (auto uses = neuron_monitor()) report.monitor = std::move(*uses);
  }
  now.at = std::chrono::steady_clock::now();
  return now;
}

void CoreUsage::update(const DevicesNow& now) {
  const auto passed = std::chrono::duration<double, std::nano>(now.at - at_).count();
  std::map<Key, Known> known;
  for (const NeuronReport& report : now.neuron) {
    for (const CoreActivity& a : report.use) {
      Known& next = known[key_of(a)];
      next.busy_ns = a.busy_ns;
      const auto before = known_.find(key_of(a));
      if (before == known_.end() || a.busy_ns < before->second.busy_ns) continue;
      const double due = before->second.owed_ns + static_cast<double>(a.busy_ns - before->second.busy_ns);
      const double shown = std::min(due, passed);
      next.owed_ns = due - shown;
      next.percent = 100 * shown / passed;
    }
  }
  known_ = std::move(known);
  at_ = now.at;
}

double CoreUsage::percent(const CoreActivity& activity) const {
  const auto found = known_.find(key_of(activity));
  return found == known_.end() ? -1 : found->second.percent;
}

std::string devices_table(const DevicesNow& now, const CoreUsage& usage, int columns) {
  Cells rows{{"NAME", "AVAILABLE", "CORES", "DESCRIPTION"}};
  for (const DeviceInfo& device : now.devices) {
    rows.push_back({device.name, device.available ? "yes" : "no", std::to_string(device.cores), device.description});
  }
  std::string text = lay_out(rows, {.sides = "llrt", .columns = columns});
  for (const NeuronReport& report : now.neuron) {
    if (!report.devices.empty() || !report.use.empty()) add_neuron(text, report, usage, columns);
  }
  for (const NeuronReport& report : now.neuron) {
    for (const NeuronCoreUse& use : report.monitor) {
      text += fmt::format("  neuron-monitor: core {} {:.0f} % (process {})\n", use.core, use.percent, use.pid);
    }
  }
  return text;
}

std::string devices_json(const DevicesNow& now, const CoreUsage& usage, int indent) {
  auto list = Json::array();
  for (const DeviceInfo& device : now.devices) {
    Json entry{{"name", device.name},
               {"available", device.available},
               {"cores", device.cores},
               {"description", device.description}};
    const auto report = std::ranges::find(now.neuron, device.name, [](const NeuronReport& r) { return r.info.name; });
    if (report != now.neuron.end()) add_neuron(entry, *report, usage);
    list.push_back(std::move(entry));
  }
  return with_escapes(list.dump(indent, ' ', false, Json::error_handler_t::replace)) + "\n";
}

}  // namespace posecam
