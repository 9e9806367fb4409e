#include "app/commands/eval_command.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/cli/console.h"
#include "app/cli/engine_options.h"
#include "app/cli/exit_code.h"
#include "app/cli/progress.h"
#include "app/cli/text_table.h"
#include "app/eval/evaluation.h"
#include "models/core/text.h"
#include "pipeline/engine/let_go.h"
#include "pipeline/output/result_file.h"
#include "pipeline/settings/engine_plan.h"
#include "postprocess/eval/coco_eval.h"

namespace posecam {
namespace {

using Clock = std::chrono::steady_clock;

struct EvalOptions : EngineSettings {
  std::string annotations;
  std::string images;
  std::string results;
  bool json = false;
};

/// Images of all aspects go through one network: its size cannot follow them.
Result<std::shared_ptr<Engine>> make_pose_engine(const EvalOptions& options) {
  auto plan = plan_engine(options, kUnknownVideo);
  if (!plan) return plan.error();
  if (plan->model.task != Task::kPose) {
    return Error{Errc::kUsage, fmt::format("--model {}: finds no keypoints; name a pose model", options.model)};
  }
  return make_engine(std::move(*plan));
}

// How the results came about: absent when they were read from a file.
struct Run {
  Evaluation evaluation;
  std::string model;
  std::string device;
  Size size;

  double fps() const {
    return evaluation.seconds > 0 ? static_cast<double>(evaluation.images) / evaluation.seconds : 0;
  }
};

std::function<void(std::size_t)> show_progress(std::size_t images) {
  return [images, printer = std::make_shared<ProgressPrinter>(false), began = Clock::now()](std::size_t done) {
    if (!printer->due()) return;
    const double seconds = std::chrono::duration<double>(Clock::now() - began).count();
    const double part = static_cast<double>(done) / static_cast<double>(images);
    std::string text = fmt::format("{}/{}  {:.0f}%", done, counted(images, "image", "images"), std::floor(100 * part));
    if (done > 0) text += "  ETA " + format_duration(seconds * (1 / part - 1));
    printer->show(part, text);
  };
}

Result<Run> analyse(const EvalOptions& options, const CocoAnnotations& annotations) {
  auto engine = make_pose_engine(options);
  if (!engine) return std::move(engine).error();
  auto evaluation = analyse_images(annotations, options.images, **engine, show_progress(annotations.images.size()));
  if (!evaluation) return std::move(evaluation).error();
  if (!options.results.empty()) {
    if (auto written = write_document(options.results, evaluation->results); !written) return written.error();
  }
  const ModelSpec& model = (*engine)->model();
  Run run{*std::move(evaluation), model.name, std::string((*engine)->backend_name()), model.input.size};
  if (const auto gone = let_go(*std::move(engine), std::chrono::seconds(options.teardown_limit_s)); !gone) {
    tell("posecam: {}\n", gone.error().message);
  }
  return run;
}

void print_json(const CocoStats& stats, std::size_t images, std::size_t people, const std::optional<Run>& run) {
  nlohmann::ordered_json out;
  for (std::size_t i = 0; i < stats.size(); ++i) out[std::string(coco_figures()[i].name)] = stats[i];
  out["images"] = images;
  out["people"] = people;
  if (run) {
    out["model"] = run->model;
    out["device"] = run->device;
    out["net_resolution"] = fmt::format("{}x{}", run->size.width, run->size.height);
    out["fps"] = run->fps();
  }
  put_text(with_escapes(out.dump()) + "\n");
}

/// As everybody knows it, or what fits a narrow terminal.
std::string figures_table(const CocoStats& stats) {
  constexpr int kColumns = 80;
  const int columns = terminal_columns(STDOUT_FILENO);
  if (columns == 0 || columns >= kColumns) return coco_table(stats);
  Cells rows{{"figure", "OKS", "area", "value"}};
  for (std::size_t i = 0; i < stats.size(); ++i) {
    const CocoFigure& f = coco_figures()[i];
    rows.push_back({f.precision ? "AP" : "AR", f.oks > 0 ? fmt::format("{:.2f}", f.oks) : "0.50:0.95",
                    std::string(f.area), fmt::format("{:.3f}", stats[i])});
  }
  return lay_out(rows, {.sides = "lllr", .columns = columns});
}

void print_table(const CocoStats& stats, std::size_t images, std::size_t people, const std::optional<Run>& run) {
  put("{}{}{}, {} found", figures_table(stats),
      std::ranges::any_of(stats, [](double value) { return value < 0; })
          ? "-1.000: no people of that size are annotated\n"
          : "",
      counted(images, "image", "images"), counted(people, "person", "people"));
  if (run) {
    put(", {:.1f} FPS ({} at {}x{} on {})", run->fps(), run->model, run->size.width, run->size.height, run->device);
  }
  put("\n");
}

Result<void> evaluate(const EvalOptions& options) {
  if (options.images.empty() && options.results.empty()) {
    return Error{Errc::kUsage, "nothing to evaluate: give --images DIR to analyse, or --results FILE to score"};
  }
  if (options.json && options.results == "-") {
    return Error{Errc::kUsage, "--results - and --json both write to standard output; name a file for the results"};
  }
  const auto annotations_text = read_media(options.annotations);
  if (!annotations_text) return annotations_text.error();
  const auto annotations = parse_coco_annotations(*annotations_text, options.annotations);
  if (!annotations) return annotations.error();

  std::optional<Run> run;
  if (!options.images.empty()) {
    auto analysed = analyse(options, *annotations);
    if (!analysed) return analysed.error();
    run = *std::move(analysed);
  }
  // Scored from its text in both cases: the figures are those of the file that was written.
  auto text = run ? Result<std::string>(run->evaluation.results) : read_media(options.results);
  if (!text) return text.error();
  const auto results = parse_coco_results(*text, options.results);
  if (!results) return results.error();
  const auto stats = evaluate_coco(*annotations, *results);
  if (!stats) return stats.error();
  (options.json ? print_json : print_table)(*stats, annotations->images.size(), results->size(), run);
  return {};
}

}  // namespace

void add_eval_command(CLI::App& app, int& exit_code_out) {
  auto options = std::make_shared<EvalOptions>();
  CLI::App* eval = app.add_subcommand("eval", "COCO keypoint accuracy (AP/AR by OKS) of a model, or of a results file");
  eval->footer(
      "With --images, every image of the annotations is analysed and --results is written.\n"
      "Without it, --results is read and scored as it is.");
  eval->add_option("--annotations", options->annotations, "COCO person keypoints")->required()->type_name("FILE");
  eval->add_option("--images", options->images, "Folder of the annotated images")->type_name("DIR");
  eval->add_option("--results", options->results, "COCO results: written with --images, else read")->type_name("FILE");
  eval->add_flag("--json", options->json, "Print one JSON object instead of the table");
  add_engine_options(*eval, *options);
  eval->callback([options, &exit_code_out] {
    const auto done = evaluate(*options);
    exit_code_out = done ? 0 : exit_code(done.error().code);
    if (!done) tell("posecam: {}\n", done.error().message);
  });
}

}  // namespace posecam
