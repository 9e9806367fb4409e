#include "app/cost/cost_view.h"

#include <algorithm>
#include <optional>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/cli/text_table.h"
#include "models/core/text.h"

namespace posecam {
namespace {

using Json = nlohmann::ordered_json;

/// With a column for the number of instances and their price.
bool has_counts(const CostQuestion& question) { return question.target_fps || question.streams; }

std::string title(const CostTable& table) {
  const Workload& w = table.workload;
  const std::string what = w.model.empty()     ? "Typed figures"
                           : w.stages == "net" ? fmt::format("{}, the network alone, {}", w.model, w.net_resolution)
                                               : fmt::format("{}, end to end, {}", w.model, w.net_resolution);
  if (table.rows.empty()) return what + ": no instance fits these measurements\n";
  return fmt::format("{}: {}, {}, prices in USD\n", what, table.rows.front().price.region,
                     table.rows.front().price.rate);
}

std::string fps_text(const CostRow& row) {
  return fmt::format("{:.2f}{}{}{}", row.throughput, row.simulated ? "~" : "", row.scaled ? "*" : "",
                     row.cpu.empty() ? "" : "^");
}

void add_table(std::string& text, const CostTable& table, const CostQuestion& question, int columns) {
  text += title(table);
  if (table.rows.empty()) return;
  Cells rows{{"INSTANCE", "AN HOUR", "FRAMES/S", "P99 S", "1000 IMAGES", "100000 INF", "STREAM-HOUR"}};
  if (has_counts(question)) rows[0].insert(rows[0].end(), {"COUNT", "ALL/HOUR"});
  rows[0].emplace_back("FROM");
  for (const CostRow& row : table.rows) {
    auto& cells = rows.emplace_back();
    cells = {row.price.instance,
             fmt::format("{:.5f}", row.price.usd_per_hour),
             fps_text(row),
             row.latency_s ? fmt::format("{:.4f}", *row.latency_s) : "-",
             fmt::format("{:.6f}", row.usd_per_1000_images),
             fmt::format("{:.4f}", row.usd_per_100000_inferences),
             fmt::format("{:.4f}", row.usd_per_stream_hour)};
    if (has_counts(question)) {
      const bool none = row.count == 0;
      cells.push_back(none ? "-" : std::to_string(row.count));
      cells.push_back(none ? "-" : fmt::format("{:.5f}", row.usd_per_hour));
    }
    cells.push_back(row.from + (row.why_not.empty() ? "" : ": " + row.why_not));
  }
  text += lay_out(rows, {.sides = has_counts(question) ? "lrrrrrrrrt" : "lrrrrrrt", .columns = columns});
}

/// What a stream-hour, a number of frames or of streams comes to.
std::string explain_plan(const CostRow& row, const CostQuestion& question) {
  std::string text;
  if (question.target_fps) {
    text += fmt::format("  {:g} frames/s: {:g} / {:g}, rounded up\n", *question.target_fps, *question.target_fps,
                        row.throughput);
  }
  if (question.streams) {
    text += fmt::format("  {}: {:g} / {:g}, rounded down, on an instance\n",
                        counted(*question.streams, "stream", "streams"), row.throughput, question.fps_per_stream);
  }
  if (has_counts(question))
    text += fmt::format("  in all: {} x {:g} = {:.5f} an hour\n", row.count, row.price.usd_per_hour, row.usd_per_hour);
  return text;
}

void add_explanation(std::string& text, const CostTable& table, const CostQuestion& question) {
  for (const CostRow& row : table.rows) {
    const InstancePrice& p = row.price;
    text += fmt::format(
        "\n{}: {:g} USD an hour, {}, {}, {}; {} vCPU, {:g} GiB, {}\n", p.instance, p.usd_per_hour, p.rate, p.region,
        p.date, p.vcpu, p.memory_gib,
        p.cores == 0 ? "no accelerator" : fmt::format("{} of {}", counted(p.cores, "core", "cores"), p.accelerator));
    text += fmt::format("  source: {}\n", p.source);
    text += fmt::format("  {:g} frames/s: {}{}\n", row.throughput, row.from,
                        row.cpu.empty() ? "" : ", measured on " + row.cpu);
    text += fmt::format("  1000 images: 1000 / {:g} / 3600 x {:g} = {:.6f}\n", row.throughput, p.usd_per_hour,
                        row.usd_per_1000_images);
    text += fmt::format("  100000 inferences: 100000 / {:g} / 3600 x {:g} = {:.4f}\n", row.throughput, p.usd_per_hour,
                        row.usd_per_100000_inferences);
    text += fmt::format("  stream-hour: {:g} / {:g} x {:g} = {:.4f}\n", question.fps_per_stream, row.throughput,
                        p.usd_per_hour, row.usd_per_stream_hour);
    text += row.count == 0 ? fmt::format("  not this one: {}\n", row.why_not) : explain_plan(row, question);
  }
}

std::string cheapest_text(const CostTable& table, const CostQuestion& question) {
  const CostRow* row = table.cheapest();
  if (!row) return table.rows.empty() ? "" : "Cheapest: none does what was asked\n";
  if (has_counts(question)) {
    return fmt::format("Cheapest: {} x {}, {:.5f} USD an hour\n", row->count, row->price.instance, row->usd_per_hour);
  }
  return fmt::format("Cheapest: {}, {:.6f} USD for 1000 images\n", row->price.instance, row->usd_per_1000_images);
}

std::string footnotes(const std::vector<CostTable>& tables, const CostQuestion& question) {
  bool simulated = false;
  bool scaled = false;
  std::string cpu;
  std::set<std::string> generations;
  for (const CostTable& table : tables) {
    for (const CostRow& row : table.rows) {
      simulated = simulated || row.simulated;
      scaled = scaled || row.scaled;
      if (!row.cpu.empty()) cpu = row.cpu;
      if (!row.typed && row.price.neuron()) generations.insert(row.price.accelerator);
    }
  }
  std::string text = fmt::format("STREAM-HOUR: a stream of {:g} frames/s for an hour\n", question.fps_per_stream);
  if (simulated) text += "~ simulated: the time that the simulator was told, not that of a device\n";
  if (scaled) text += "* scaled: measured on another number of cores, and multiplied\n";
  if (!cpu.empty()) text += fmt::format("^ measured on {}:\n  the instance's own CPU may be faster or slower\n", cpu);
  if (generations.size() > 1) {
    text +=
        "A measurement does not say of which generation its NeuronCores were:\n"
        "compare instances of that one only (--instance)\n";
  }
  return text;
}

template <class T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json();
}

Json to_json(const CostRow& row) {
  const InstancePrice& p = row.price;
  return {{"instance", p.instance},
          {"region", p.region},
          {"accelerator", p.accelerator},
          {"cores", p.cores},
          {"vcpu", p.vcpu},
          {"memory_gib", p.memory_gib},
          {"usd_per_hour", p.usd_per_hour},
          {"rate", p.rate},
          {"date", p.date},
          {"source", p.source},
          {"throughput", row.throughput},
          {"latency_s", or_null(row.latency_s)},
          {"from", row.from},
          {"simulated", row.simulated},
          {"scaled", row.scaled},
          {"measured_on", row.cpu.empty() ? Json() : Json(row.cpu)},
          {"usd_per_1000_images", row.usd_per_1000_images},
          {"usd_per_100000_inferences", row.usd_per_100000_inferences},
          {"usd_per_stream_hour", row.usd_per_stream_hour},
          {"count", row.count},
          {"usd_per_hour_in_all", row.usd_per_hour},
          {"why_not", row.why_not.empty() ? Json() : Json(row.why_not)}};
}

Json to_json(const CostTable& table) {
  auto rows = Json::array();
  for (const CostRow& row : table.rows) rows.push_back(to_json(row));
  const Workload& w = table.workload;
  const CostRow* cheapest = table.cheapest();
  return {{"model", w.model.empty() ? Json() : Json(w.model)},
          {"stages", w.model.empty() ? Json() : Json(w.stages)},
          {"net_resolution", w.model.empty() ? Json() : Json(w.net_resolution)},
          {"cheapest", cheapest ? Json(cheapest->price.instance) : Json()},
          {"rows", std::move(rows)}};
}

}  // namespace

std::string cost_text(const std::vector<CostTable>& tables, const CostQuestion& question, bool explain, int columns) {
  std::string text;
  for (const CostTable& table : tables) {
    add_table(text, table, question, columns);
    text += cheapest_text(table, question);
    if (explain) add_explanation(text, table, question);
    text += '\n';
  }
  return text + footnotes(tables, question);
}

std::string cost_json(const std::vector<CostTable>& tables, const CostQuestion& question) {
  auto list = Json::array();
  for (const CostTable& table : tables) list.push_back(to_json(table));
  const Json document{{"version", 1},
                      {"target_fps", or_null(question.target_fps)},
                      {"max_latency_s", or_null(question.max_latency_s)},
                      {"streams", or_null(question.streams)},
                      {"fps_per_stream", question.fps_per_stream},
                      {"tables", std::move(list)}};
  return document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace posecam
