#include "app/devices_command.h"

#include <algorithm>
#include <cstdio>
#include <memory>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/exit_code.h"
#include "app/tell.h"
#include "pipeline/backends.h"

namespace posecam {
namespace {

void print_json(const std::vector<DeviceInfo>& devices) {
  auto list = nlohmann::ordered_json::array();
  for (const DeviceInfo& device : devices) {
    list.push_back({{"name", device.name},
                    {"available", device.available},
                    {"cores", device.cores},
                    {"description", device.description}});
  }
  fmt::print("{}\n", list.dump(2));
}

void print_table(const std::vector<DeviceInfo>& devices) {
  fmt::print("{:<12}  {:<9}  {:>5}  {}\n", "NAME", "AVAILABLE", "CORES", "DESCRIPTION");
  for (const DeviceInfo& device : devices) {
    fmt::print("{:<12}  {:<9}  {:>5}  {}\n", device.name, device.available ? "yes" : "no", device.cores,
               device.description);
  }
}

int list(bool json) {
  const std::vector<DeviceInfo> devices = list_devices();
  json ? print_json(devices) : print_table(devices);
  if (std::ranges::any_of(devices, &DeviceInfo::available)) return 0;
  tell("posecam: no device can be used on this machine\n");
  return exit_code(Errc::kDevice);
}

}  // namespace

void add_devices_command(CLI::App& app, int& code) {
  auto json = std::make_shared<bool>(false);
  CLI::App* devices = app.add_subcommand("devices", "Show what networks can run on here");
  devices->add_flag("--json", *json, "As JSON, for programs");
  devices->callback([json, &code] { code = list(*json); });
}

}  // namespace posecam
