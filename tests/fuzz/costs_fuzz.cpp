// What `posecam bench compare` and `posecam cost` read: reports of measurements, and lists of prices.

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "app/bench/bench_compare.h"
#include "app/bench/measurements.h"
#include "app/cost/cost.h"
#include "app/cost/cost_view.h"
#include "app/cost/prices.h"
#include "tests/fuzz/fuzz_input.h"

namespace posecam::fuzz {
namespace {

void check_message(const Error& error) {
  expect(!error.message.empty() && !error.message.ends_with('\n'), "a message without a newline:", error.message);
}

void check_tables(const Result<std::vector<CostTable>>& tables, const CostQuestion& question) {
  if (!tables) return check_message(tables.error());
  for (const CostTable& table : *tables) {
    for (const CostRow& row : table.rows) {
      expect(row.usd_per_1000_images > 0 && std::isfinite(row.usd_per_stream_hour), "a cost that is none");
      expect((row.count == 0) == !row.why_not.empty(), "an instance will do, or it is said why not:", row.why_not);
    }
  }
  expect(cost_text(*tables, question, true).ends_with('\n'), "a text without an end");
  expect(nlohmann::json::accept(cost_json(*tables, question)), "a document that is none");
}

void prices(Input& input) {
  const auto table = parse_prices(input.rest(), "prices.toml");
  if (!table) return check_message(table.error());
  expect(!table->on_demand.empty() || !table->rates.empty(), "a file of prices without any");
  if (table->on_demand.empty()) return;
  const std::string region = table->on_demand.front().region;
  std::vector<PriceRate> rates{{}, {0.5, {}}, {{}, "no such rate"}};
  if (!table->rates.empty()) rates.push_back({{}, table->rates.front().rate});
  for (const PriceRate& rate : rates) {
    const auto selected = table->select(region, rate);
    if (!selected) {
      check_message(selected.error());
      continue;
    }
    CostQuestion question;
    for (const InstancePrice& price : *selected) {
      if (question.typed.size() < 20) question.typed.push_back({price.instance, 30.0, 0.05});
    }
    check_tables(cost_tables(*selected, nullptr, question), question);
  }
}

void report(Input& input) {
  const auto read = parse_bench_report(std::string(input.rest()), "bench.json");
  if (!read) return check_message(read.error());
  const auto again = parse_bench_report(to_json(*read).dump(), "bench.json");
  expect(static_cast<bool>(again), "a report that was written is refused:", again ? "" : again.error().message);
  const BenchComparison comparison = compare_reports(*read, *again);
  expect(comparison.missing.empty() && comparison.added.empty() && comparison.same_machine, "it is the same report");
  expect(comparison.changes.size() == read->results.size(), "each of its cases is there");
  expect(comparison_table(comparison).ends_with('\n'), "a table without an end");
  expect(bench_table(*read).ends_with('\n') && bench_csv(*read).ends_with('\n'), "a table without an end");
}

void measured_costs(Input& input) {
  static const auto table = load_prices(POSECAM_SOURCE_DIR "/configs/prices.toml");
  expect(static_cast<bool>(table), "the prices that come with the program");
  CostQuestion question;
  if (input.flag()) question.target_fps = 1 + input.byte();
  if (input.flag()) question.max_latency_s = 0.001 * (1 + input.byte());
  if (input.flag()) question.streams = 1U + input.byte();
  const auto measured = parse_measurements(std::string(input.rest()), "bench.json");
  if (!measured) return check_message(measured.error());
  const auto selected = table->select("us-east-1", {});
  check_tables(cost_tables(*selected, &*measured, question), question);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input input(data, size);
  constexpr void (*kReaders[])(Input&) = {prices, report, measured_costs};
  kReaders[static_cast<std::size_t>(input.below(0, std::size(kReaders) - 1))](input);
  return 0;
}

}  // namespace posecam::fuzz
