#include "models/core/text.h"

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace posecam {
namespace {

bool is_continuation(unsigned char c) { return (c & 0xC0U) == 0x80U; }

/// What `shown` gives for each hidden character, and for each byte that is no UTF-8 (code 0).
template <class Shown>
std::string rewritten(std::string_view text, Shown shown) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const Character c = character_at(text, at);
    const std::size_t bytes = std::max<std::size_t>(c.bytes, 1);
    if (c.bytes == 0 || is_hidden(c.code)) {
      out += shown(c);
    } else {
      out.append(text.substr(at, bytes));
    }
    at += bytes;
  }
  return out;
}

}  // namespace

Character character_at(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) -> char32_t {
    return at + i < text.size() ? static_cast<unsigned char>(text[at + i]) : 0U;
  };
  const auto follows = [&](std::size_t i) { return is_continuation(static_cast<unsigned char>(byte(i))); };
  const char32_t lead = byte(0);
  const char32_t second = byte(1);
  if (lead < 0x80) return {at < text.size() ? 1U : 0U, lead};
  if (!follows(1)) return {};
  if (lead >= 0xC2 && lead <= 0xDF) return {2, (lead & 0x1FU) << 6U | (second & 0x3FU)};
  if (lead >= 0xE0 && lead <= 0xEF) {  // no overlong forms, no surrogates
    const bool fits = lead == 0xE0 ? second >= 0xA0 : lead == 0xED ? second <= 0x9F : true;
    if (!fits || !follows(2)) return {};
    return {3, (lead & 0xFU) << 12U | (second & 0x3FU) << 6U | (byte(2) & 0x3FU)};
  }
  if (lead >= 0xF0 && lead <= 0xF4) {  // nothing above U+10FFFF
    const bool fits = lead == 0xF0 ? second >= 0x90 : lead == 0xF4 ? second <= 0x8F : true;
    if (!fits || !follows(2) || !follows(3)) return {};
    return {4, (lead & 7U) << 18U | (second & 0x3FU) << 12U | (byte(2) & 0x3FU) << 6U | (byte(3) & 0x3FU)};
  }
  return {};
}

bool is_hidden(char32_t code) {
  const auto within = [&](char32_t first, char32_t last) { return code >= first && code <= last; };
  // Unicode's Cc; Bidi_Control; U+2028 and U+2029, which end lines.
  return code < 0x20 || within(0x7F, 0x9F) || code == 0x61C || within(0x200E, 0x200F) || within(0x2028, 0x202E) ||
         within(0x2066, 0x2069);
}

std::string printable(std::string_view text) {
  return rewritten(text, [](const Character&) { return '?'; });
}

std::string printable_lines(std::string_view text) {
  return rewritten(text, [](const Character& c) { return c.code == '\n' ? '\n' : '?'; });
}

std::string with_escapes(std::string_view document) {
  return rewritten(document, [](const Character& c) -> std::string {
    if (c.code == '\n') return "\n";
    return fmt::format("\\u{:04X}", static_cast<unsigned>(c.bytes == 0 ? 0xFFFD : c.code));
  });
}

std::string joined_lines(std::string_view text) {
  std::string joined;
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(line.size() < text.size() ? line.size() + 1 : line.size());
    line.remove_prefix(std::min(line.find_first_not_of(" \t\r>-"), line.size()));
    line = line.substr(0, line.find_last_not_of(" \t\r") + 1);
    if (line.empty()) continue;
    if (!joined.empty()) joined += "; ";
    joined += line;
  }
  return joined;
}

std::string openvino_line(std::string_view what) {
  constexpr std::string_view kSummary = "\nSummary:";
  what = what.substr(0, what.find_last_not_of(" \t\r\n") + 1);
  const auto summary = what.rfind(kSummary);
  return joined_lines(what.substr(summary == what.npos ? what.rfind('\n') + 1 : summary + kSummary.size()));
}

std::string short_line(std::string_view text, std::size_t longest) {
  std::size_t end = std::min(longest, text.size());
  while (end > 0 && end < text.size() && is_continuation(static_cast<unsigned char>(text[end]))) --end;
  const std::string start = printable(text.substr(0, end));
  return text.size() > longest ? start + "..." : start;
}

std::string without_full_stop(std::string sentence) {
  constexpr std::size_t kLongest = 500;
  std::ranges::replace(sentence, '\n', ' ');
  sentence.resize(sentence.find_last_not_of(" .") + 1);
  return short_line(sentence, kLongest);
}

std::string counted(std::uint64_t n, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", n, n == 1 ? one : many);
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i] != b[j] ? 1 : 0);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

}  // namespace posecam
