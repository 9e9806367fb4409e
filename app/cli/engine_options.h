#pragma once
// The options of an engine on a command line.

#include <initializer_list>
#include <string>
#include <string_view>

#include "pipeline/settings/engine_settings.h"

namespace CLI {
class App;
class Validator;
}  // namespace CLI

namespace posecam {

/// Adds what kEngineOptions lists to `app`, each setting its field of `settings`, which outlives the parsing; those in
/// `without` are left to the command. Values out of range, or that are none of the option's words, are parse errors.
void add_engine_options(CLI::App& app, EngineSettings& settings, std::initializer_list<std::string_view> without = {});

/// A number from `least` to `most`. CLI::Range lets NaN pass, and a negative number for an unsigned one.
CLI::Validator number_between(double least, double most);

}  // namespace posecam
