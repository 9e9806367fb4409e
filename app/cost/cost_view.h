#pragma once
// Costs on paper: tables for people, JSON for programs.

#include <string>
#include <vector>

#include "app/cost/cost.h"

namespace posecam {

/// A table for each workload, what its marks mean, and the cheapest. `explain`: also how each figure comes about, and
/// where its price is from. `columns`: of the terminal, 0: none. Ends with a newline.
std::string cost_text(const std::vector<CostTable>& tables, const CostQuestion& question, bool explain,
                      int columns = 0);

/// The same as one document, unrounded. Ends with a newline.
std::string cost_json(const std::vector<CostTable>& tables, const CostQuestion& question);

}  // namespace posecam
