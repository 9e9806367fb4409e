#pragma once
// Tables for terminals.

#include <string>
#include <vector>

namespace posecam {

/// Rows of equal length, the first of which names the columns.
using Cells = std::vector<std::vector<std::string>>;

/// Columns as wide as their longest cell, aligned to the right, two spaces apart; a line a row.
std::string lay_out(const Cells& rows);

}  // namespace posecam
