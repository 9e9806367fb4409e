#include "app/cost/cost.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "app/bench/measurements.h"
#include "app/cli/text_file.h"
#include "app/cost/cost_view.h"
#include "app/cost/prices.h"
#include "tests/support/shared.h"

namespace posecam {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::Not;

PriceTable published() {
  const auto table = load_prices(test::source_dir() / "configs/prices.toml");
  EXPECT_TRUE(table) << (table ? "" : table.error().message);
  return table ? *table : PriceTable{};
}

std::vector<InstancePrice> prices(const PriceRate& rate = {}) {
  const auto selected = published().select("us-east-1", rate);
  EXPECT_TRUE(selected) << (selected ? "" : selected.error().message);
  return selected ? *selected : std::vector<InstancePrice>{};
}

/// tests/data/bench.json: openpose on 1 and 4 simulated cores and on a machine of 4 CPUs, and another model.
Measurements example() {
  const auto text = read_text_file(test::source_dir() / "tests/data/bench.json", "the measurements");
  const auto read = parse_measurements(text ? *text : "", "bench.json");
  EXPECT_TRUE(read) << (read ? "" : read.error().message);
  return read ? *read : Measurements{};
}

std::vector<CostTable> tables(const CostQuestion& question, const Measurements* measurements = nullptr,
                              const PriceRate& rate = {}) {
  const auto found = cost_tables(prices(rate), measurements, question);
  EXPECT_TRUE(found) << (found ? "" : found.error().message);
  return found ? *found : std::vector<CostTable>(1);
}

CostRow typed(const TypedFigures& figures, const PriceRate& rate = {}) {
  const auto found = tables({.model = {}, .typed = {figures}}, nullptr, rate);
  EXPECT_EQ(found.front().rows.size(), 1U);
  return found.front().rows.empty() ? CostRow{} : found.front().rows.front();
}

std::vector<std::string> names(const CostTable& table) {
  std::vector<std::string> all;
  for (const CostRow& row : table.rows) all.push_back(row.price.instance);
  return all;
}

const CostRow* find(const CostTable& table, const std::string& instance) {
  for (const CostRow& row : table.rows) {
    if (row.price.instance == instance) return &row;
  }
  ADD_FAILURE() << "no row of " << instance;
  return nullptr;
}

double rounded(double value, int digits) { return std::round(value * std::pow(10, digits)) / std::pow(10, digits); }

double usd_per_million(const CostRow& row) { return 10 * row.usd_per_100000_inferences; }

// Throughputs of aws-neuron-sdk benchmarks/inf1/throughput_data_cnn.csv at the on-demand price; its tables say what a
// million inferences cost, to a tenth of a cent: 1e6 / throughput * price / 3600.
TEST(Cost, ReproducesTheTableOfInf1ToATenthOfACent) {
  EXPECT_DOUBLE_EQ(rounded(usd_per_million(typed({"inf1.xlarge", 57.5})), 3), 1.101);    // OpenPose
  EXPECT_DOUBLE_EQ(rounded(usd_per_million(typed({"inf1.2xlarge", 180.3})), 3), 0.558);  // YOLOv4
  EXPECT_DOUBLE_EQ(rounded(usd_per_million(typed({"inf1.xlarge", 921.5})), 3), 0.069);   // ResNet-50, PyTorch
  EXPECT_DOUBLE_EQ(rounded(usd_per_million(typed({"inf1.xlarge", 2207})), 3), 0.029);    // ResNet-50, TensorFlow
}

// awsdocs-neuron.readthedocs-hosted.com, "Inf2 Inference Performance", of 2024-09-16: its costs are as printed there.
TEST(Cost, ReproducesTheTableOfInf2AtItsReservedRateToATenthOfACent) {
  const PriceRate rate{{}, "ri-effective"};
  const auto cost = [&](double throughput) {
    return rounded(usd_per_million(typed({"inf2.xlarge", throughput}, rate)), 3);
  };
  EXPECT_DOUBLE_EQ(cost(2999.88), 0.030);  // albert-base-v2
  EXPECT_DOUBLE_EQ(cost(2697.72), 0.034);  // bert-base-cased
  EXPECT_DOUBLE_EQ(cost(906.91), 0.100);   // bert-large-cased
  EXPECT_DOUBLE_EQ(cost(919.08), 0.099);   // bert-large-uncased
  EXPECT_DOUBLE_EQ(cost(4756.25), 0.019);  // distilbert-base-cased
}

// OpenPose on inf1.xlarge as first compiled, and tuned: a fourth of the price. 100,000 inferences, to the cent.
TEST(Cost, PricesOpenposeOnInf1AgainstG4dn) {
  const CostRow first = typed({"inf1.xlarge", 14.22});
  const CostRow tuned = typed({"inf1.xlarge", 56.88});
  EXPECT_DOUBLE_EQ(rounded(first.usd_per_100000_inferences, 2), 0.45);
  EXPECT_DOUBLE_EQ(rounded(tuned.usd_per_100000_inferences, 2), 0.11);
  EXPECT_DOUBLE_EQ(rounded(first.usd_per_1000_images, 6), 0.004454);
  EXPECT_DOUBLE_EQ(rounded(tuned.usd_per_1000_images, 6), 0.001113);
  EXPECT_DOUBLE_EQ(first.usd_per_1000_images / tuned.usd_per_1000_images, 4);
  // A g4dn.xlarge costs 0.526 / 0.228 as much: it must be so much faster to draw level.
  EXPECT_DOUBLE_EQ(rounded(typed({"g4dn.xlarge", 56.88}).usd_per_100000_inferences, 2), 0.26);
  EXPECT_NEAR(typed({"g4dn.xlarge", 56.88 * 0.526 / 0.228}).usd_per_1000_images, tuned.usd_per_1000_images, 1e-12);
}

// One inference after the other, as tables of Elastic Inference have it: latency x price of the hour / 3600 x 100,000.
// The accelerator's price here is made up: AWS's is published nowhere any more.
TEST(Cost, PricesAnInstanceWithAnAcceleratorByTheLatencyOfAnInference) {
  const auto table = parse_prices(R"([[list]]
    rate = "on-demand"
    region = "nowhere"
    date = 2026-01-01
    source = "made up for this test"
    instances = [{instance = "m5.large+eia", accelerator = "eia", cores = 1, vcpu = 2, memory_gib = 8, usd_per_hour = 0.216}])",
                                  "test");
  ASSERT_TRUE(table) << table.error().message;
  const auto found =
      cost_tables(*table->select("nowhere", {}), nullptr, {.model = {}, .typed = {{"m5.large+eia", {}, 0.05}}});
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_DOUBLE_EQ(rounded(found->front().rows.front().usd_per_100000_inferences, 2), 0.30);
  EXPECT_DOUBLE_EQ(found->front().rows.front().throughput, 20);
  EXPECT_DOUBLE_EQ(rounded(typed({"m5.large", {}, 0.07}).usd_per_100000_inferences, 2), 0.19);
}

