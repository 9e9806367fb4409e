#include "app/commands/models_command.h"

#include <algorithm>
#include <functional>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <unistd.h>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "app/cli/console.h"
#include "app/cli/exit_code.h"
#include "app/cli/progress.h"
#include "app/cli/text_table.h"
#include "models/core/paths.h"
#include "models/core/text.h"
#include "models/make/made.h"
#include "models/spec/model_spec.h"
#include "models/spec/zoo.h"
#include "models/store/store.h"
#include "postprocess/decode/decoder.h"
#include "postprocess/decode/decoders.h"

namespace posecam {
namespace {

constexpr std::size_t kLabelsShown = 100;

struct ModelsOptions {
  std::vector<std::string> names;
  std::string mirror;
  std::string ca_file;
  bool json = false;
};

int complain(const Error& error) {
  tell("posecam: {}\n", error.message);
  return exit_code(error.code);
}

/// Decimal, as disks and download pages count.
std::string readable_bytes(std::uint64_t bytes) {
  if (bytes < 100'000) return fmt::format("{:.1f} kB", static_cast<double>(bytes) / 1e3);
  return fmt::format("{:.1f} MB", static_cast<double>(bytes) / 1e6);
}

std::uint64_t total_bytes(const ModelSpec& spec) {
  std::set<std::string> seen;
  std::uint64_t total = 0;
  for (const BackendWeights& weights : spec.weights) {
    for (const WeightFile& file : weights.files) total += seen.insert(file.name).second ? file.bytes : 0;
  }
  return total;
}

std::string_view task_name(Task task) {
  switch (task) {
    case Task::kPose: return "pose";
    case Task::kDetection: return "detection";
    case Task::kClassification: break;
  }
  return "classification";
}

std::string size_text(Size size) { return fmt::format("{}x{}", size.width, size.height); }

std::vector<std::string> backends_pulled(const ModelStore& store, const ModelSpec& spec) {
  std::vector<std::string> names;
  for (const BackendWeights& weights : spec.weights) {
    if (store.has(spec, weights.backend)) names.push_back(weights.backend);
  }
  return names;
}

/// The named models, or all of the zoo.
Result<std::vector<ModelSpec>> find_models(std::vector<std::string> names) {
  if (names.empty()) {
    auto zoo = zoo_names();
    if (!zoo) return std::move(zoo).error();
    names = *std::move(zoo);
  }
  std::vector<ModelSpec> specs;
  for (const std::string& name : names) {
    auto spec = find_model(name);
    if (!spec) return std::move(spec).error();
    specs.push_back(*std::move(spec));
  }
  return specs;
}

void print_json(const ModelStore& store, const std::vector<ModelSpec>& specs) {
  auto list = nlohmann::ordered_json::array();
  for (const ModelSpec& spec : specs) {
    nlohmann::ordered_json entry;
    entry["name"] = spec.name;
    entry["task"] = task_name(spec.task);
    entry["width"] = spec.input.size.width;
    entry["height"] = spec.input.size.height;
    entry["license"] = spec.license;
    entry["bytes"] = total_bytes(spec);
    entry["backends"] = nlohmann::ordered_json::array();
    for (const BackendWeights& weights : spec.weights) entry["backends"].push_back(weights.backend);
    entry["pulled"] = backends_pulled(store, spec);
    list.push_back(std::move(entry));
  }
  put_text(with_escapes(list.dump(2)) + "\n");
}

void print_table(const ModelStore& store, const std::vector<ModelSpec>& specs) {
  Cells rows{{"NAME", "TASK", "INPUT", "SIZE", "PULLED FOR", "LICENCE"}};
  for (const ModelSpec& spec : specs) {
    const auto pulled = backends_pulled(store, spec);
    rows.push_back({spec.name, std::string(task_name(spec.task)), size_text(spec.input.size),
                    readable_bytes(total_bytes(spec)),
                    pulled.empty() ? "-" : fmt::format("{}", fmt::join(pulled, ", ")), spec.license});
  }
  put_text(lay_out(rows, {.sides = "llrrlt", .columns = terminal_columns(STDOUT_FILENO)}));
}

int list(const ModelsOptions& options) {
  const auto store = ModelStore::open_default();
  if (!store) return complain(store.error());
  const auto specs = find_models({});
  if (!specs) return complain(specs.error());
  options.json ? print_json(*store, *specs) : print_table(*store, *specs);
  return 0;
}

std::string input_text(const InputSpec& input) {
  std::string text =
      fmt::format("{} {} {} {} {}", input.name, to_string(input.shape()), to_string(input.dtype),
                  input.layout == Layout::kNchw ? "NCHW" : "NHWC", input.color == ColorOrder::kBgr ? "BGR" : "RGB");
  if (input.resize == ResizeRule::kStretch) {
    text += ", stretched";
  } else {
    text += fmt::format(", letterboxed {} on {}", input.anchor == PadAnchor::kTopLeft ? "top-left" : "centred",
                        input.pad_value);
  }
  text += input.multiple_of > 0 ? fmt::format(", any multiple of {}", input.multiple_of) : ", fixed size";
  return text;
}

void print_files(const ModelStore& store, const ModelSpec& spec) {
  for (const BackendWeights& weights : spec.weights) {
    put("{:<12} {}, {}\n", weights.backend, weights.precision,
        store.has(spec, weights.backend) ? "pulled" : "not pulled");
    for (const WeightFile& file : weights.files) {
      put("{:<12} {}  {}\n", "", file.name, readable_bytes(file.bytes));
      put("{:<12}   sha256 {}\n", "", file.sha256.empty() ? "not said: any file of the name" : file.sha256);
      const std::string nowhere =
          find_maker(spec) ? "made: " + pull_command(spec) : "not published: only from a mirror";
      put("{:<12}   {}\n", "", file.url.empty() ? nowhere : file.url);
    }
  }
}

int show(const ModelsOptions& options) {
  const auto store = ModelStore::open_default();
  if (!store) return complain(store.error());
  const auto spec = find_model(options.names.front());
  if (!spec) return complain(spec.error());
  put("{}\n{}\n\n", spec->name, spec->description);
  put("{:<12} {}\n", "task", task_name(spec->task));
  put("{:<12} {}\n", "licence", spec->license);
  put("{:<12} {}\n", "source", spec->source);
  put("{:<12} {}\n", "descriptor", spec->path.native());
  put("{:<12} {}\n", "input", input_text(spec->input));
  put("{:<12} {}\n", "outputs", fmt::join(spec->outputs, ", "));
  put("{:<12} {}\n", "decoder", spec->decoder->describe());
  if (spec->skeleton)
    put("{:<12} {}, {}\n", "skeleton", spec->skeleton->name,
        counted(spec->skeleton->parts.size(), "keypoint", "keypoints"));
  if (!spec->labels.empty()) {
    const std::span shown = std::span(spec->labels).first(std::min(spec->labels.size(), kLabelsShown));
    put("{:<12} {}: {}{}\n", "labels", spec->labels.size(), fmt::join(shown, ", "),
        shown.size() < spec->labels.size() ? ", ..." : "");
  }
  print_files(*store, *spec);
  return 0;
}

void print_pulled(const ModelSpec& spec, const std::vector<FileReport>& reports, const char* arrived) {
  std::set<std::string> seen;
  for (const FileReport& report : reports) {
    if (!seen.insert(report.file.name).second) continue;
    const bool good = report.state == FileState::kGood;
    put("{}: {}  {}  {}\n", spec.name, report.file.name, readable_bytes(report.file.bytes),
        report.pulled ? arrived
        : good        ? "already there"
                      : report.problem);
  }
}

int bring_one(const ModelStore& store, const ModelSpec& spec, PullOptions options) {
  ProgressPrinter printer(!status_can_be_drawn());  // elsewhere only the results are printed
  options.progress = [&](const WeightFile& file, std::uint64_t done) {
    if (!printer.due()) return;
    const std::uint64_t percent = 100 * done / file.bytes;
    printer.show(static_cast<double>(percent) / 100, fmt::format("{}  {:3}%  {} of {}", file.name, percent,
                                                                 readable_bytes(done), readable_bytes(file.bytes)));
  };
  options.note = [](const std::string& note) { tell("posecam: {}\n", note); };
  const auto reports = store.pull(spec, options);
  if (!reports) return complain(reports.error());
  print_pulled(spec, *reports, options.make ? "made" : "pulled");
  put("{}: ready for {}\n", spec.name, fmt::join(backends_pulled(store, spec), ", "));
  return 0;
}

int bring_all(const std::vector<std::string>& names, const PullOptions& options) {
  const auto store = ModelStore::open_default();
  if (!store) return complain(store.error());
  const auto specs = find_models(names);
  if (!specs) return complain(specs.error());
  int worst = 0;
  for (const ModelSpec& spec : *specs) worst = std::max(worst, bring_one(*store, spec, options));
  return worst;
}

int pull(const ModelsOptions& options) {
  return bring_all(options.names, {.mirror = options.mirror, .ca_file = options.ca_file});
}

int make(const ModelsOptions& options) { return bring_all(options.names, {.make = true}); }

/// Files of backends that were never pulled are no fault, unless nothing of a model that was asked for is there.
int verify_one(const ModelStore& store, const ModelSpec& spec, bool asked_for) {
  const auto reports = store.verify(spec);
  std::set<std::string> begun;
  for (const FileReport& report : reports) {
    if (report.state != FileState::kMissing) begun.insert(report.backend);
  }
  if (begun.empty() && asked_for) {
    return complain({Errc::kModel, fmt::format("model '{}' is not pulled; run: {}", spec.name, pull_command(spec))});
  }
  std::string damaged;
  std::set<std::string> seen;
  for (const FileReport& report : reports) {
    if (begun.count(report.backend) == 0 || !seen.insert(report.file.name).second) continue;
    const bool good = report.state == FileState::kGood;
    put("{}: {}  {}{}\n", spec.name, report.file.name, to_string(report.state),
        good || report.state == FileState::kMissing ? "" : ": " + report.problem);
    if (!good) damaged = report.backend;
  }
  if (damaged.empty()) return 0;
  return complain(
      {Errc::kModel, fmt::format("model '{}' is damaged; run: {}", spec.name, pull_command(spec, damaged))});
}

int verify(const ModelsOptions& options) {
  const auto store = ModelStore::open_default();
  if (!store) return complain(store.error());
  const auto specs = find_models(options.names);
  if (!specs) return complain(specs.error());
  int worst = 0;
  bool any = false;
  for (const ModelSpec& spec : *specs) {
    worst = std::max(worst, verify_one(*store, spec, !options.names.empty()));
    any = any || !backends_pulled(*store, spec).empty();
  }
  if (!any && worst == 0) put("nothing is pulled into {}\n", store->root().native());
  return worst;
}

int path(const ModelsOptions& options) {
  const auto store = ModelStore::open_default();
  if (!store) return complain(store.error());
  if (options.names.empty()) {
    put_path(store->root().native());
    return 0;
  }
  const auto spec = find_model(options.names.front());
  if (!spec) return complain(spec.error());
  put_path(store->folder(*spec).native());
  return 0;
}

}  // namespace

void add_models_command(CLI::App& app, int& code) {
  auto options = std::make_shared<ModelsOptions>();
  CLI::App* models = app.add_subcommand("models", "List, fetch and check the networks that posecam can run");
  models->require_subcommand(1);
  if (const auto share = share_dir()) {
    models->footer(
        fmt::format("What a descriptor of your own may hold: {}/schema/model-spec.schema.json", share->string()));
  }
  const auto add = [&](const char* name, const char* help, int (*run)(const ModelsOptions&)) {
    CLI::App* command = models->add_subcommand(name, help);
    command->callback([options, run, &code] { code = run(*options); });
    return command;
  };
  add("list", "The models of the zoo and which are pulled", list)
      ->add_flag("--json", options->json, "As JSON, for programs");
  add("show", "Everything about one model", show)
      ->add_option("NAME", options->names, "Zoo name or path of a descriptor")
      ->required()
      ->expected(1);
  CLI::App* pull_command = add("pull", "Fetch the weights of models, checked by size and sha256", pull);
  pull_command->add_option("NAME", options->names, "Zoo names or paths of descriptors")->required();
  pull_command->add_option("--mirror", options->mirror, "Directory or URL to look at before the published place")
      ->type_name("DIR|URL")
      ->envname("POSECAM_MODEL_MIRROR");
  pull_command->add_option("--ca-file", options->ca_file, "Authorities of https to trust instead of the system's (PEM)")
      ->type_name("FILE")
      ->envname("SSL_CERT_FILE");
  add("make", "Make the weights of a network that is for measurements: resnet50, fitness-coords", make)
      ->add_option("NAME", options->names, "Zoo names")
      ->required();
  add("verify", "Read all pulled weights and compare them with their checksums", verify)
      ->add_option("NAME", options->names, "Only these models");
  add("path", "Where the weights lie", path)->add_option("NAME", options->names, "Folder of this model")->expected(1);
}

}  // namespace posecam
