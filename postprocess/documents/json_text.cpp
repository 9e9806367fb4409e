#include "postprocess/documents/json_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "models/core/text.h"

namespace posecam::json {
namespace {

constexpr double kLargest = 1e12;  // times 1e6 still fits in 64 bits
constexpr std::array<std::int64_t, 7> kPowers{1, 10, 100, 1000, 10000, 100000, 1000000};

template <class Integer>
void append_digits(std::string& out, Integer value) {
  std::array<char, 24> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  out.append(digits.data(), end);
}

void append_escape(std::string& out, char32_t code) {
  switch (code) {
    case '\n': out += "\\n"; return;
    case '\r': out += "\\r"; return;
    case '\t': out += "\\t"; return;
    default: break;
  }
  constexpr std::string_view kHex = "0123456789abcdef";
  out += "\\u";
  for (const unsigned shift : {12U, 8U, 4U, 0U}) out += kHex[code >> shift & 0xFU];
}

}  // namespace

void append_integer(std::string& out, std::int64_t value) { append_digits(out, value); }
void append_integer(std::string& out, std::uint64_t value) { append_digits(out, value); }

void append_number(std::string& out, double value, int decimals) {
  if (!std::isfinite(value)) value = 0;
  const std::int64_t power = kPowers[static_cast<std::size_t>(std::clamp(decimals, 0, 6))];
  const std::int64_t scaled = std::llround(std::clamp(value, -kLargest, kLargest) * static_cast<double>(power));
  const std::int64_t magnitude = scaled < 0 ? -scaled : scaled;
  if (scaled < 0) out += '-';
  append_digits(out, magnitude / power);
  std::int64_t rest = magnitude % power;
  if (rest == 0) return;
  out += '.';
  for (std::int64_t place = power / 10; rest > 0; place /= 10) {
    out += static_cast<char>('0' + rest / place);
    rest %= place;
  }
}

void append_string(std::string& out, std::string_view text) {
  out += '"';
  for (std::size_t i = 0; i < text.size();) {
    const auto [length, code] = character_at(text, i);
    if (length == 0) {
      out += "\xEF\xBF\xBD";
    } else if (is_hidden(code)) {
      append_escape(out, code);
    } else {
      if (code == '"' || code == '\\') out += '\\';
      out.append(text.substr(i, length));
    }
    i += std::max<std::size_t>(length, 1);
  }
  out += '"';
}

}  // namespace posecam::json
