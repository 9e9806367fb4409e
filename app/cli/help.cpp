#include "app/cli/help.h"

#include <cstddef>

namespace posecam {
namespace {

constexpr std::size_t kNames = 34;        // columns of names and values
constexpr std::size_t kDescription = 66;  // columns of what they do

/// Breaks at blanks; the formatter indents what follows a break.
std::string wrapped(std::string text) {
  std::size_t start = 0;
  while (text.size() - start > kDescription) {
    std::size_t at = text.rfind(' ', start + kDescription);
    if (at == std::string::npos || at <= start) at = text.find(' ', start);
    if (at == std::string::npos) break;
    text[at] = '\n';
    start = at + 1;
  }
  return text;
}

}  // namespace

HelpFormatter::HelpFormatter() { column_width(kNames); }

std::string HelpFormatter::make_option(const CLI::Option* option, bool positional) const {
  if (option->get_positional() && !positional) return {};
  return Formatter::make_option(option, positional);
}

std::string HelpFormatter::make_option_name(const CLI::Option* option, bool positional) const {
  if (positional) return option->get_name(true, false);
  const auto& shorts = option->get_snames();
  return (shorts.empty() ? "" : "-" + shorts.front() + ", ") + "--" + option->get_lnames().front();
}

std::string HelpFormatter::make_option_opts(const CLI::Option* option) const {
  if (option->get_expected_max() == 0 || option->get_positional()) return {};
  if (option->get_required()) return " " + option->get_type_name() + " (required)";
  const std::string initial = option->get_default_str();
  const bool plain = initial.empty() || initial == "-1" || initial == "0";
  return " " + option->get_type_name() + (plain ? "" : " (" + initial + ")");
}

std::string HelpFormatter::make_option_desc(const CLI::Option* option) const {
  return wrapped(option->get_description());
}

}  // namespace posecam
