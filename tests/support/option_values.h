#pragma once
// For tests that go through a whole table of options: a value of each that is allowed and not its default.

#include <map>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

#include <fmt/format.h>

#include "pipeline/settings/option.h"

namespace posecam::test {

/// Of a text that may be anything: its name, or what suits those that are checked.
inline std::string other_text(std::string_view name) {
  static const std::map<std::string_view, std::string> known{
      {"net-resolution", "64x48"}, {"cores", "0-1"}, {"device", "opencv"}, {"location", "/dev/null"}};
  const auto found = known.find(name);
  return found == known.end() ? fmt::format("other-{}", name) : found->second;
}

/// As people write it.
template <class Settings>
std::string other_value(const Option<Settings>& option) {
  static const Settings defaults;
  return std::visit(
      [&](auto field) -> std::string {
        const auto& initial = defaults.*field;
        using Value = std::remove_cvref_t<decltype(initial)>;
        if constexpr (std::is_same_v<Value, std::string>) {
          if (option.words.empty()) return other_text(option.name);
          return initial == option.words.front().word ? option.words.back().word : option.words.front().word;
        } else if constexpr (std::is_same_v<Value, bool>) {
          return initial ? "false" : "true";
        } else if constexpr (std::is_same_v<Value, float>) {
          return initial == 0.25F ? "0.5" : "0.25";
        } else {
          return fmt::format("{}",
                             initial == static_cast<Value>(option.range.most) ? option.range.least : option.range.most);
        }
      },
      option.field);
}

}  // namespace posecam::test
