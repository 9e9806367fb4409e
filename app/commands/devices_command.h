#pragma once
// posecam devices: what --device can be on this machine.

namespace CLI {
class App;
}  // namespace CLI

namespace posecam {

/// Adds `devices`. When it has run, `exit_code` (must outlive the parsing) is 0, or 4 without any usable device.
void add_devices_command(CLI::App& app, int& exit_code);

}  // namespace posecam
