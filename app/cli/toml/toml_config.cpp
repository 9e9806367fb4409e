#include "app/cli/toml/toml_config.h"

#include <sstream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/cli/toml/toml.h"
#include "models/core/text.h"

namespace posecam {
namespace {

constexpr std::size_t kMostBytes = std::size_t{1} << 20;

std::string text_of(const toml::node& node, std::string_view key) {
  if (const auto text = node.value<std::string>(); node.is_string()) return *text;
  if (node.is_boolean() || node.is_integer() || node.is_floating_point()) {
    std::ostringstream out;
    if (node.is_boolean()) {
      out << (*node.value<bool>() ? "true" : "false");
    } else {
      node.is_integer() ? out << *node.value<std::int64_t>() : out << *node.value<double>();
    }
    return out.str();
  }
  throw CLI::FileError(fmt::format("line {}: {} must be a text, a number, true, false or a list of these",
                                   node.source().begin.line, key));
}

/// A value as TOML: numbers and booleans bare, the rest quoted. JSON's escapes are TOML's too, but for DEL, which JSON
/// leaves as it is and TOML does not take.
std::string quoted(const std::string& value, bool bare) {
  using nlohmann::json;
  return bare ? value : with_escapes(json(value).dump(-1, ' ', false, json::error_handler_t::replace));
}

}  // namespace

std::vector<CLI::ConfigItem> TomlConfig::from_config(std::istream& input) const {
  // Not the stream itself, which may be of a device that never ends.
  std::string text(kMostBytes + 1, '\0');
  input.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(input.gcount()));
  if (text.size() > kMostBytes) throw CLI::FileError(fmt::format("larger than {} bytes", kMostBytes));
  toml::table table;
  try {
    table = toml::parse(text);
  } catch (const toml::parse_error& e) {
    throw CLI::FileError(fmt::format("line {}: {}", e.source().begin.line, e.description()));
  }
  std::vector<CLI::ConfigItem> found;
  for (const auto& [key, node] : table) {
    CLI::ConfigItem item;
    item.name = std::string(key.str());
    if (const toml::array* list = node.as_array()) {
      for (const toml::node& element : *list) item.inputs.push_back(text_of(element, item.name));
      if (item.inputs.empty()) continue;
    } else {
      item.inputs.push_back(text_of(node, item.name));
    }
    found.push_back(std::move(item));
  }
  return found;
}

std::string TomlConfig::to_config(const CLI::App* app, bool default_also, bool, std::string) const {
  std::string text;
  for (const CLI::Option* option : app->get_options({})) {
    if (!option->get_configurable() || option->get_lnames().empty()) continue;
    const bool flag = option->get_expected_max() == 0;
    const bool list = option->get_expected_max() > 1;
    std::vector<std::string> values;
    if (option->count() > 0) {
      values = option->reduced_results();
    } else if (default_also && !list) {
      values = {flag ? "false" : option->get_default_str()};
    }
    if (values.empty()) continue;
    double number = 0;
    const std::string initial = option->get_default_str();
    const bool word = initial == "true" || initial == "false";
    const bool bare = flag || word || CLI::detail::lexical_cast(initial, number);
    for (std::string& value : values) {
      // "0." and the like are numbers here, but not in TOML.
      if (!flag && !word && bare && CLI::detail::lexical_cast(value, number)) value = fmt::format("{}", number);
      value = quoted(value, bare);
    }
    const std::string joined = fmt::format("{}", fmt::join(values, ", "));
    text += fmt::format(fmt::runtime(list ? "{} = [{}]\n" : "{} = {}\n"), option->get_lnames().front(), joined);
  }
  return text;
}

}  // namespace posecam