TEST(Cost, OfAStreamHourIsThePartOfAnInstanceThatTheStreamTakes) {
  CostQuestion question{.model = {}, .typed = {{"inf1.xlarge", 60}}};
  question.fps_per_stream = 15;
  EXPECT_DOUBLE_EQ(tables(question).front().rows.front().usd_per_stream_hour, 0.228 / 4);
}

TEST(Cost, TakesFactorsOfThePriceOnDemand) {
  const PriceRate rate{0.6, {}};
  const CostRow row = typed({"inf1.xlarge", 57.5}, rate);
  EXPECT_DOUBLE_EQ(row.price.usd_per_hour, 0.6 * 0.228);
  EXPECT_EQ(row.price.rate, "0.6 x on-demand");
}

TEST(Cost, LeavesOutInstancesThatHaveNoPriceAtARate) {
  const auto reserved = prices({{}, "ri-effective"});
  EXPECT_EQ(reserved.size(), 6U);
  EXPECT_THAT(reserved, Each(Field(&InstancePrice::date, "2024-09-16")));
  const auto unknown = published().select("us-east-1", {{}, "spot"});
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code, Errc::kUsage);
  EXPECT_THAT(unknown.error().message, HasSubstr("ri-effective"));
}

TEST(Cost, NeedsNoMoreInstancesThanTheFramesDo) {
  CostQuestion question{.model = {}, .typed = {{"inf1.xlarge", 14.22}, {"g4dn.xlarge", 60}}};
  question.target_fps = 56.88;  // 56.88 / 14.22 is 4, whatever its last bit
  const auto found = tables(question);
  EXPECT_THAT(names(found.front()), ElementsAre("g4dn.xlarge", "inf1.xlarge"));
  EXPECT_EQ(found.front().cheapest()->count, 1U);
  EXPECT_EQ(found.front().rows.back().count, 4U);
  EXPECT_DOUBLE_EQ(found.front().rows.back().usd_per_hour, 4 * 0.228);
}

