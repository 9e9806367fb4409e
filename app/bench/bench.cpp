#include "app/bench/bench.h"

#include <algorithm>
#include <functional>
#include <numeric>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/cli/text_table.h"
#include "models/core/text.h"
#include "models/spec/json_reader.h"

namespace posecam {
namespace {

using Json = nlohmann::ordered_json;

constexpr double kMost = 1e15;

/// Not known of a case that failed before it had any.
std::string cores_of(const BenchCase& what) { return what.cores == 0 ? "all" : std::to_string(what.cores); }

/// A column of the table and, without units, of the CSV: everything is text.
struct Column {
  std::string_view name;
  bool always;  ///< also where all rows say the same
  std::function<std::string(const BenchResult&)> text;
  std::string_view unit{};  ///< behind the text, where people read it
  bool measured = false;    ///< there is none of a case that failed at once
};

template <class T>
std::string number(T value) {
  return fmt::format("{}", value);
}

const std::vector<Column>& columns() {
  using R = BenchResult;
  const auto figure = [](std::string_view name, std::string_view unit, double BenchRun::*which, const char* format,
                         double times = 1) {
    const auto text = [=](const R& r) { return fmt::format(fmt::runtime(format), times * r.median(which)); };
    return Column{name, true, text, unit, true};
  };
  static const std::vector<Column> all{
      {"model", false, [](const R& r) { return r.what.model; }},
      {"device", false, [](const R& r) { return r.what.device; }},
      {"stages", false, [](const R& r) { return std::string(r.what.whole ? "all" : "net"); }},
      {"net_resolution", false, [](const R& r) { return r.what.net_resolution; }},
      {"options", false, [](const R& r) { return r.what.options; }},
      {"cores", false, [](const R& r) { return cores_of(r.what); }},
      {"slots", false, [](const R& r) { return number(r.what.slots); }},
      {"streams", false, [](const R& r) { return number(r.what.streams); }},
      {"batch_size", true, [](const R& r) { return number(r.what.batch); }},
      {"request_batch", false, [](const R& r) { return number(r.what.request_batch); }},
      {"num_inferences", true, [](const R& r) { return number(r.frames()); }, "", true},
      {"elapsed", true, [](const R& r) { return fmt::format("{:.2f}", r.elapsed_s()); }, " s", true},
      figure("throughput", " fps", &BenchRun::throughput, "{:.2f}"),
      {"spread", true, [](const R& r) { return fmt::format("{:.1f}", 100 * r.spread()); }, " %", true},
      figure("p50_ms", "", &BenchRun::p50_ms, "{:.2f}"),
      figure("p90_ms", "", &BenchRun::p90_ms, "{:.2f}"),
      figure("p99_ms", "", &BenchRun::p99_ms, "{:.2f}"),
      figure("core_use", " %", &BenchRun::core_use, "{:.1f}", 100),
      figure("cpu_use", " CPUs", &BenchRun::cpu_use, "{:.2f}"),
      figure("rss_mb", "", &BenchRun::rss_mb, "{:.0f}"),
      figure("mb_to_device_s", "", &BenchRun::mb_to_device_s, "{:.1f}")};
  return all;
}

/// For people. One cell of a row says that nothing was measured.
std::string cell(const Column& column, const BenchResult& result) {
  if (!column.measured || !result.runs.empty()) return column.text(result) + std::string(column.unit);
  return column.name == "throughput" ? "FAILED" : "-";
}

/// Quoted where it must be, as a path as model may.
std::string csv_cell(std::string cell) {
  if (cell.find_first_of(",\"\n") == std::string::npos) return cell;
  for (std::size_t at = 0; (at = cell.find('"', at)) != std::string::npos; at += 2) cell.insert(at, 1, '"');
  return fmt::format("\"{}\"", cell);
}

Json to_json(const BenchResult& result) {
  const BenchCase& c = result.what;
  const auto median = [&](double BenchRun::*figure) {
    return result.runs.empty() ? Json() : Json(result.median(figure));
  };
  Json throughputs = Json::array();
  for (const BenchRun& run : result.runs) throughputs.push_back(run.throughput);
  Json json{
      {"model", c.model},
      {"network", c.network},
      {"device", c.device},
      {"stages", c.whole ? "all" : "net"},
      {"simulated", result.simulated},
      {"batch", c.batch},
      {"cores", c.cores},
      {"slots", c.slots},
      {"request_batch", c.request_batch},
      {"streams", c.streams},
      {"net_resolution", c.net_resolution},
      {"options", c.options},
      {"frames", result.frames()},
      {"elapsed_s", result.elapsed_s()},
      {"throughput", median(&BenchRun::throughput)},
      {"throughputs", std::move(throughputs)},
      {"latency_ms",
       {{"p50", median(&BenchRun::p50_ms)}, {"p90", median(&BenchRun::p90_ms)}, {"p99", median(&BenchRun::p99_ms)}}},
      {"core_use", median(&BenchRun::core_use)},
      {"cpu_use", median(&BenchRun::cpu_use)},
      {"rss_mb", median(&BenchRun::rss_mb)},
      {"mb_to_device_s", median(&BenchRun::mb_to_device_s)}};
  if (!result.failure.empty()) json["failure"] = result.failure;
  return json;
}

/// Medians stand for what the single repetitions were.
BenchResult read_result(const JsonNode& node) {
  node.expect_keys({"model",     "network",        "device",        "stages",     "simulated",      "batch",
                    "cores",     "slots",          "request_batch", "streams",    "net_resolution", "frames",
                    "elapsed_s", "throughput",     "throughputs",   "latency_ms", "core_use",       "cpu_use",
                    "rss_mb",    "mb_to_device_s", "options",       "failure"});
  constexpr std::pair<std::string_view, bool> kStages[] = {{"net", false}, {"all", true}};
  const auto count = [&](const char* key) { return static_cast<std::uint32_t>(node.at(key).integer(0, 1'000'000)); };
  BenchResult result;
  BenchCase& c = result.what;
  c.model = node.at("model").text(1, 4096);
  c.network = node.at("network").text(1, 4096);
  c.device = node.at("device").text(1, 100);
  c.whole = node.at("stages").one_of(kStages);
  c.batch = count("batch");
  c.cores = count("cores");
  c.slots = count("slots");
  c.request_batch = count("request_batch");
  c.streams = count("streams");
  c.net_resolution = node.at("net_resolution").text(0, 100);
  if (node.has("options")) c.options = node.at("options").text(0, 4096);
  result.simulated = node.at("simulated").boolean();
  if (node.has("failure")) result.failure = node.at("failure").text(1, 4096);
  const auto throughputs = node.at("throughputs").items(result.failure.empty() ? 1 : 0, 10'000);
  if (!throughputs.empty()) node.at("throughput").real(0, kMost);  // their median
  const JsonNode latency = node.at("latency_ms");
  for (const JsonNode& throughput : throughputs) {
    BenchRun run;
    run.throughput = throughput.real(0, kMost);
    run.frames = static_cast<std::uint64_t>(node.at("frames").real(0, kMost)) / throughputs.size();
    run.elapsed_s = node.at("elapsed_s").real(0, kMost) / static_cast<double>(throughputs.size());
    run.p50_ms = latency.at("p50").real(0, kMost);
    run.p90_ms = latency.at("p90").real(0, kMost);
    run.p99_ms = latency.at("p99").real(0, kMost);
    run.core_use = node.at("core_use").real(0, kMost);
    run.cpu_use = node.at("cpu_use").real(0, kMost);
    run.rss_mb = node.at("rss_mb").real(0, kMost);
    run.mb_to_device_s = node.at("mb_to_device_s").real(0, kMost);
    result.runs.push_back(run);
  }
  return result;
}

}  // namespace

std::uint64_t BenchResult::frames() const {
  return std::accumulate(runs.begin(), runs.end(), std::uint64_t{0},
                         [](std::uint64_t sum, const BenchRun& run) { return sum + run.frames; });
}

double BenchResult::elapsed_s() const {
  return std::accumulate(runs.begin(), runs.end(), 0.0,
                         [](double sum, const BenchRun& run) { return sum + run.elapsed_s; });
}

double BenchResult::median(double BenchRun::*figure) const {
  if (runs.empty()) return 0;
  std::vector<double> values;
  for (const BenchRun& run : runs) values.push_back(run.*figure);
  std::ranges::sort(values);
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

double BenchResult::spread() const {
  const double middle = median(&BenchRun::throughput);
  if (middle <= 0) return 0;
  const auto [least, most] = std::ranges::minmax(runs, {}, &BenchRun::throughput);
  return (most.throughput - least.throughput) / middle;
}

std::string describe(const BenchCase& c) {
  std::string text = fmt::format("{} {} {} {} batch {} cores {} slots {}", c.model, c.device, c.whole ? "all" : "net",
                                 c.net_resolution, c.batch, cores_of(c), c.slots);
  if (!c.whole) text += fmt::format(" request {}", c.request_batch);
  if (c.whole) text += fmt::format(" streams {}", c.streams);
  if (!c.options.empty()) text += " " + c.options;
  return text;
}

std::string describe_failure(const BenchResult& r) {
  const std::string after = r.runs.empty() ? "" : " after " + counted(r.runs.size(), "round", "rounds");
  return fmt::format("FAILED{}: {}: {}", after, describe(r.what), r.failure);
}

nlohmann::ordered_json to_json(const BenchReport& report) {
  Json results = Json::array();
  for (const BenchResult& result : report.results) results.push_back(to_json(result));
  return {{"version", 1},
          {"posecam", report.version},
          {"when", report.when},
          {"machine", {{"cpu", report.cpu}, {"cpus", report.cpus}}},
          {"results", std::move(results)}};
}

Result<BenchReport> parse_bench_report(const std::string& text, const std::string& where) {
  const auto json = parse_strict_json(text, where);
  if (!json) return json.error();
  JsonProblems problems(where);
  const JsonNode root(*json, problems);
  BenchReport report;
  root.expect_keys({"version", "posecam", "when", "machine", "results"});
  root.at("version").integer(1, 1);
  report.version = root.at("posecam").text(0, 100);
  report.when = root.at("when").text(0, 100);
  report.cpu = root.at("machine").at("cpu").text(0, 1000);
  report.cpus = static_cast<std::uint32_t>(root.at("machine").at("cpus").integer(0, 1'000'000));
  for (const JsonNode& node : root.at("results").items(0, 100'000)) report.results.push_back(read_result(node));
  if (problems.first()) return *problems.first();
  return report;
}

Cells bench_cells(const BenchReport& report) {
  Cells rows(report.results.size() + 1);
  std::vector<std::string> before;
  for (const Column& column : columns()) {
    std::vector<std::string> cells;
    for (const BenchResult& result : report.results) cells.push_back(cell(column, result));
    const bool varies = std::ranges::adjacent_find(cells, std::not_equal_to<>()) != cells.end();
    if (!column.always && (!varies || cells == before)) continue;
    rows[0].emplace_back(column.name);
    for (std::size_t i = 0; i < cells.size(); ++i) rows[i + 1].push_back(cells[i]);
    before = std::move(cells);
  }
  return rows;
}

std::string bench_table(const BenchReport& report, int columns) {
  const Cells cells = bench_cells(report);
  const auto keys = std::ranges::find(cells.front(), "num_inferences") - cells.front().begin();
  std::string text = lay_out(cells, {.keys = static_cast<std::size_t>(keys), .columns = columns});
  for (const BenchResult& result : report.results) {
    if (!result.failure.empty()) text += describe_failure(result) + "\n";
  }
  return text;
}

std::string bench_csv(const BenchReport& report) {
  std::string text;
  for (const Column& column : columns()) text += fmt::format("{},", column.name);
  text += "failure\n";
  for (const BenchResult& result : report.results) {
    for (const Column& column : columns()) {
      text += csv_cell(column.measured && result.runs.empty() ? "" : column.text(result)) + ",";
    }
    text += csv_cell(result.failure) + "\n";
  }
  return text;
}

}  // namespace posecam
