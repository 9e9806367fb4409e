#pragma once
// How --help looks, for every command.

#include <string>

#include <CLI/CLI.hpp>

namespace posecam {

/// One name an option (the others are for old habits), how a value is called, and the default where that says
/// something; descriptions are wrapped.
class HelpFormatter final : public CLI::Formatter {
 public:
  HelpFormatter();
  std::string make_option(const CLI::Option* option, bool positional) const override;
  std::string make_option_name(const CLI::Option* option, bool positional) const override;
  std::string make_option_opts(const CLI::Option* option) const override;
  std::string make_option_desc(const CLI::Option* option) const override;
};

}  // namespace posecam