TEST(Cost, KeepsAStreamOnOneInstance) {
  CostQuestion question{.model = {}, .typed = {{"inf1.xlarge", 56.88}, {"inf1.2xlarge", 24}}};
  question.streams = 5;
  question.fps_per_stream = 25;
  const auto found = tables(question);
  EXPECT_EQ(found.front().cheapest()->price.instance, "inf1.xlarge");
  EXPECT_EQ(found.front().cheapest()->count, 3U);  // two streams each, though 125 frames/s would fit three times 56.88
  EXPECT_EQ(found.front().rows.back().count, 0U);
  EXPECT_THAT(found.front().rows.back().why_not, HasSubstr("too slow for a stream of 25"));
}

TEST(Cost, KeepsTheLatency) {
  CostQuestion question{.model = {},
                        .typed = {{"inf1.xlarge", 57.5, 0.0674}, {"inf1.2xlarge", 900, 0.08}, {"inf1.6xlarge", 900}}};
  question.max_latency_s = 0.07;
  const auto found = tables(question);
  ASSERT_NE(found.front().cheapest(), nullptr);
  EXPECT_EQ(found.front().cheapest()->price.instance, "inf1.xlarge");
  EXPECT_THAT(find(found.front(), "inf1.2xlarge")->why_not, HasSubstr("0.08 s is above 0.07 s"));
  EXPECT_THAT(find(found.front(), "inf1.6xlarge")->why_not, HasSubstr("not known"));
  question.max_latency_s = 0.01;
  EXPECT_EQ(tables(question).front().cheapest(), nullptr);
}

TEST(Cost, TakesMeasurementsOnAsManyCoresAsAnInstanceHas) {
  const Measurements measurements = example();
  const auto found = tables({.model = "openpose"}, &measurements);
  ASSERT_EQ(found.size(), 1U);
  const CostRow* row = find(found.front(), "inf1.xlarge");
  ASSERT_NE(row, nullptr);
  EXPECT_DOUBLE_EQ(row->throughput, 60);  // the faster of two on four cores
  EXPECT_FALSE(row->scaled);
  EXPECT_TRUE(row->simulated);
  EXPECT_EQ(row->from, "4 cores, batch 4, neuron-sim");
}

TEST(Cost, ScalesTheNearestMeasurementByTheCoresAndSaysSo) {
  Measurements measurements = example();
  const auto found = tables({.model = "openpose"}, &measurements);
  const CostRow* row = find(found.front(), "inf1.6xlarge");
  ASSERT_NE(row, nullptr);
  EXPECT_TRUE(row->scaled);
  EXPECT_DOUBLE_EQ(row->throughput, 240);
  EXPECT_EQ(row->from, "4 cores x 4, batch 4, neuron-sim");
  measurements.all.resize(1);  // one core
  EXPECT_DOUBLE_EQ(find(tables({.model = "openpose"}, &measurements).front(), "inf1.xlarge")->throughput, 56.88);
}

TEST(Cost, TakesTheFastestMeasurementThatKeepsTheLatency) {
  const Measurements measurements = example();
  CostQuestion question{.model = "openpose"};
  question.max_latency_s = 0.1;
  const auto found = tables(question, &measurements);
  EXPECT_DOUBLE_EQ(find(found.front(), "inf1.xlarge")->throughput, 56.88);
  EXPECT_EQ(find(found.front(), "c5.xlarge")->count, 0U);
}

TEST(Cost, PrefersMeasurementsOfARealDevice) {
  Measurements measurements = example();
  Measurement real = measurements.all[1];
  real.device = "neuron";
  real.simulated = false;
  real.throughput = 50;
  measurements.all.push_back(real);
  const auto found = tables({.model = "openpose"}, &measurements);
  EXPECT_DOUBLE_EQ(find(found.front(), "inf1.xlarge")->throughput, 50);
  EXPECT_FALSE(find(found.front(), "inf1.xlarge")->simulated);
}

