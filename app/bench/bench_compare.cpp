#include "app/bench/bench_compare.h"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "app/cli/text_table.h"

namespace posecam {
namespace {

constexpr double kLeastNoise = 0.02;

std::string describe(const BenchCase& c) {
  std::string text = fmt::format("{} {} {} {} batch {} cores {} slots {}", c.model, c.device, c.whole ? "all" : "net",
                                 c.net_resolution, c.batch, c.cores, c.slots);
  if (!c.whole) text += fmt::format(" request {}", c.request_batch);
  if (c.whole) text += fmt::format(" streams {}", c.streams);
  if (!c.options.empty()) text += " " + c.options;
  return text;
}

double ratio_of(double after, double before) {
  if (before > 0) return after / before;
  return after > 0 ? std::numeric_limits<double>::infinity() : 1;
}

std::vector<BenchCase> cases_without(const BenchReport& report, const BenchReport& other) {
  std::vector<BenchCase> cases;
  for (const BenchResult& result : report.results) {
    if (std::ranges::find(other.results, result.what, &BenchResult::what) == other.results.end())
      cases.push_back(result.what);
  }
  return cases;
}

}  // namespace

bool BenchComparison::fails(double ratio) const {
  return !missing.empty() ||
         std::ranges::any_of(changes, [&](const BenchChange& c) { return c.significant() && c.ratio < ratio; });
}

BenchComparison compare_reports(const BenchReport& before, const BenchReport& after) {
  BenchComparison comparison;
  for (const BenchResult& a : before.results) {
    const auto b = std::ranges::find(after.results, a.what, &BenchResult::what);
    if (b == after.results.end()) continue;
    comparison.changes.push_back({a.what, ratio_of(b->median(&BenchRun::throughput), a.median(&BenchRun::throughput)),
                                  std::max({a.spread(), b->spread(), kLeastNoise})});
  }
  comparison.missing = cases_without(before, after);
  comparison.added = cases_without(after, before);
  comparison.same_machine = before.cpu == after.cpu && before.cpus == after.cpus;
  return comparison;
}

std::string comparison_table(const BenchComparison& comparison) {
  Cells rows{{"case", "ratio", "noise", ""}};
  for (const BenchChange& c : comparison.changes) {
    const char* const verdict = !c.significant() ? "same" : c.ratio < 1 ? "SLOWER" : "faster";
    rows.push_back({describe(c.what), fmt::format("{:.3f}", c.ratio), fmt::format("{:.3f}", c.noise), verdict});
  }
  for (const BenchCase& what : comparison.missing) rows.push_back({describe(what), "-", "-", "MISSING"});
  for (const BenchCase& what : comparison.added) rows.push_back({describe(what), "-", "-", "new"});
  return lay_out(rows);
}

}  // namespace posecam
