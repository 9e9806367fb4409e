#pragma once
// Texts for people: those of others as one line, and what somebody may have meant.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace posecam {

/// All lines that say something in one, without OpenCV's and OpenVINO's marks at their beginnings.
std::string joined_lines(std::string_view text);

/// OpenVINO's messages span lines and carry source positions: what counts is their summary, which names all that is not
/// supported, or else the last line that says something.
std::string openvino_line(std::string_view what);

/// The beginning of a text of others, in whole characters, without control characters.
std::string short_line(std::string_view text, std::size_t longest = 60);

/// A library's sentence as our messages are: in one line that is not too long to be read, without a full stop or
/// control characters.
std::string without_full_stop(std::string sentence);

/// "1 frame", "0 frames", "2 frames".
std::string counted(std::uint64_t n, std::string_view one, std::string_view many);

/// Levenshtein's distance in bytes: insertions, deletions and replacements that turn one word into the other.
std::size_t edit_distance(std::string_view a, std::string_view b);

}  // namespace posecam