TEST(Cost, TakesMeasurementsOnACpuForInstancesOfItsSizeOnly) {
  const Measurements measurements = example();
  const auto found = tables({.model = "openpose"}, &measurements);
  EXPECT_DOUBLE_EQ(find(found.front(), "m5.xlarge")->throughput, 3.5);
  EXPECT_THAT(names(found.front()), Not(::testing::Contains(::testing::AnyOf("m5.2xlarge", "g4dn.xlarge"))));
}

TEST(Cost, ShowsWhatWasTypedBesideTheInstancesThatAreNamed) {
  const Measurements measured = example();
  const auto found =
      tables({.model = "openpose", .instances = {"inf1.xlarge"}, .typed = {{"g4dn.xlarge", 60}}}, &measured);
  EXPECT_THAT(names(found.front()), ::testing::UnorderedElementsAre("inf1.xlarge", "g4dn.xlarge"));
}

TEST(Cost, HasATableForEachWorkload) {
  const Measurements measurements = example();
  const auto found = tables({.model = {}}, &measurements);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].workload, (Workload{"openpose", "net", "656x368"}));
  EXPECT_EQ(found[1].workload, (Workload{"openpose-lite", "net", "456x256"}));
}

TEST(Cost, RefusesWhatDoesNotExistOrFit) {
  const Measurements measurements = example();
  const auto refused = [&](const CostQuestion& question, const Measurements* m) {
    const auto found = cost_tables(prices(), m, question);
    EXPECT_FALSE(found);
    if (found) return std::string();
    EXPECT_EQ(found.error().code, Errc::kUsage);
    return found.error().message;
  };
  EXPECT_THAT(refused({.model = "closedpose"}, &measurements), HasSubstr("openpose, openpose-lite"));
  EXPECT_THAT(refused({.model = {}, .instances = {"inf9.xlarge"}}, &measurements), HasSubstr("'inf9.xlarge'"));
  EXPECT_THAT(refused({.model = {}, .typed = {{"m5.large+eia2.medium", 1}}}, nullptr), HasSubstr("no price"));
  EXPECT_THAT(refused({.model = {}, .typed = {{"g4dn.xlarge", 1}}}, &measurements), HasSubstr("--model"));
  EXPECT_THAT(refused({.model = {}, .instances = {"g4dn.xlarge"}}, &measurements), HasSubstr("--throughput"));
  const auto region = published().select("eu-north-9", {});
  ASSERT_FALSE(region);
  EXPECT_THAT(region.error().message, HasSubstr("us-east-1"));
}

TEST(CostView, MarksWhatIsSimulatedOrScaled) {
  const Measurements measurements = example();
  CostQuestion question{.model = "openpose", .instances = {"inf1.xlarge", "inf1.6xlarge"}};
  const std::string text = cost_text(tables(question, &measurements), question, false);
  EXPECT_THAT(text, HasSubstr("60.00~ "));
  EXPECT_THAT(text, HasSubstr("240.00~* "));
  EXPECT_THAT(text, HasSubstr("\n~ simulated"));
  EXPECT_THAT(text, HasSubstr("\n* scaled"));
  EXPECT_THAT(text, HasSubstr("Cheapest: inf1.xlarge, "));
  EXPECT_THAT(text, Not(HasSubstr("generation")));
  question.instances.emplace_back("inf2.xlarge");
  EXPECT_THAT(cost_text(tables(question, &measurements), question, false), HasSubstr("generation"));
}

TEST(CostView, MarksWhatWasMeasuredOnAnotherCpu) {
  const Measurements measurements = example();
  const CostQuestion question{.model = "openpose"};
  const auto found = tables(question, &measurements);
  const std::string text = cost_text(found, question, false);
  EXPECT_THAT(text, HasSubstr("3.50^ "));
  EXPECT_THAT(text,
              HasSubstr("\n^ measured on 4 CPUs of an example:\n  the instance's own CPU may be faster or slower\n"));
  const auto json = nlohmann::json::parse(cost_json(found, question));
  for (const auto& row : json["tables"][0]["rows"]) {
    EXPECT_EQ(row["measured_on"].is_null(), row["accelerator"] != "none") << row;
    if (row["accelerator"] == "none") {
      EXPECT_EQ(row["measured_on"], "4 CPUs of an example");
    }
  }
}

