#pragma once
// A field of a settings struct as people set it: its name, its range or words, and what it does. Tables of these are
// what GObject properties, command lines and configuration files are made from, so a setting is written down once.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include <fmt/format.h>

#include "models/core/result.h"

namespace posecam {

/// From `least` to `most`, both included.
struct OptionRange {
  double least = 0;
  double most = 0;
};

/// One of the few words that a text may be.
struct OptionWord {
  const char* word;     ///< as people type it
  const char* meaning;  ///< a sentence without full stop, for help
};

/// Texts are of static storage. The default of an option is what the field of a new Settings holds.
template <class Settings>
struct Option {
  using Field = std::variant<std::string Settings::*, std::uint32_t Settings::*, std::int32_t Settings::*,
                             float Settings::*, bool Settings::*>;

  const char* name = nullptr;         ///< of the property, the long option and the key: "batch-size"
  Field field;                        ///< where the value lives
  OptionRange range;                  ///< of numbers
  std::span<const OptionWord> words;  ///< of texts: all there are; empty: any text
  Result<void> (*check)(const std::string& text) = nullptr;  ///< of texts: kUsage for one that cannot be
  const char* value = "";  ///< how help calls a value: "N"; words speak for themselves
  const char* also = "";   ///< another spelling on the command line: "smoothing-taps"
  const char* group = "";  ///< heading in help
  const char* help = "";   ///< what it does, without full stop

  /// The same option of a struct that inherits from Settings.
  template <class Derived>
  constexpr Option<Derived> of() const {
    const auto field_of = [](auto f) { return typename Option<Derived>::Field(derived<Derived>(f)); };
    return {name, std::visit(field_of, field), range, words, check, value, also, group, help};
  }

 private:
  template <class Derived, class Value>
  static constexpr Value Derived::*derived(Value Settings::*f) {
    return f;
  }
};

/// "batch-size=4": for messages.
template <class Settings>
std::string to_text(const Option<Settings>& option, const Settings& settings) {
  return std::visit([&](auto field) { return fmt::format("{}={}", option.name, settings.*field); }, option.field);
}

}  // namespace posecam
