#include "app/bench/bench_compare.h"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "app/cli/text_table.h"

namespace posecam {
namespace {

constexpr double kLeastNoise = 0.02;

double ratio_of(double after, double before) {
  if (before > 0) return after / before;
  return after > 0 ? std::numeric_limits<double>::infinity() : 1;
}

bool same_case(const BenchResult& a, const BenchResult& b) {
  BenchCase what = a.what;
  if (a.runs.empty() || b.runs.empty()) what.cores = b.what.cores;
  return what == b.what;
}

const BenchResult* find(const BenchReport& report, const BenchResult& wanted) {
  const auto found =
      std::ranges::find_if(report.results, [&](const auto& result) { return same_case(result, wanted); });
  return found == report.results.end() ? nullptr : &*found;
}

std::vector<BenchCase> cases_without(const BenchReport& report, const BenchReport& other) {
  std::vector<BenchCase> cases;
  for (const BenchResult& result : report.results) {
    if (result.failure.empty() && find(other, result) == nullptr) cases.push_back(result.what);
  }
  return cases;
}

}  // namespace

bool BenchComparison::fails(double ratio) const {
  return !missing.empty() || std::ranges::any_of(failed, &BenchFailure::anew) ||
         std::ranges::any_of(changes, [&](const BenchChange& c) { return c.significant() && c.ratio < ratio; });
}

BenchComparison compare_reports(const BenchReport& before, const BenchReport& after) {
  BenchComparison comparison;
  for (const BenchResult& a : before.results) {
    const BenchResult* b = find(after, a);
    if (b == nullptr || !b->failure.empty()) continue;
    if (!a.failure.empty()) {
      comparison.added.push_back(b->what);
      continue;
    }
    comparison.changes.push_back({a.what, ratio_of(b->median(&BenchRun::throughput), a.median(&BenchRun::throughput)),
                                  std::max({a.spread(), b->spread(), kLeastNoise})});
  }
  comparison.missing = cases_without(before, after);
  for (BenchCase& what : cases_without(after, before)) comparison.added.push_back(std::move(what));
  for (const BenchResult& b : after.results) {
    if (b.failure.empty()) continue;
    const BenchResult* a = find(before, b);
    comparison.failed.push_back({describe_failure(b), a != nullptr && a->failure.empty()});
  }
  comparison.same_machine = before.cpu == after.cpu && before.cpus == after.cpus;
  return comparison;
}

std::string comparison_table(const BenchComparison& comparison, int columns) {
  Cells rows{{"ratio", "noise", "verdict", "case"}};
  for (const BenchChange& c : comparison.changes) {
    const char* const verdict = !c.significant() ? "same" : c.ratio < 1 ? "SLOWER" : "faster";
    rows.push_back({fmt::format("{:.3f}", c.ratio), fmt::format("{:.3f}", c.noise), verdict, describe(c.what)});
  }
  for (const BenchCase& what : comparison.missing) rows.push_back({"-", "-", "MISSING", describe(what)});
  for (const BenchCase& what : comparison.added) rows.push_back({"-", "-", "new", describe(what)});
  std::string text = lay_out(rows, {.sides = "rrlt", .columns = columns});
  for (const BenchFailure& failure : comparison.failed) text += failure.text + "\n";
  return text;
}

}  // namespace posecam
