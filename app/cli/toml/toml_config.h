#pragma once
// The TOML of --config for CLI11: its own reader takes broken TOML without a word.

#include <string>
#include <vector>

#include <CLI/CLI.hpp>

namespace posecam {

/// Flat TOML: KEY = value or KEY = [values], keys are long option names. Throws CLI::FileError with file and line.
class TomlConfig final : public CLI::Config {
 public:
  std::vector<CLI::ConfigItem> from_config(std::istream& input) const override;
  /// Every option of `app` that has a value or default, but for help and the config options themselves.
  std::string to_config(const CLI::App* app, bool default_also, bool write_description,
                        std::string prefix) const override;
};

}  // namespace posecam
