#include "app/cli/engine_options.h"

#include <algorithm>
#include <type_traits>
#include <variant>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "pipeline/settings/engine_options.h"

namespace posecam {
namespace {

std::vector<std::string> words_of(const EngineOption& option) {
  std::vector<std::string> words;
  for (const OptionWord& word : option.words) words.emplace_back(word.word);
  return words;
}

template <class Value>
void add(CLI::App& app, const EngineOption& option, Value& value) {
  const std::string also = *option.also == '\0' ? "" : fmt::format(",--{}", option.also);
  CLI::Option* added = app.add_option(fmt::format("--{}{}", option.name, also), value, option.help);
  added->group(option.group)->type_name(option.value);
  if constexpr (std::is_same_v<Value, bool>) {
    added->default_str(value ? "true" : "false");
  } else {
    added->capture_default_str();
  }
  if constexpr (std::is_same_v<Value, std::string>) {
    if (!option.words.empty()) {
      const auto words = words_of(option);
      added->type_name(fmt::format("{}", fmt::join(words, "|")))->check(CLI::IsMember(words).description(""));
    }
    if (option.check != nullptr) {
      added->check(CLI::Validator(
          [check = option.check](const std::string& text) {
            const auto done = check(text);
            return done ? std::string() : done.error().message;
          },
          ""));
    }
  } else if constexpr (!std::is_same_v<Value, bool>) {
    added->check(number_between(option.range.least, option.range.most));
  }
}

}  // namespace

CLI::Validator number_between(double least, double most) {
  return {[=](const std::string& text) -> std::string {
            double value = 0;
            if (CLI::detail::lexical_cast(text, value) && value >= least && value <= most) return {};
            return fmt::format("{}: must be a number from {} to {}", text, least, most);
          },
          ""};
}

void add_engine_options(CLI::App& app, EngineSettings& settings, std::initializer_list<std::string_view> without) {
  for (const EngineOption& option : kEngineOptions) {
    if (std::ranges::find(without, option.name) != without.end()) continue;
    std::visit([&](auto field) { add(app, option, settings.*field); }, option.field);
  }
}

}  // namespace posecam
