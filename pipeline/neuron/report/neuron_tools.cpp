#include "pipeline/neuron/report/neuron_tools.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <system_error>
#include <type_traits>
#include <unistd.h>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "models/core/text.h"
#include "pipeline/neuron/report/tool_process.h"

namespace posecam {
namespace {

using Json = nlohmann::json;
constexpr std::chrono::seconds kPatience{5};
constexpr std::string_view kMonitorConfig =
    R"({"period": "1s", "neuron_runtimes": [{"tag_filter": ".*", "metrics": [{"type": "neuroncore_counters"}]}],)"
    R"( "system_metrics": []})";

/// The value of a key if it is there and has the type, else `otherwise`: tools of ten SDKs differ in what they say.
template <class T>
T value_or(const Json& object, const char* key, T otherwise) {
  if (!object.is_object()) return otherwise;
  const auto found = object.find(key);
  if (found == object.end()) return otherwise;
  if constexpr (std::is_same_v<T, std::string>) {
    return found->is_string() ? found->template get<std::string>() : otherwise;
  } else {
    if (!found->is_number()) return otherwise;
    const auto number = found->template get<double>();
    return number >= 0 && number < 1.8e19 ? static_cast<T>(number) : otherwise;
  }
}

const Json& child(const Json& object, const char* key) {
  static const Json none;
  if (!object.is_object()) return none;
  const auto found = object.find(key);
  return found == object.end() ? none : *found;
}

NeuronDevice read_device(const Json& entry, CoreId next_core) {
  NeuronDevice device;
  device.index = value_or(entry, "neuron_device", std::uint32_t{0});
  device.cores = std::min(value_or(entry, "nc_count", std::uint32_t{0}), std::uint32_t{1024});
  device.memory_bytes = value_or(entry, "memory_size", std::uint64_t{0});
  const Json& ids = child(entry, "neuroncore_ids");
  if (ids.is_array() && !ids.empty()) {
    for (const Json& id : ids) {
      if (id.is_number_unsigned()) device.core_ids.push_back(id.get<CoreId>());
    }
  } else {
    for (CoreId i = 0; i < device.cores; ++i) device.core_ids.push_back(next_core + i);
  }
  for (const Json& process : child(entry, "neuron_processes")) {
    device.processes.push_back(
        {value_or(process, "pid", std::int64_t{0}), short_line(value_or(process, "command", std::string()))});
  }
  return device;
}

Result<std::string> run(const std::string& name, std::vector<std::string> arguments, Until until) {
  arguments.insert(arguments.begin(), name);
  auto text = read_tool(arguments, kPatience, until);
  const std::string installed = "/opt/aws/neuron/bin/" + name;
  if (text || ::access(installed.c_str(), X_OK) != 0) return text;
  arguments.front() = installed;
  return read_tool(arguments, kPatience, until);
}

}  // namespace

Result<std::vector<NeuronDevice>> parse_neuron_ls(std::string_view json) {
  const Json list = Json::parse(json, nullptr, false);
  if (!list.is_array()) return Error{Errc::kDevice, "neuron-ls: no list of devices"};
  std::vector<NeuronDevice> devices;
  CoreId next_core = 0;
  for (const Json& entry : list) {
    devices.push_back(read_device(entry, next_core));
    next_core += devices.back().cores;
  }
  return devices;
}

Result<std::vector<NeuronCoreUse>> parse_neuron_monitor(std::string_view json) {
  const Json report = Json::parse(json, nullptr, false);
  if (!report.is_object()) return Error{Errc::kDevice, "neuron-monitor: no report"};
  std::vector<NeuronCoreUse> uses;
  for (const Json& process : child(report, "neuron_runtime_data")) {
    const Json& cores = child(child(child(process, "report"), "neuroncore_counters"), "neuroncores_in_use");
    if (!cores.is_object()) continue;
    for (const auto& [id, counters] : cores.items()) {
      NeuronCoreUse use;
      const auto read = std::from_chars(id.data(), id.data() + id.size(), use.core);
      if (read.ec != std::errc{} || read.ptr != id.data() + id.size()) continue;
      use.pid = value_or(process, "pid", std::int64_t{0});
      use.percent = value_or(counters, "neuroncore_utilization", 0.0);
      uses.push_back(use);
    }
  }
  return uses;
}

Result<std::vector<NeuronDevice>> neuron_ls() {
  const auto text = run("neuron-ls", {"--json-output"}, Until::kExit);
  if (!text) return text.error();
  return parse_neuron_ls(*text);
}

Result<std::vector<NeuronCoreUse>> neuron_monitor() {
  // Its own period is 5 s, and it takes another one from a file alone.
  std::error_code error;
  std::string config = (std::filesystem::temp_directory_path(error) / "posecam-monitor-XXXXXX").string();
  const int fd = error ? -1 : ::mkstemp(config.data());
  if (fd < 0) return Error{Errc::kDevice, "neuron-monitor: no temporary file"};
  const bool written = ::write(fd, kMonitorConfig.data(), kMonitorConfig.size()) == std::ssize(kMonitorConfig);
  ::close(fd);
  const auto line = written ? run("neuron-monitor", {"-c", config}, Until::kOneLine) : std::string("{}");
  ::unlink(config.c_str());
  if (!line) return line.error();
  return parse_neuron_monitor(*line);
}

std::string holders_of(const std::vector<NeuronDevice>& devices, const std::vector<CoreId>& cores) {
  std::string text;
  const auto self = static_cast<std::int64_t>(::getpid());
  for (const NeuronDevice& device : devices) {
    const bool ours = cores.empty() || std::ranges::any_of(device.core_ids, [&](CoreId core) {
                        return std::ranges::find(cores, core) != cores.end();
                      });
    if (!ours) continue;
    for (const NeuronProcess& process : device.processes) {
      if (process.pid == self) continue;
      const std::string name = fmt::format("process {} ({})", process.pid, process.command);
      if (text.find(name) == std::string::npos) text += (text.empty() ? "" : ", ") + name;
    }
  }
  return text;
}

}  // namespace posecam
