#pragma once
// All that posecam says itself: results on standard output, lines for people on standard error, and there the one line
// that is drawn over and over. Whatever comes between, no line is glued to another. Any thread.

#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "models/core/result.h"

namespace posecam {

/// Opens what of 0, 1 and 2 was closed, so that no file gets its number and is written to by mistake; reading and
/// writing them fails as before. Call it first.
void keep_standard_descriptors();

/// Results, at once. After a failure nothing more is written.
void put_text(std::string_view text);
template <class... Args>
void put(fmt::format_string<Args...> text, Args&&... args) {
  put_text(fmt::format(text, std::forward<Args>(args)...));
}
/// Whether standard output took all that was printed. kOutput, kNoSpace.
Result<void> all_printed();

/// What standard error does not take, because its reader went away or its disk is full, is lost, and that is all.
void tell_text(std::string_view text);
template <class... Args>
void tell(fmt::format_string<Args...> text, Args&&... args) {
  tell_text(fmt::format(text, std::forward<Args>(args)...));
}
/// The same, unless this very text was told before, among the last thousand.
void tell_once(const std::string& text);

/// Draws the line for what is going on, in place of the one before; `line` has no newline and fits the terminal.
void draw_status(std::string_view line);
/// Makes room for a lasting line.
void erase_status();

/// Whether standard error is a terminal on which a line can be drawn over: not if TERM is "dumb" or not set.
bool status_can_be_drawn();
/// Of the terminal behind that descriptor, as wide as it is now; 0 if it is none.
int terminal_columns(int descriptor);

}  // namespace posecam
