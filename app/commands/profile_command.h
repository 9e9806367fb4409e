#pragma once
// posecam profile.

#include <CLI/CLI.hpp>

namespace posecam {

/// Adds the command; when it has run, `code` is its exit code.
void add_profile_command(CLI::App& app, int& code);

}  // namespace posecam
