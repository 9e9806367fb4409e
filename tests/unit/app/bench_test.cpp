#include "app/bench.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "app/bench_page.h"

namespace posecam {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

BenchResult result(std::uint32_t batch, const std::vector<double>& throughputs) {
  BenchResult r{.what = {.model = "tiny", .device = "opencv", .batch = batch, .cores = 2, .request_batch = batch}};
  for (const double throughput : throughputs) {
    r.runs.push_back(
        {.frames = 100, .elapsed_s = 100 / throughput, .throughput = throughput, .p50_ms = 5, .p99_ms = 9});
  }
  return r;
}

BenchReport report(std::vector<BenchResult> results) {
  return {"1.2.3", "2026-11-21T10:00:00Z", "A <CPU> & more", 2, std::move(results)};
}

TEST(Bench, TakesTheMedianRoundAndTheSpread) {
  EXPECT_EQ(result(1, {100, 90, 120}).median(&BenchRun::throughput), 100);
  EXPECT_EQ(result(1, {100, 90}).median(&BenchRun::throughput), 95);
  EXPECT_DOUBLE_EQ(result(1, {100, 90, 120}).spread(), 0.3);
  EXPECT_EQ(result(1, {100}).spread(), 0);
  EXPECT_EQ(result(1, {100, 90, 120}).frames(), 300U);
}

TEST(Bench, ShowsTheArticlesColumnsAndThoseThatVary) {
  const std::string table = bench_table(report({result(1, {100}), result(4, {200})}));
  EXPECT_THAT(table, HasSubstr("batch_size  request_batch  num_inferences  elapsed  throughput"));
  EXPECT_THAT(table, Not(HasSubstr("model")));  // one and the same
  EXPECT_THAT(table, HasSubstr("200.00"));
}

TEST(Bench, QuotesWhatHasACommaInCsv) {
  auto r = result(1, {100});
  r.what.model = "a,\"b\".json";
  const std::string csv = bench_csv(report({r}));
  EXPECT_THAT(csv, StartsWith("model,device,stages,"));
  EXPECT_THAT(csv, HasSubstr("\n\"a,\"\"b\"\".json\",opencv,net,"));
}

TEST(Bench, HasUnitsForPeopleOnly) {
  auto r = result(1, {90, 100, 110});
  r.what.model = "as good as 100%";
  const std::string csv = bench_csv(report({r}));
  EXPECT_THAT(csv, HasSubstr("\nas good as 100%,opencv,net,"));
  EXPECT_THAT(csv, HasSubstr(",20.0,"));
  EXPECT_THAT(bench_table(report({r})), HasSubstr(" 20.0%"));
}

TEST(Bench, ReadsWhatItWrote) {
  const BenchReport before = report({result(1, {100, 90, 120}), result(4, {200})});
  const auto after = parse_bench_report(to_json(before).dump(), "bench.json");
  ASSERT_TRUE(after) << after.error().message;
  EXPECT_EQ(to_json(*after), to_json(before));
}

TEST(Bench, RefusesOtherDocumentsWithTheirNameAndPlace) {
  for (const char* text : {"", "[]", "{}", R"({"version": 2})", R"({"version": 1, "results": 5})"}) {
    const auto parsed = parse_bench_report(text, "bench.json");
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().code, Errc::kModel);
    EXPECT_THAT(parsed.error().message, StartsWith("bench.json: "));
  }
  auto json = to_json(report({result(1, {100})}));
  json["results"][0]["throughputs"][0] = -1;
  const auto parsed = parse_bench_report(json.dump(), "bench.json");
  ASSERT_FALSE(parsed);
  EXPECT_THAT(parsed.error().message, HasSubstr("results[0].throughputs[0]"));
}

TEST(BenchPage, HasACurveForEachSeriesAndABoundOverCores) {
  auto one = result(4, {100});
  one.what.cores = 1;
  auto four = result(4, {390});
  four.what.cores = 4;
  const std::string svg = bench_svg(report({one, four}));
  EXPECT_THAT(svg, HasSubstr("tiny, opencv, batch 4, 2 slots: bound"));
  EXPECT_THAT(svg, HasSubstr("stroke-dasharray"));
  EXPECT_THAT(bench_svg(report({result(1, {100}), result(4, {200})})), Not(HasSubstr("stroke-dasharray")));
}

TEST(BenchPage, HasOneCurveForASweepOverBatchesWithRequestsOfOneSize) {
  std::vector<BenchResult> sweep{result(1, {100}), result(4, {200}), result(8, {300})};
  EXPECT_THAT(bench_svg(report(sweep)), Not(HasSubstr("requests of")));
  for (BenchResult& one : sweep) one.what.request_batch = 4;
  const std::string svg = bench_svg(report(sweep));
  EXPECT_THAT(svg, HasSubstr("requests of 4"));
  std::size_t curves = 0;
  for (std::size_t at = 0; (at = svg.find("<polyline", at)) != std::string::npos; ++at) ++curves;
  EXPECT_EQ(curves, 2U);  // throughput and latency
}

TEST(BenchPage, IsOneFileAndEscapesWhatIsNotIts) {
  const std::string page = bench_page(report({result(1, {100})}));
  EXPECT_THAT(page, HasSubstr("A &lt;CPU&gt; &amp; more"));
  EXPECT_THAT(page, Not(HasSubstr("<script")));
  EXPECT_THAT(page, Not(HasSubstr("src=")));
  EXPECT_THAT(page, HasSubstr("viewport"));
  EXPECT_THAT(page, HasSubstr("<th>throughput</th>"));
}

TEST(BenchPage, KeepsACellWithSpacesInOne) {
  auto spaced = result(1, {100});
  spaced.what.model = "my models/a & b.json";
  const std::string page = bench_page(report({spaced, result(1, {200})}));
  EXPECT_THAT(page, HasSubstr("<tr><td>my models/a &amp; b.json</td><td>1</td>"));
}

}  // namespace
}  // namespace posecam
