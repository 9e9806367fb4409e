#include "pipeline/neuron/machine/config.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "models/core/file.h"
#include "models/core/text.h"
#include "models/spec/json_reader.h"
#include "pipeline/neuron/machine/core_file.h"
#include "pipeline/neuron/machine/visible_cores.h"

namespace posecam::sim {
namespace {

constexpr std::string_view kWhere = "NEURON_SIM_CONFIG";
constexpr std::int64_t kMaxCores = 512;
constexpr std::int64_t kMaxStatus = 1'000'000;
constexpr std::int64_t kMaxCall = std::int64_t{1} << 50;
constexpr double kDefaultTimeout = 30;
constexpr std::uint32_t kMostInFlight = 63;  // from runtime 2.25 on
constexpr double kLongestTimeout = 1e6;

std::string_view text_of(GetEnv env, const char* name) {
  const char* value = env(name);
  return value ? value : "";
}

/// What is struck, for rules that name a call.
void read_call(const JsonNode& node, FaultRule& rule) {
  rule.call = node.at("call").text(1, 64);
  if (!rule.call.starts_with("nrt_")) node.at("call").problem("expected the name of a function, nrt_...");
}

/// Of rules from whose call on a core is gone.
void read_end(const JsonNode& node, FaultRule& rule) {
  const bool hang = node.has("hang_at");
  rule.kind = hang ? FaultRule::Kind::kHang : FaultRule::Kind::kLost;
  rule.from = static_cast<std::uint64_t>(node.at(hang ? "hang_at" : "lost_at").integer(1, kMaxCall));
  rule.status = NRT_EXEC_UNIT_UNRECOVERABLE;
  if (!rule.core) node.problem("core: missing, expected the core that is lost");
  for (const char* key : {"from", "count", "every"}) {
    if (node.has(key)) node.at(key).problem("is for status, blocks and slow");
  }
}

FaultRule read_fault(const JsonNode& node) {
  node.expect_keys(
      {"call", "core", "from", "count", "every", "status", "slow", "blocks", "hang_at", "lost_at", "recovers"});
  FaultRule rule;
  if (node.has("core")) rule.core = static_cast<std::uint32_t>(node.at("core").integer(0, kMaxCores - 1));
  if (node.has("from")) rule.from = static_cast<std::uint64_t>(node.at("from").integer(1, kMaxCall));
  if (node.has("count")) rule.count = static_cast<std::uint64_t>(node.at("count").integer(1, kMaxCall));
  if (node.has("every")) rule.every = static_cast<std::uint64_t>(node.at("every").integer(1, kMaxCall));
  if (node.has("recovers")) rule.recovers = node.at("recovers").boolean();
  const bool status = node.has("status");
  const bool blocks = node.has("blocks");
  const bool slow = node.has("slow");
  if (status + blocks + slow + node.has("hang_at") + node.has("lost_at") != 1) {
    node.problem("expected one of status, slow, blocks, hang_at, lost_at");
  } else if (status) {
    rule.status = static_cast<NRT_STATUS>(node.at("status").integer(1, kMaxStatus));
    read_call(node, rule);
  } else if (blocks) {
    rule.kind = FaultRule::Kind::kBlock;
    rule.blocks_s = node.at("blocks").real(0, 1e6);
    read_call(node, rule);
  } else if (slow) {
    rule.kind = FaultRule::Kind::kSlow;
    rule.slow = node.at("slow").real(0, 1e6);
  } else {
    read_end(node, rule);
  }
  if (slow && node.has("recovers")) node.problem("recovers is not for slow");
  if (!status && !blocks && node.has("call"))
    node.problem("call is for status and blocks; the others are about nrt_execute");
  return rule;
}

/// The entry of `all` that the key names.
template <class T>
void choose(const JsonNode& root, std::string_view key, std::span<const T> all, T& out) {
  if (!root.has(key)) return;
  const std::string name = root.at(key).text(1, 64);
  const auto found = std::ranges::find(all, name, &T::name);
  if (found != all.end()) {
    out = *found;
  } else {
    std::vector<std::string_view> names;
    for (const T& entry : all) names.push_back(entry.name);
    root.at(key).problem(fmt::format("expected one of {}", fmt::join(names, ", ")));
  }
}

void read_document(const JsonNode& root, Config& config) {
  constexpr std::pair<std::string_view, Mode> kModes[] = {{"exact", Mode::kExact}, {"timed", Mode::kTimed}};
  root.expect_keys({"instance", "cores", "total", "runtime", "mode", "pool", "bf16", "time", "switch_ms",
                    "transfer_gb_s", "distinct", "faults"});
  choose(root, "instance", instances(), config.instance);
  if (config.instance.is_inf1()) config.runtime = runtime_versions().front();
  choose(root, "runtime", runtime_versions(), config.runtime);
  if (root.has("cores")) config.instance.cores = static_cast<std::uint32_t>(root.at("cores").integer(1, kMaxCores));
  if (root.has("total")) config.total = static_cast<std::uint32_t>(root.at("total").integer(1, kMaxCores));
  if (root.has("mode")) config.mode = root.at("mode").one_of(kModes);
  if (root.has("pool")) config.pool = root.at("pool").text(1, 4096);
  if (root.has("bf16")) config.bf16 = root.at("bf16").boolean();
  if (root.has("time")) config.time = read_device_time(root.at("time"));
  if (root.has("switch_ms")) config.switch_ms = root.at("switch_ms").real(0, 1e6);
  if (root.has("transfer_gb_s")) config.transfer_gb_s = root.at("transfer_gb_s").real(0.001, 1e6);
  if (root.has("distinct")) config.distinct = static_cast<std::uint32_t>(root.at("distinct").integer(1, 1024));
  if (root.has("faults")) {
    for (const JsonNode& node : root.at("faults").items(0, 1024)) config.faults.push_back(read_fault(node));
  }
}

constexpr std::size_t kMostDocumentBytes = std::size_t{1} << 20;

Result<std::string> document_text(std::string_view value) {
  const auto start = value.find_first_not_of(" \t\r\n");
  if (start != std::string_view::npos && value[start] == '{') return std::string(value);
  auto text = read_file(std::filesystem::path(value), kMostDocumentBytes);
  if (text) return text;
  return Error{Errc::kModel, fmt::format("{}: cannot read {}; expected a file, or JSON that starts with {{", kWhere,
                                         short_line(value))};
}

/// A whole number in an environment variable; `otherwise` if it is not set.
Result<std::uint32_t> read_number(GetEnv env, const char* name, std::uint32_t lowest, std::uint32_t otherwise) {
  const std::string text(text_of(env, name));
  if (text.empty()) return otherwise;
  char* end = nullptr;
  const long value = std::strtol(text.c_str(), &end, 10);
  if (*end != '\0' || value < static_cast<long>(lowest) || value > kMaxCores) {
    return Error{Errc::kUsage, fmt::format("{}={}: expected a whole number from {} to {}", name, short_line(text),
                                           lowest, kMaxCores)};
  }
  return static_cast<std::uint32_t>(value);
}

Result<void> read_variables(GetEnv env, Config& config) {
  const auto cores = read_number(env, "NEURON_SIM_CORES", 1, config.instance.cores);
  if (!cores) return cores.error();
  config.instance.cores = *cores;
  if (const auto pool = text_of(env, "NEURON_SIM_POOL"); !pool.empty()) config.pool = pool;
  config.pool = core_pool_folder(config.pool);
  const auto wanted = read_number(env, "NEURON_RT_NUM_CORES", 0, 0);
  if (!wanted) return wanted.error();
  config.wanted = *wanted;
  const auto in_flight = read_number(env, "NEURON_RT_ASYNC_EXEC_MAX_INFLIGHT_REQUESTS", 0, 0);
  if (!in_flight) return in_flight.error();
  if (config.runtime.has_implicit_async()) config.in_flight = std::min(*in_flight, kMostInFlight);
  if (const auto visible = text_of(env, "NEURON_RT_VISIBLE_CORES"); !visible.empty()) {
    auto range = parse_visible_cores(visible);
    if (!range) return range.error();
    config.visible = *range;
  }
  return {};
}

}  // namespace

Result<Config> read_config(GetEnv env) {
  Config config;
  config.instance = *std::ranges::find(instances(), "inf2.xlarge", &Instance::name);
  config.runtime = runtime_versions().back();
  if (const auto value = text_of(env, "NEURON_SIM_CONFIG"); !value.empty()) {
    const auto text = document_text(value);
    if (!text) return text.error();
    const auto document = parse_strict_json(*text, kWhere);
    if (!document) return document.error();
    JsonProblems problems{std::string(kWhere)};
    read_document(JsonNode(*document, problems), config);
    if (problems.first()) return *problems.first();
  }
  if (auto read = read_variables(env, config); !read) return read.error();
  return config;
}

Result<double> read_exec_timeout(GetEnv env) {
  const std::string text(text_of(env, "NEURON_RT_EXEC_TIMEOUT"));
  if (text.empty()) return kDefaultTimeout;
  char* end = nullptr;
  const double seconds = std::strtod(text.c_str(), &end);
  if (*end != '\0' || !(seconds >= 0 && seconds <= kLongestTimeout)) {
    return Error{Errc::kUsage,
                 fmt::format("NEURON_RT_EXEC_TIMEOUT={}: expected seconds, or 0 for no limit", short_line(text))};
  }
  return seconds == 0 ? kLongestTimeout : seconds;
}

}  // namespace posecam::sim
