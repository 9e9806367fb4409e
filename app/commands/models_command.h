#pragma once
// posecam models list | show | pull | verify | path: the zoo and the weights on this machine.

namespace CLI {
class App;
}  // namespace CLI

namespace posecam {

/// Adds `models` and its subcommands. When one of them has run, `exit_code` (must outlive the parsing) is its result:
/// 0, or 3 with a line on stderr. Results go to stdout, progress to stderr.
void add_models_command(CLI::App& app, int& exit_code);

}  // namespace posecam
