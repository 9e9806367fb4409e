#include "app/commands/devices_command.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <unistd.h>

#include <CLI/CLI.hpp>

#include "app/cli/console.h"
#include "app/cli/exit_code.h"
#include "app/commands/devices_view.h"

namespace posecam {
namespace {

constexpr std::chrono::seconds kPeriod{1};

struct Wish {
  bool json = false;
  bool watch = false;
};

int list(bool json) {
  const DevicesNow now = look_at_devices(false);
  put_text(json ? devices_json(now, {}, 2) : devices_table(now, {}, terminal_columns(STDOUT_FILENO)));
  if (std::ranges::any_of(now.devices, &DeviceInfo::available)) return 0;
  tell("posecam: no device can be used on this machine\n");
  return exit_code(Errc::kDevice);
}

/// Until Ctrl-C, which ends the program as it ends any other, or until nobody reads any more.
int watch(bool json) {
  const bool terminal = ::isatty(STDOUT_FILENO) == 1;
  CoreUsage usage;
  for (auto next = std::chrono::steady_clock::now();; std::this_thread::sleep_until(next)) {
    const DevicesNow now = look_at_devices(true);
    usage.update(now);
    const std::string text =
        json ? devices_json(now, usage, -1) : devices_table(now, usage, terminal_columns(STDOUT_FILENO)) + "\n";
    terminal && !json ? put_screen(text) : put_text(text);
    if (!all_printed()) return 0;
    next = std::max(next + kPeriod, now.at);
  }
}

}  // namespace

void add_devices_command(CLI::App& app, int& code) {
  auto wish = std::make_shared<Wish>();
  CLI::App* devices = app.add_subcommand("devices", "Show what networks can run on here, and who uses it");
  devices->add_flag("--json", wish->json, "As JSON, for programs");
  devices->add_flag("--watch", wish->watch, "Every second anew, with the use of each NeuronCore, until Ctrl-C");
  devices->callback([wish, &code] { code = wish->watch ? watch(wish->json) : list(wish->json); });
}

}  // namespace posecam
