#pragma once
// Texts for people: those of others as one line, and what somebody may have meant.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace posecam {

/// One character of a text of others.
struct Character {
  std::size_t bytes = 0;  ///< 0: what stands there is no UTF-8 (Unicode 15, table 3-7)
  char32_t code = 0;
};
Character character_at(std::string_view text, std::size_t at);

/// What a terminal obeys instead of showing it: control characters (C0, DEL, C1), those that end lines, and those that
/// change the direction of text, so that it reads as another one.
bool is_hidden(char32_t code);

/// The text with "?" for each hidden character and each byte that is no UTF-8. What is printed to people goes through
/// one of the two (app/cli/console.h).
std::string printable(std::string_view text);
/// The same, but for newlines.
std::string printable_lines(std::string_view text);

/// JSON or TOML that somebody else's writer made, with "\uXXXX" for the hidden characters that it left as they were:
/// all of them stand in strings.
std::string with_escapes(std::string_view document);

/// All lines that say something in one, without OpenCV's and OpenVINO's marks at their beginnings.
std::string joined_lines(std::string_view text);

/// OpenVINO's messages span lines and carry source positions: what counts is their summary, which names all that is not
/// supported, or else the last line that says something.
std::string openvino_line(std::string_view what);

/// The beginning of a text of others, in whole characters, printable().
std::string short_line(std::string_view text, std::size_t longest = 60);

/// A library's sentence as our messages are: in one line that is not too long to be read, without a full stop,
/// printable().
std::string without_full_stop(std::string sentence);

/// "1 frame", "0 frames", "2 frames".
std::string counted(std::uint64_t n, std::string_view one, std::string_view many);

/// Levenshtein's distance in bytes: insertions, deletions and replacements that turn one word into the other.
std::size_t edit_distance(std::string_view a, std::string_view b);

}  // namespace posecam
