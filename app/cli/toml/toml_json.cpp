#include "app/cli/toml/toml_json.h"

#include <sstream>
#include <string>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/cli/toml/toml.h"

namespace posecam {
namespace {

using nlohmann::json;

json to_json(const toml::node& node) {
  if (const toml::table* table = node.as_table()) {
    auto object = json::object();
    for (const auto& [key, value] : *table) object[std::string(key.str())] = to_json(value);
    return object;
  }
  if (const toml::array* list = node.as_array()) {
    auto array = json::array();
    for (const toml::node& element : *list) array.push_back(to_json(element));
    return array;
  }
  if (node.is_string()) return *node.value<std::string>();
  if (node.is_boolean()) return *node.value<bool>();
  if (node.is_integer()) return *node.value<std::int64_t>();
  if (node.is_floating_point()) return *node.value<double>();
  std::ostringstream text;
  if (const auto date = node.value<toml::date>())
    text << *date;
  else if (const auto time = node.value<toml::time>())
    text << *time;
  else if (const auto both = node.value<toml::date_time>())
    text << *both;
  return text.str();
}

}  // namespace

Result<json> parse_toml(std::string_view text, std::string_view where) {
  try {
    return to_json(toml::parse(text));
  } catch (const toml::parse_error& e) {
    return Error{Errc::kModel, fmt::format("{}: line {}: {}", where, e.source().begin.line, e.description())};
  }
}

}  // namespace posecam
