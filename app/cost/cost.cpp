#include "app/cost/cost.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <tuple>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "models/core/text.h"

namespace posecam {
namespace {

constexpr double kSecondsPerHour = 3600;
constexpr double kMostInstances = 1e6;
/// 56.88 / 14.22 may come out a little above 4, and is 4 all the same.
constexpr double kRounding = 1e-9;

double whole_up(double value) { return std::ceil(value * (1 - kRounding)); }
double whole_down(double value) { return std::floor(value * (1 + kRounding)); }

/// How many instances do it, and what they cost.
void plan(CostRow& row, const CostQuestion& question) {
  if (question.max_latency_s && !row.latency_s) {
    row.why_not = "latency not known";
    return;
  }
  if (question.max_latency_s && *row.latency_s > *question.max_latency_s) {
    row.why_not = fmt::format("latency of {:.4g} s is above {:.4g} s", *row.latency_s, *question.max_latency_s);
    return;
  }
  double count = 1;
  if (question.target_fps) count = std::max(count, whole_up(*question.target_fps / row.throughput));
  if (question.streams) {
    const double streams = whole_down(row.throughput / question.fps_per_stream);
    if (streams < 1) {
      row.why_not = fmt::format("too slow for a stream of {:.4g} frames/s", question.fps_per_stream);
      return;
    }
    count = std::max(count, whole_up(*question.streams / streams));
  }
  if (count > kMostInstances) {
    row.why_not = fmt::format("more than {:.0f} would be needed", kMostInstances);
    return;
  }
  row.count = static_cast<std::uint64_t>(count);
  row.usd_per_hour = count * row.price.usd_per_hour;
}

CostRow make_row(const InstancePrice& price, double throughput, const CostQuestion& question) {
  CostRow row;
  row.price = price;
  row.throughput = throughput;
  const double usd_per_image = price.usd_per_hour / kSecondsPerHour / throughput;
  row.usd_per_1000_images = 1000 * usd_per_image;
  row.usd_per_100000_inferences = 100'000 * usd_per_image;
  row.usd_per_stream_hour = question.fps_per_stream * kSecondsPerHour * usd_per_image;
  return row;
}

CostRow typed_row(const InstancePrice& price, const TypedFigures& figures, const CostQuestion& question) {
  CostRow row = make_row(price, figures.throughput ? *figures.throughput : 1 / *figures.latency_s, question);
  row.latency_s = figures.latency_s;
  row.typed = true;
  row.from = figures.throughput ? "typed" : "typed, one at a time";
  plan(row, question);
  return row;
}

bool fits(const Measurement& m, const InstancePrice& price, std::uint32_t cpus) {
  if (m.neuron()) return price.neuron();
  return price.accelerator == "none" && price.vcpu == cpus;
}

/// 1 for the same number of cores, more the further away.
double distance(const Measurement& m, const InstancePrice& price) {
  if (!m.neuron()) return 1;
  const double ratio = static_cast<double>(m.cores) / price.cores;
  return std::max(ratio, 1 / ratio);
}

CostRow measured_row(const Measurement& m, const InstancePrice& price, const Measurements& by,
                     const CostQuestion& question) {
  const double factor = m.neuron() ? static_cast<double>(price.cores) / m.cores : 1;
  CostRow row = make_row(price, m.throughput * factor, question);
  row.latency_s = m.p99_s;
  row.simulated = m.simulated;
  if (!m.neuron()) row.cpu = fmt::format("{} of {}", counted(by.cpus, "CPU", "CPUs"), by.cpu);
  row.scaled = m.neuron() && m.cores != price.cores;
  row.from = fmt::format("batch {}, {}", m.batch, m.device);
  if (m.neuron()) {
    const std::string times = row.scaled ? fmt::format(" x {:g}", factor) : "";
    row.from = fmt::format("{}{}, {}", counted(m.cores, "core", "cores"), times, row.from);
  }
  plan(row, question);
  return row;
}

std::optional<CostRow> best_row(const std::vector<Measurement>& all, const InstancePrice& price, const Measurements& by,
                                const CostQuestion& question) {
  std::optional<CostRow> best;
  std::tuple<bool, double, bool, double> best_rank;
  for (const Measurement& m : all) {
    if (!fits(m, price, by.cpus)) continue;
    CostRow row = measured_row(m, price, by, question);
    const bool slow = row.count == 0;
    // Of those that are too slow the one that is least so shows how far away it is.
    const std::tuple rank{m.simulated, distance(m, price), slow, slow ? m.p99_s : -row.throughput};
    if (best && rank >= best_rank) continue;
    best = std::move(row);
    best_rank = rank;
  }
  return best;
}

/// The measurements by workload, in their order.
std::vector<std::pair<Workload, std::vector<Measurement>>> by_workload(const std::vector<Measurement>& all,
                                                                       const std::string& model) {
  std::vector<std::pair<Workload, std::vector<Measurement>>> groups;
  for (const Measurement& m : all) {
    if (!model.empty() && m.workload.model != model) continue;
    auto group = std::ranges::find(groups, m.workload, [](const auto& g) { return g.first; });
    if (group == groups.end()) group = groups.insert(group, {m.workload, {}});
    group->second.push_back(m);
  }
  return groups;
}

Error unknown_model(const std::vector<Measurement>& all, const std::string& model) {
  std::set<std::string> known;
  for (const Measurement& m : all) known.insert(m.workload.model);
  return {Errc::kUsage,
          fmt::format("no measurement of the model '{}': there are those of {}", model, fmt::join(known, ", "))};
}

const InstancePrice* find(const std::vector<InstancePrice>& prices, const std::string& instance) {
  const auto found = std::ranges::find(prices, instance, &InstancePrice::instance);
  return found == prices.end() ? nullptr : &*found;
}

Result<void> check_instances(const std::vector<InstancePrice>& prices, const CostQuestion& question) {
  std::vector<std::string> asked = question.instances;
  const std::string of = prices.empty() ? "" : fmt::format(" ({}, {})", prices.front().region, prices.front().rate);
  for (const TypedFigures& figures : question.typed) asked.push_back(figures.instance);
  for (const std::string& instance : asked) {
    if (find(prices, instance)) continue;
    return Error{Errc::kUsage, fmt::format("no price of the instance '{}'{}: add it to a file of prices, and name that "
                                           "with --prices",
                                           instance, of)};
  }
  return {};
}

void sort_rows(std::vector<CostRow>& rows, const CostQuestion& question) {
  const bool whole = question.target_fps || question.streams;
  std::ranges::stable_sort(rows, {}, [&](const CostRow& row) {
    return std::tuple(row.count == 0, whole ? row.usd_per_hour : row.usd_per_1000_images, row.count,
                      row.usd_per_1000_images);
  });
}

}  // namespace

const CostRow* CostTable::cheapest() const { return rows.empty() || rows.front().count == 0 ? nullptr : &rows.front(); }

Result<std::vector<CostTable>> cost_tables(const std::vector<InstancePrice>& prices, const Measurements* measurements,
                                           const CostQuestion& question) {
  if (const auto known = check_instances(prices, question); !known) return known.error();
  std::vector<std::pair<Workload, std::vector<Measurement>>> groups;
  if (measurements) {
    groups = by_workload(measurements->all, question.model);
    if (groups.empty()) return unknown_model(measurements->all, question.model);
    if (groups.size() > 1 && !question.typed.empty()) {
      return Error{Errc::kUsage, fmt::format("typed figures beside measurements of {} different things: say of which "
                                             "model with --model, and measure it in one way only",
                                             groups.size())};
    }
  } else {
    groups.emplace_back();
  }
  std::vector<CostTable> tables;
  for (const auto& [workload, group] : groups) {
    CostTable& table = tables.emplace_back(CostTable{workload, {}});
    for (const TypedFigures& figures : question.typed) {
      table.rows.push_back(typed_row(*find(prices, figures.instance), figures, question));
    }
    for (const InstancePrice& price : prices) {
      const bool named = question.instances.empty() || std::ranges::count(question.instances, price.instance) > 0;
      const bool typed = std::ranges::count(question.typed, price.instance, &TypedFigures::instance) > 0;
      if (!named || typed || !measurements) continue;
      if (auto row = best_row(group, price, *measurements, question)) table.rows.push_back(std::move(*row));
    }
    sort_rows(table.rows, question);
  }
  if (std::ranges::any_of(tables, [](const CostTable& table) { return !table.rows.empty(); })) return tables;
  return Error{
      Errc::kUsage,
      "no instance fits what was measured: measurements on NeuronCores are for instances that have them, those "
      "on a CPU for instances with as many vCPUs as the machine; type its figures: --throughput INSTANCE=FPS"};
}

}  // namespace posecam
