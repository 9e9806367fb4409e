#pragma once
// Texts of others as one line for people: what the libraries that calculate networks throw, and what somebody set.

#include <algorithm>
#include <string>
#include <string_view>

namespace posecam {

/// All lines that say something in one, without OpenCV's and OpenVINO's marks at their beginnings.
inline std::string joined_lines(std::string_view text) {
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

/// OpenVINO's messages span lines and carry source positions: what counts is their summary, which names all that is not
/// supported, or else the last line that says something.
inline std::string openvino_line(std::string_view what) {
  constexpr std::string_view kSummary = "\nSummary:";
  what = what.substr(0, what.find_last_not_of(" \t\r\n") + 1);
  const auto summary = what.rfind(kSummary);
  return joined_lines(what.substr(summary == what.npos ? what.rfind('\n') + 1 : summary + kSummary.size()));
}

/// The beginning of what somebody set, without control characters.
inline std::string short_line(std::string_view text) {
  constexpr std::size_t kLongest = 60;
  std::string start(text.substr(0, kLongest));
  std::ranges::replace_if(
      start, [](unsigned char c) { return c < ' ' || c == 0x7F; }, '?');
  return text.size() > kLongest ? start + "..." : start;
}

}  // namespace posecam
