#pragma once
// TOML documents as JSON, so that JsonNode can read them strictly.

#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "models/core/result.h"

namespace posecam {

/// One TOML 1.0 document; dates and times become strings as TOML writes them ("2026-07-20"). Not TOML: kModel, and the
/// message starts with `where` and says the line.
Result<nlohmann::json> parse_toml(std::string_view text, std::string_view where);

}  // namespace posecam