TEST(CostView, ExplainsEachFigureAndNamesItsSource) {
  CostQuestion question{.model = {}, .typed = {{"inf1.xlarge", 57.5}}};
  question.target_fps = 100;
  const std::string text = cost_text(tables(question), question, true);
  EXPECT_THAT(text, HasSubstr("Cheapest: 2 x inf1.xlarge, 0.45600 USD an hour\n"));
  EXPECT_THAT(text, HasSubstr("1000 / 57.5 / 3600 x 0.228 = 0.001101\n"));
  EXPECT_THAT(text, HasSubstr("100 / 57.5, rounded up"));
  EXPECT_THAT(text, HasSubstr("2026-07-20"));
  EXPECT_THAT(text, HasSubstr("source: AWS pricing API"));
}

TEST(CostView, IsADocumentForPrograms) {
  CostQuestion question{.model = {}, .typed = {{"inf1.xlarge", 57.5}, {"g4dn.xlarge", {}, 0.5}}};
  question.max_latency_s = 0.5;
  const auto json = nlohmann::json::parse(cost_json(tables(question), question));
  EXPECT_EQ(json["tables"][0]["cheapest"], "g4dn.xlarge");
  EXPECT_EQ(json["tables"][0]["rows"][1]["count"], 0);
  EXPECT_EQ(json["tables"][0]["rows"][1]["why_not"], "latency not known");
  EXPECT_EQ(json["tables"][0]["rows"][1]["latency_s"], nullptr);
  EXPECT_DOUBLE_EQ(json["tables"][0]["rows"][0]["usd_per_1000_images"], 0.526 / 3600 / 2 * 1000);
}

TEST(MeasurementsOfBench, LeaveOutWhatFailed) {
  const auto text = read_text_file(test::source_dir() / "tests/data/bench.json", "the measurements");
  ASSERT_TRUE(text);
  auto report = nlohmann::json::parse(*text);
  report["results"][0]["failure"] = "lost after a round";
  report["results"][1]["failure"] = "no memory";
  report["results"][1]["throughputs"] = nlohmann::json::array();
  report["results"][1]["throughput"] = nullptr;
  const auto read = parse_measurements(report.dump(), "bench.json");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->all.size(), report["results"].size() - 2);
}

TEST(MeasurementsOfBench, AreReadStrictly) {
  const auto text = read_text_file(test::source_dir() / "tests/data/bench.json", "the measurements");
  ASSERT_TRUE(text);
  const auto whole = nlohmann::json::parse(*text);
  const auto refused = [&](const char* pointer, const nlohmann::json& value) {
    nlohmann::json changed = whole;
    changed[nlohmann::json::json_pointer(pointer)] = value;
    const auto read = parse_measurements(changed.dump(), "bench.json");
    EXPECT_FALSE(read) << pointer << value;
    return read ? std::string() : read.error().message;
  };
  for (const auto& bad : {nlohmann::json(-5), nlohmann::json("fast"), nlohmann::json()}) {
    EXPECT_THAT(refused("/results/0/throughput", bad), HasSubstr("results[0].throughput"));
  }
  EXPECT_THAT(refused("/results/0/throughputs", {0}), HasSubstr("throughput 0"));
  EXPECT_THAT(refused("/results/0/cores", 0), HasSubstr("0 cores"));
  EXPECT_THAT(refused("/results/0/latency_ms", 5), HasSubstr("latency_ms"));
  EXPECT_THAT(refused("/results/0/simulated", "no"), HasSubstr("simulated"));
  EXPECT_THAT(refused("/results/0/fps", 5), HasSubstr("results[0].fps: unknown key"));
  EXPECT_THAT(refused("/version", 2), HasSubstr("version"));
  EXPECT_THAT(refused("/results/3/device", "auto"), HasSubstr("device=auto"));
  EXPECT_THAT(refused("/results", nlohmann::json::array()), HasSubstr("results"));
  EXPECT_FALSE(parse_measurements("no JSON", "bench.json"));
}

}  // namespace
}  // namespace posecam
