#pragma once
// posecam bench.

#include <CLI/CLI.hpp>

namespace posecam {

/// Adds the command; when it has run, `code` is its exit code.
void add_bench_command(CLI::App& app, int& code);

}  // namespace posecam
