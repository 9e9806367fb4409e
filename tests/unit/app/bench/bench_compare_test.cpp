#include "app/bench/bench_compare.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace posecam {
namespace {

using ::testing::HasSubstr;

BenchResult result(std::uint32_t batch, const std::vector<double>& throughputs) {
  BenchResult r{.what = {.model = "tiny", .device = "opencv", .batch = batch, .cores = 2, .request_batch = batch}};
  for (const double throughput : throughputs) r.runs.push_back({.frames = 100, .throughput = throughput});
  return r;
}

BenchReport report(std::vector<BenchResult> results) { return {"1.2.3", "", "a CPU", 2, std::move(results)}; }

TEST(BenchCompare, CallsNothingAChangeThatNoiseExplains) {
  const auto compared = compare_reports(report({result(1, {95, 100, 105}), result(4, {200})}),
                                        report({result(4, {150}), result(1, {92})}));
  ASSERT_EQ(compared.changes.size(), 2U);
  EXPECT_DOUBLE_EQ(compared.changes[0].ratio, 0.92);
  EXPECT_FALSE(compared.changes[0].significant());  // a spread of a tenth
  EXPECT_DOUBLE_EQ(compared.changes[1].ratio, 0.75);
  EXPECT_TRUE(compared.changes[1].significant());
  EXPECT_THAT(comparison_table(compared), HasSubstr("SLOWER"));
  EXPECT_TRUE(compared.fails(0.8));
  EXPECT_FALSE(compared.fails(0.7));
}

TEST(BenchCompare, ListsCasesThatOnlyOneReportHasAndFailsForThoseMissing) {
  const auto before = report({result(1, {100}), result(8, {300})});
  const auto after = report({result(1, {100}), result(4, {200})});
  const auto compared = compare_reports(before, after);
  ASSERT_EQ(compared.missing.size(), 1U);
  EXPECT_EQ(compared.missing[0].batch, 8U);
  ASSERT_EQ(compared.added.size(), 1U);
  EXPECT_EQ(compared.added[0].batch, 4U);
  EXPECT_TRUE(compared.fails(0.1));
  EXPECT_THAT(comparison_table(compared), HasSubstr("MISSING"));
  EXPECT_THAT(comparison_table(compared), HasSubstr("new"));
  EXPECT_FALSE(compare_reports(report({result(1, {100})}), after).fails(0.9)) << "more than before is no failure";
}

BenchResult failed(std::uint32_t batch) {
  BenchResult r = result(batch, {});
  r.what.cores = 0;  // never known
  r.failure = "no memory";
  return r;
}

TEST(BenchCompare, FailsForACaseThatFailsAnew) {
  const auto was_measured =
      compare_reports(report({result(1, {100}), result(8, {300})}), report({result(1, {100}), failed(8)}));
  EXPECT_EQ(was_measured.changes.size(), 1U);
  EXPECT_TRUE(was_measured.missing.empty());
  EXPECT_TRUE(was_measured.added.empty());
  EXPECT_TRUE(was_measured.fails(0.1));
  EXPECT_THAT(comparison_table(was_measured), HasSubstr("\nFAILED: tiny opencv net"));
  EXPECT_THAT(comparison_table(was_measured), HasSubstr(": no memory\n"));
  const auto failed_before =
      compare_reports(report({result(1, {100}), failed(8)}), report({result(1, {100}), failed(8)}));
  EXPECT_FALSE(failed_before.fails(0.9));
  const auto mended =
      compare_reports(report({result(1, {100}), failed(8)}), report({result(1, {100}), result(8, {300})}));
  EXPECT_FALSE(mended.fails(0.9));
  ASSERT_EQ(mended.added.size(), 1U);
  EXPECT_EQ(mended.added[0].batch, 8U);
}

TEST(BenchCompare, ComparesWithACaseThatDidNothing) {
  const auto compared =
      compare_reports(report({result(1, {0}), result(2, {0})}), report({result(1, {5}), result(2, {0})}));
  ASSERT_EQ(compared.changes.size(), 2U);
  EXPECT_GT(compared.changes[0].ratio, 1e9);
  EXPECT_EQ(compared.changes[1].ratio, 1);
  EXPECT_FALSE(compared.fails(0.9));
}

TEST(BenchCompare, TellsOtherMachinesByTheirCpus) {
  const auto here = report({result(1, {100})});
  auto there = here;
  EXPECT_TRUE(compare_reports(here, there).same_machine);
  there.cpus = 4;
  EXPECT_FALSE(compare_reports(here, there).same_machine);
  there.cpus = here.cpus;
  there.cpu = "another CPU";
  EXPECT_FALSE(compare_reports(here, there).same_machine);
}

}  // namespace
}  // namespace posecam
