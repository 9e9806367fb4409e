#pragma once
// `posecam cost`: what inference costs on instances of AWS, and which is the cheapest.

namespace CLI {
class App;
}  // namespace CLI

namespace posecam {

/// `code` becomes the exit code when the command ran.
void add_cost_command(CLI::App& app, int& code);

}  // namespace posecam
