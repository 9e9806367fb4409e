#pragma once
// All that posecam says itself: results on standard output, lines for people on standard error, and there the one line
// that is drawn over and over. Whatever comes between, no line is glued to another. Names of files, answers of servers
// and what else others wrote gives a terminal no orders: what is_hidden() (models/core/text.h) is shown as "?", and on
// standard error addresses as shown_url() has them. Any thread.

#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <fmt/format.h>

#include "models/core/result.h"
#include "models/core/text.h"

namespace posecam {

/// Opens what of 0, 1 and 2 was closed, so that no file gets its number and is written to by mistake; reading and
/// writing them fails as before. Call it first.
void keep_standard_descriptors();

/// A text of others as one line, for a place in a text of ours; what is no text as it is.
template <class T>
decltype(auto) as_line(const T& value) {
  if constexpr (std::is_convertible_v<const T&, std::string_view>) {
    return printable(value);
  } else {
    return (value);
  }
}

/// Results, at once. After a failure nothing more is written. JSON loses nothing: it has escapes (with_escapes()).
void put_text(std::string_view text);
/// The same in place of all that the terminal shows.
void put_screen(std::string_view text);
/// A line for scripts, such as a path: as it is, unless a terminal shows it.
void put_path(std::string_view path);
template <class... Args>
void put(fmt::format_string<Args...> text, Args&&... args) {
  put_text(fmt::format(text, std::forward<Args>(args)...));
}
/// Whether standard output took all that was printed. kOutput, kNoSpace.
Result<void> all_printed();

/// What standard error does not take, because its reader went away or its disk is full, is lost, and that is all.
void tell_text(std::string_view text);
/// Each text among `args` becomes a part of one line.
template <class... Args>
void tell(fmt::format_string<Args...> text, Args&&... args) {
  const auto fill = [&](const auto&... lines) {
    return fmt::vformat(static_cast<fmt::string_view>(text), fmt::make_format_args(lines...));
  };
  tell_text(fill(as_line(args)...));
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
