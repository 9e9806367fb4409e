#include "app/bench/bench.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "app/bench/bench_page.h"

namespace posecam {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

BenchResult result(std::uint32_t batch, const std::vector<double>& throughputs) {
  BenchResult r{
      .what = {
          .model = "tiny", .network = "tiny", .device = "opencv", .batch = batch, .cores = 2, .request_batch = batch}};
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
  std::vector<BenchResult> sweep{result(1, {100}), result(4, {200})};
  std::string table = bench_table(report(sweep));
  EXPECT_THAT(table, HasSubstr("batch_size  num_inferences  elapsed  throughput"));
  EXPECT_THAT(table, Not(HasSubstr("model")));  // one and the same
  EXPECT_THAT(table, HasSubstr("200.00"));
  sweep[1].what.request_batch = 16;
  table = bench_table(report(sweep));
  EXPECT_THAT(table, HasSubstr("batch_size  request_batch  num_inferences")) << "requests are not batches";
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
  EXPECT_THAT(bench_table(report({r})), HasSubstr(" 20.0 %"));
}

TEST(Bench, MarksACaseThatFailedWithItsReason) {
  auto failed = result(4, {});
  failed.failure = "no memory, none at all";
  const BenchReport both = report({result(1, {100}), failed});
  EXPECT_THAT(bench_table(both), HasSubstr("FAILED"));
  EXPECT_THAT(bench_table(both),
              HasSubstr("\nFAILED: tiny opencv net  batch 4 cores 2 slots 2 request 4: no memory, none"));
  EXPECT_THAT(bench_csv(both), HasSubstr(",,,,\"no memory, none at all\"\n"));
  EXPECT_THAT(bench_page(both), HasSubstr("<p>FAILED: tiny opencv"));
  const auto json = to_json(both)["results"];
  EXPECT_EQ(json[1]["failure"], "no memory, none at all");
  EXPECT_TRUE(json[1]["throughput"].is_null());
  failed.what.cores = 0;
  EXPECT_THAT(bench_table(report({failed})), HasSubstr("cores all slots 2"));
  EXPECT_THAT(bench_page(report({result(1, {100}), failed})), Not(HasSubstr("Throughput by cores")));
  auto late = result(1, {100});
  late.failure = "lost";
  EXPECT_THAT(bench_table(report({late})), HasSubstr("FAILED after 1 round: "));
}

TEST(Bench, ReadsWhatItWrote) {
  auto failed = result(8, {});
  failed.failure = "no memory";
  const BenchReport before = report({result(1, {100, 90, 120}), result(4, {200}), failed});
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

std::size_t count(const std::string& text, const std::string& what) {
  std::size_t n = 0;
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; ++at) ++n;
  return n;
}

TEST(BenchPage, HasACurveForEachSeriesAndABoundOverCores) {
  auto one = result(4, {100});
  one.what.cores = 1;
  auto four = result(4, {390});
  four.what.cores = 4;
  const std::string svg = bench_svg(report({one, four}));
  EXPECT_EQ(count(svg, "<polyline"), 2U);
  EXPECT_EQ(count(svg, "stroke-dasharray"), 1U);
  EXPECT_THAT(svg, HasSubstr("dashed: that of the fewest cores, times as many"));
}

TEST(BenchPage, ShowsOverBatchesWhatBusyCoresCouldDo) {
  std::vector<BenchResult> sweep{result(1, {100}), result(4, {200})};
  for (BenchResult& one : sweep) one.runs[0].core_use = 0.75;
  EXPECT_EQ(count(bench_svg(report(sweep)), "stroke-dasharray"), 1U);
  for (BenchResult& one : sweep) one.runs[0].core_use = 0.4;
  EXPECT_EQ(count(bench_svg(report(sweep)), "stroke-dasharray"), 0U) << "not to be known";
}

TEST(BenchPage, NamesCurvesByTheSettingsInWhichTheyDiffer) {
  auto one = result(4, {100});
  auto other = result(4, {390});
  other.what.slots = 1;
  const std::string svg = bench_svg(report({one, other}));
  EXPECT_THAT(svg, HasSubstr(">2 slots<"));
  EXPECT_THAT(svg, HasSubstr(">1 slot<"));
  EXPECT_THAT(bench_page(report({one, other})), HasSubstr("<b>tiny, opencv, network alone, batch 4, "));
}

TEST(BenchPage, HasOneCurveForASweepOverBatchesWithRequestsOfOneSize) {
  std::vector<BenchResult> sweep{result(1, {100}), result(4, {200}), result(8, {300})};
  for (BenchResult& one : sweep) one.runs[0].core_use = 0;
  EXPECT_THAT(bench_page(report(sweep)), Not(HasSubstr("requests of")));
  for (BenchResult& one : sweep) one.what.request_batch = 4;
  EXPECT_THAT(bench_page(report(sweep)), HasSubstr("requests of 4"));
  EXPECT_EQ(count(bench_svg(report(sweep)), "<polyline"), 2U) << "throughput and latency";
}

TEST(BenchPage, JoinsTheSizesOfANetworkThatWereCompiledEachAlone) {
  std::vector<BenchResult> sweep{result(1, {100}), result(4, {200}), result(8, {300})};
  for (BenchResult& one : sweep) {
    one.what.model = "neffs/b" + std::to_string(one.what.batch) + "/neuron.json";
    one.runs[0].core_use = 0;
  }
  EXPECT_EQ(count(bench_svg(report(sweep)), "<polyline"), 2U) << "throughput and latency";
  EXPECT_THAT(bench_page(report(sweep)), HasSubstr("<b>tiny, opencv, "));
  auto other_type = result(8, {150});
  other_type.what.model = "neffs/b8-int8/neuron.json";
  sweep.push_back(other_type);
  EXPECT_THAT(bench_svg(report(sweep)), HasSubstr(">neffs/b8-int8/neuron.json<")) << "no longer told apart by size";
}

TEST(BenchPage, IsOneFileAndEscapesWhatIsNotIts) {
  const std::string page = bench_page(report({result(1, {100})}));
  EXPECT_THAT(page, HasSubstr("A &lt;CPU&gt; &amp; more"));
  EXPECT_THAT(page, Not(HasSubstr("<script")));
  EXPECT_THAT(page, Not(HasSubstr("src=")));
  EXPECT_THAT(page, HasSubstr("viewport"));
  EXPECT_THAT(page, HasSubstr("<th>throughput</th>"));
}

TEST(BenchPage, IsUtf8WhateverAPathIs) {
  std::vector<BenchResult> sweep{result(1, {100}), result(1, {200})};
  sweep[0].what.model = "neffs/\xE9t\xE9/neuron.json";  // Latin-1
  for (int i = 0; i < 30; ++i) sweep[1].what.model += "ä";
  sweep[1].what.model += ".json";  // cut between two bytes of a letter
  for (const std::string& text : {bench_svg(report(sweep)), bench_page(report(sweep))}) {
    EXPECT_NO_THROW((void)nlohmann::json(text).dump());
    EXPECT_THAT(text, HasSubstr(">neffs/\uFFFDt\uFFFD/neuron.json<"));
    EXPECT_THAT(text, HasSubstr("ä.json<"));
  }
  EXPECT_THAT(bench_svg(report(sweep)), HasSubstr(">...ä"));
}

TEST(BenchPage, KeepsACellWithSpacesInOne) {
  auto spaced = result(1, {100});
  spaced.what.model = "my models/a & b.json";
  const std::string page = bench_page(report({spaced, result(1, {200})}));
  EXPECT_THAT(page, HasSubstr("<tr><td>my models/a &amp; b.json</td><td>1</td>"));
}

}  // namespace
}  // namespace posecam
