#pragma once
// What changed from one report of `posecam bench` to another.

#include <string>
#include <vector>

#include "app/bench/bench.h"

namespace posecam {

/// One case in two reports.
struct BenchChange {
  BenchCase what;    ///< the same in both
  double ratio = 1;  ///< throughput of the second report / of the first
  double noise = 0;  ///< the wider spread of the two, at least 0.02
  /// Faster or slower by more than the noise.
  bool significant() const { return ratio < 1 - noise || ratio > 1 + noise; }
};

/// A case of the second report that failed.
struct BenchFailure {
  std::string text;  ///< describe_failure()
  bool anew = true;  ///< it did not fail in the first report, which has it
};

/// All that changed.
struct BenchComparison {
  std::vector<BenchChange> changes;  ///< of cases that both reports have, in the order of the first
  std::vector<BenchCase> missing;    ///< only the first report has these
  std::vector<BenchCase> added;      ///< only the second report has these
  std::vector<BenchFailure> failed;  ///< of the second report
  bool same_machine = true;          ///< by the name and the number of CPUs

  /// A case that is missing, failed anew, or is slower than `ratio` of what it was, beyond the noise.
  bool fails(double ratio) const;
};

/// Cases are the same if all of their settings are; a case that failed may not know its number of cores, and then has
/// any. Throughputs: the medians.
BenchComparison compare_reports(const BenchReport& before, const BenchReport& after);
/// A row a case: those that changed or did not, then what is missing, then what is new, then a line for each that
/// failed; for a terminal of so many columns (0: none).
std::string comparison_table(const BenchComparison& comparison, int columns = 0);

}  // namespace posecam
