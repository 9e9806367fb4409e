#pragma once
// `posecam compile`: networks for Neuron devices, and for their simulator.

namespace CLI {
class App;
}  // namespace CLI

namespace posecam {

/// `code` becomes the exit code when the command ran.
void add_compile_command(CLI::App& app, int& code);

}  // namespace posecam
