#include "app/commands/cost_command.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unistd.h>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "app/bench/measurements.h"
#include "app/cli/console.h"
#include "app/cli/exit_code.h"
#include "app/cli/text_file.h"
#include "app/cost/cost.h"
#include "app/cost/cost_view.h"
#include "app/cost/prices.h"
#include "models/core/text.h"

namespace posecam {
namespace {

constexpr double kLeast = 1e-9;
constexpr double kMost = 1e9;

struct Request {
  std::string bench;
  std::vector<std::string> throughputs;
  std::vector<std::string> latencies;
  std::string prices;
  std::string region = "us-east-1";  ///< where the published prices are of
  std::string reserved;
  std::string spot;
  bool json = false;
  bool explain = false;
  double target_fps = 0;  ///< 0: none, as with the next two
  double max_latency_s = 0;
  std::uint32_t streams = 0;
  CostQuestion question;
};

std::optional<double> number(std::string_view text) {
  double value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc() || end != text.data() + text.size()) return {};
  return value;
}

std::optional<double> positive(std::string_view text) {
  const auto value = number(text);
  return value && *value >= kLeast && *value <= kMost ? value : std::nullopt;
}

/// Sets one figure of an instance.
Result<void> set(std::vector<TypedFigures>& all, const std::string& instance,
                 std::optional<double> TypedFigures::*figure, double value, std::string_view option) {
  auto typed = std::ranges::find(all, instance, &TypedFigures::instance);
  if (typed == all.end()) typed = all.insert(typed, {instance});
  if ((*typed).*figure) return Error{Errc::kUsage, fmt::format("{} of {} is given twice", option, instance)};
  (*typed).*figure = value;
  return {};
}

/// "INSTANCE=NUMBER", or a number for each --instance.
Result<void> read_typed(CostQuestion& question, const std::vector<std::string>& texts,
                        std::optional<double> TypedFigures::*figure, std::string_view option) {
  for (const std::string& text : texts) {
    const auto equals = text.rfind('=');
    const auto value = positive(equals == std::string::npos ? text : std::string_view(text).substr(equals + 1));
    if (!value) return Error{Errc::kUsage, fmt::format("{} {}: not a number above 0", option, text)};
    std::vector<std::string> instances{text.substr(0, equals)};
    if (equals == std::string::npos) instances = question.instances;
    if (instances.empty()) {
      return Error{Errc::kUsage,
                   fmt::format("{} {}: of which instance? Give INSTANCE={} or --instance", option, text, text)};
    }
    for (const std::string& instance : instances) {
      if (auto done = set(question.typed, instance, figure, *value, option); !done) return done;
    }
  }
  return {};
}

Result<PriceRate> read_rate(const Request& request) {
  const std::string& text = request.reserved.empty() ? request.spot : request.reserved;
  const auto factor = number(text);
  if (!factor) return PriceRate{{}, text};
  if (*factor >= kLeast && *factor <= 1) return PriceRate{factor, {}};
  return Error{Errc::kUsage, fmt::format("{} {}: a factor of the on-demand price is above 0 and up to 1",
                                         request.reserved.empty() ? "--spot" : "--reserved", text)};
}

Result<std::optional<Measurements>> read_bench(const Request& request) {
  if (!request.bench.empty()) {
    const auto text = read_text_file(request.bench, "the measurements");
    if (!text) return text.error();
    auto measurements = parse_measurements(*text, request.bench);
    if (!measurements) return measurements.error();
    return std::optional(std::move(*measurements));
  }
  if (!request.question.model.empty()) return Error{Errc::kUsage, "--model is for measurements: name a file of them"};
  if (request.question.typed.empty()) {
    return Error{Errc::kUsage,
                 "nothing to put a price on: name the JSON of `posecam bench`, or type --throughput INSTANCE=FPS"};
  }
  return std::optional<Measurements>();
}

/// The table is printed in any case; an error says that it holds no instance that does what was asked.
Result<void> cost(Request request) {
  CostQuestion& question = request.question;
  if (request.target_fps > 0) question.target_fps = request.target_fps;
  if (request.max_latency_s > 0) question.max_latency_s = request.max_latency_s;
  if (request.streams > 0) question.streams = request.streams;
  if (auto read = read_typed(question, request.throughputs, &TypedFigures::throughput, "--throughput"); !read)
    return read;
  if (auto read = read_typed(question, request.latencies, &TypedFigures::latency_s, "--latency"); !read) return read;
  const auto rate = read_rate(request);
  if (!rate) return rate.error();
  const auto measurements = read_bench(request);
  if (!measurements) return measurements.error();
  const auto path = request.prices.empty() ? default_prices() : Result<std::filesystem::path>(request.prices);
  if (!path) return path.error();
  const auto file = load_prices(*path);
  if (!file) return file.error();
  const auto prices = file->select(request.region, *rate);
  if (!prices) return prices.error();
  const auto tables = cost_tables(*prices, *measurements ? &**measurements : nullptr, question);
  if (!tables) return tables.error();
  std::string text = request.json ? cost_json(*tables, question)
                                  : cost_text(*tables, question, request.explain, terminal_columns(STDOUT_FILENO));
  const auto known =
      static_cast<std::size_t>(std::ranges::count(file->on_demand, request.region, &InstancePrice::region));
  if (!request.json && known > prices->size()) {
    text += fmt::format("Left out, without a price '{}': {} of {}\n", rate->name, known - prices->size(),
                        counted(known, "instance", "instances"));
  }
  put_text(text);
  if (!question.planned() || std::ranges::any_of(*tables, &CostTable::cheapest)) return {};
  return Error{Errc::kUsage, "no instance does what was asked"};
}

int run(const Request& request) {
  const auto done = cost(request);
  if (done) return 0;
  std::string message = done.error().message;
  std::ranges::replace(message, '\n', ' ');  // of a name that was typed
  tell("posecam: {}\n", message);
  return exit_code(done.error().code);
}

void add_plan_options(CLI::App& command, Request& request) {
  const CLI::Validator above_zero(
      [](std::string& text) {
        return positive(text) ? std::string() : fmt::format("'{}' is not a number above 0", text);
      },
      "NUMBER");
  command.add_option("--target-fps", request.target_fps, "Frames a second that are to be analysed in all")
      ->check(above_zero);
  command.add_option("--max-latency", request.max_latency_s, "Seconds that the p99 of a request may last")
      ->check(above_zero);
  command.add_option("--streams", request.streams, "Streams that are to be analysed, each on one instance")
      ->check(CLI::Range(1U, 1'000'000U));
  command.add_option("--fps-per-stream", request.question.fps_per_stream, "Frames a second of a stream")
      ->check(above_zero)
      ->capture_default_str();
}

}  // namespace

