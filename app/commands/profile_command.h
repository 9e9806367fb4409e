#pragma once
// posecam profile.

namespace CLI {
class App;
}  // namespace CLI

namespace posecam {

/// Adds the command; when it has run, `code` is its exit code.
void add_profile_command(CLI::App& app, int& code);

}  // namespace posecam
