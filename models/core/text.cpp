#include "models/core/text.h"

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace posecam {

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
  while (end > 0 && end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  std::string start(text.substr(0, end));
  std::ranges::replace_if(
      start, [](unsigned char c) { return c < ' ' || c == 0x7F; }, '?');
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