void add_cost_command(CLI::App& app, int& code) {
  auto request = std::make_shared<Request>();
  CLI::App* command = app.add_subcommand("cost", "What inference costs on instances of AWS, and which is the cheapest");
  command->add_option("bench", request->bench, "What `posecam bench --json` wrote");
  command->add_option("--throughput", request->throughputs, "INSTANCE=FPS, typed instead of measured; repeatable")
      ->allow_extra_args(false);
  command
      ->add_option("--latency", request->latencies,
                   "INSTANCE=SECONDS of one inference, typed; without a throughput, they are made one at a time")
      ->allow_extra_args(false);
  command
      ->add_option("--instance", request->question.instances,
                   "Only this instance, and those that figures are typed of; repeatable")
      ->allow_extra_args(false);
  command->add_option("--model", request->question.model, "Only this model of the measurements");
  add_plan_options(*command, *request);
  command->add_option("--prices", request->prices, "File of prices; default: the one that comes with posecam");
  command->add_option("--region", request->region, "Region of the prices")->capture_default_str();
  CLI::Option* reserved = command->add_option(
      "--reserved", request->reserved, "Reserved: factor of the on-demand price, or a rate of the file of prices");
  command->add_option("--spot", request->spot, "Spot: factor of the on-demand price, or a rate of the file of prices")
      ->excludes(reserved);
  CLI::Option* json = command->add_flag("--json", request->json, "As JSON, for programs");
  command->add_flag("--explain", request->explain, "Say how each figure comes about, and where its price is from")
      ->excludes(json);
  command->callback([request, &code] { code = run(*request); });
}

}  // namespace posecam
