#pragma once
// Tables for terminals.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace posecam {

/// Rows of equal length, the first of which names the columns.
using Cells = std::vector<std::vector<std::string>>;

/// How a table is laid out.
struct TableForm {
  /// A letter for each column: 'r' and 'l' say on which side its cells are; 't', for the last one: text, on the left,
  /// which goes on in further lines where there is no room for it. Columns without one are on the right.
  std::string_view sides{};
  std::size_t keys = 1;  ///< the first columns: those that tell the rows apart
  int columns = 0;       ///< of the terminal; 0: none, every row is one line
};

/// Columns as wide as their longest cell, two spaces apart. Where they do not fit the terminal, those that do, and
/// below them the others, each time behind the keys.
std::string lay_out(const Cells& rows, const TableForm& form = {});

}  // namespace posecam
