#pragma once
// The smallest parts of JSON, appended to a string that its owner reuses: no DOM, no locale, no allocation once warm.

#include <cstdint>
#include <string>
#include <string_view>

namespace posecam::json {

/// Appends `value` rounded to `decimals` (0..6) places without trailing zeros: "582.349", "0.5", "3". NaN and
/// infinities, which JSON lacks, become 0; magnitudes above 1e12 are cut to it.
void append_number(std::string& out, double value, int decimals);

/// Appends the digits.
void append_integer(std::string& out, std::int64_t value);
void append_integer(std::string& out, std::uint64_t value);

/// Appends `text` quoted and escaped, is_hidden() characters too: documents may go to a terminal. Bytes that are not
/// UTF-8 become U+FFFD, so the document is always valid.
void append_string(std::string& out, std::string_view text);

}  // namespace posecam::json
