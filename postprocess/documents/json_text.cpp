#include "postprocess/documents/json_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

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

bool is_continuation(unsigned char c) { return (c & 0xC0U) == 0x80U; }

// Length of the well-formed UTF-8 sequence at `at`, 0 if there is none. Unicode 15, table 3-7: no overlong forms, no
// surrogates, nothing above U+10FFFF.
std::size_t utf8_length(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) {
    return at + i < text.size() ? static_cast<unsigned char>(text[at + i]) : static_cast<unsigned char>(0);
  };
  const unsigned char lead = byte(0);
  const unsigned char second = byte(1);
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return is_continuation(second) ? 2 : 0;
  if (lead >= 0xE0 && lead <= 0xEF) {
    const bool fits = lead == 0xE0 ? second >= 0xA0 : lead == 0xED ? second <= 0x9F : true;
    return fits && is_continuation(second) && is_continuation(byte(2)) ? 3 : 0;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    const bool fits = lead == 0xF0 ? second >= 0x90 : lead == 0xF4 ? second <= 0x8F : true;
    return fits && is_continuation(second) && is_continuation(byte(2)) && is_continuation(byte(3)) ? 4 : 0;
  }
  return 0;
}

void append_control(std::string& out, unsigned char c) {
  switch (c) {
    case '\n': out += "\\n"; return;
    case '\r': out += "\\r"; return;
    case '\t': out += "\\t"; return;
    default: break;
  }
  constexpr std::string_view kHex = "0123456789abcdef";
  out += "\\u00";
  out += kHex[c >> 4U];
  out += kHex[c & 0xFU];
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
    const auto c = static_cast<unsigned char>(text[i]);
    const std::size_t length = utf8_length(text, i);
    if (length == 0) {
      out += "\xEF\xBF\xBD";
    } else if (c < 0x20) {
      append_control(out, c);
    } else {
      if (c == '"' || c == '\\') out += '\\';
      out.append(text.substr(i, length));
    }
    i += std::max<std::size_t>(length, 1);
  }
  out += '"';
}

}  // namespace posecam::json
