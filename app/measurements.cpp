#include "app/measurements.h"

#include <nlohmann/json.hpp>

#include "models/json_reader.h"

namespace posecam {
namespace {

constexpr double kLeast = 1e-9;
constexpr double kMost = 1e9;

Measurement read(const JsonNode& node) {
  node.expect_keys({"model", "device", "stages", "simulated", "batch", "cores", "slots", "request_batch", "streams",
                    "net_resolution", "frames", "elapsed_s", "throughput", "throughputs", "latency_ms", "core_use",
                    "cpu_use", "rss_mb", "mb_to_device_s"});
  constexpr std::pair<std::string_view, const char*> kStages[] = {{"net", "net"}, {"all", "all"}};
  const auto count = [&](const char* key, std::int64_t least) {
    return static_cast<std::uint32_t>(node.at(key).integer(least, 1'000'000));
  };
  Measurement m;
  m.workload = {node.at("model").text(1, 4096), node.at("stages").one_of(kStages),
                node.at("net_resolution").text(0, 100)};
  m.device = node.at("device").text(1, 100);
  m.simulated = node.at("simulated").boolean();
  m.batch = count("batch", 0);
  m.cores = count("cores", m.neuron() ? 1 : 0);
  m.throughput = node.at("throughput").real(kLeast, kMost);
  m.p99_s = node.at("latency_ms").at("p99").real(0, kMost) / 1000;
  return m;
}

}  // namespace

Result<Measurements> parse_measurements(std::string_view text, std::string_view where) {
  const auto document = parse_strict_json(text, where);
  if (!document) return document.error();
  JsonProblems problems{std::string(where)};
  const JsonNode root(*document, problems);
  root.expect_keys({"version", "posecam", "when", "machine", "results"});
  root.at("version").integer(1, 1);
  Measurements measurements;
  measurements.cpus = static_cast<std::uint32_t>(root.at("machine").at("cpus").integer(0, 1'000'000));
  for (const JsonNode& node : root.at("results").items(1, 100'000)) measurements.all.push_back(read(node));
  if (problems.first()) return *problems.first();
  return measurements;
}

}  // namespace posecam
