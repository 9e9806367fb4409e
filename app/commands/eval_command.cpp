#include "app/commands/eval_command.h"

#include <chrono>
#include <cmath>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "app/cli/console.h"
#include "app/cli/detector_options.h"
#include "app/cli/engine_options.h"
#include "app/cli/exit_code.h"
#include "app/cli/progress.h"
#include "app/eval/class_truth.h"
#include "app/eval/coco_match.h"
#include "app/eval/eval_view.h"
#include "app/eval/evaluation.h"
#include "models/core/text.h"
#include "pipeline/engine/let_go.h"
#include "pipeline/output/result_file.h"
#include "pipeline/settings/engine_plan.h"
#include "postprocess/decode/decoders.h"
#include "postprocess/eval/coco_eval.h"

namespace posecam {
namespace {

using Clock = std::chrono::steady_clock;

struct EvalOptions : EngineSettings {
  std::string annotations;
  std::string images;
  std::string results;
  DetectorOptions detector;
  std::optional<Detector> before;  ///< what `detector` comes to
  std::vector<double> sigmas;
  bool json = false;
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

void tell_note(const std::string& note) {
  if (!note.empty()) tell("posecam: {}\n", note);
}

/// Null without a detector.
Result<std::shared_ptr<Engine>> open_detector(const std::optional<Detector>& detector) {
  if (!detector) return std::shared_ptr<Engine>();
  auto plan = plan_engine(detector->engine, kUnknownVideo);
  if (!plan) return plan.error();
  return make_engine(*std::move(plan));
}

/// The pictures through the engine of `plan`, behind the detector if there is one.
Result<Analysis> analyse(const EvalOptions& options, EnginePlan plan, const std::vector<EvalPicture>& pictures,
                         EvalRun& run) {
  auto detector = open_detector(options.before);
  if (!detector) return detector.error();
  if (*detector) plan.engine.decode.max_people = std::nullopt;  // that is of pictures, not of cut-outs
  auto engine = make_engine(std::move(plan));
  if (!engine) return std::move(engine).error();
  auto analysis = *detector ? analyse_people(pictures, options.images, **detector, **engine, options.max_people,
                                             show_progress(2 * pictures.size()))
                            : analyse_pictures(pictures, options.images, **engine, show_progress(pictures.size()));
  if (!analysis) return std::move(analysis).error();
  const ModelSpec& model = (*engine)->model();
  run = {*detector ? (*detector)->model().name : "", model.name, std::string((*engine)->backend_name()),
         model.input.size, analysis->seconds};
  for (auto* done : {&*detector, &*engine}) {
    const auto gone = let_go(std::move(*done), std::chrono::seconds(options.teardown_limit_s));
    if (!gone) tell("posecam: {}\n", gone.error().message);
  }
  return analysis;
}

Result<CocoAnnotations> read_annotations(const EvalOptions& options, CocoKind kind) {
  if (options.annotations.empty()) {
    return Error{Errc::kUsage, "--annotations is required: name the COCO file of what is on the images"};
  }
  if (kind == CocoKind::kBoxes && !options.sigmas.empty()) {
    return Error{Errc::kUsage, "--sigmas: belong to keypoints, and here boxes are compared; leave it out"};
  }
  const auto text = read_media(options.annotations);
  if (!text) return text.error();
  return parse_coco_annotations(*text, options.annotations, kind);
}

/// Prints the figures; `run` is absent where the results were read from a file.
Result<void> score(const EvalOptions& options, const CocoAnnotations& annotations, const CocoResults& results,
                   const std::optional<EvalRun>& run) {
  const auto stats = evaluate_coco(annotations, results.list, options.sigmas);
  if (!stats) return stats.error();
  if (annotations.kind == CocoKind::kKeypoints && options.sigmas.empty()) {
    tell_note(note_on_sigmas(annotations, options.annotations));
  }
  tell_note(note_on_categories(annotations, results.list));
  print_coco(annotations.kind, *stats, {annotations.images.size(), results.list.size()}, run, options.json);
  return {};
}

Result<void> evaluate_coco_model(const EvalOptions& options, EnginePlan plan) {
  const bool pose = plan.model.task == Task::kPose;
  const auto annotations = read_annotations(options, pose ? CocoKind::kKeypoints : CocoKind::kBoxes);
  if (!annotations) return annotations.error();
  const auto match = match_coco(*annotations, options.annotations, plan.model);
  if (!match) return match.error();
  for (const std::string& note : match->notes) tell_note(note);
  std::optional<EvalRun> run(std::in_place);
  const auto analysis = analyse(options, std::move(plan), pictures_of(*annotations), *run);
  if (!analysis) return analysis.error();
  const std::string text = coco_results(*annotations, *analysis, match->numbers);
  if (!options.results.empty()) {
    if (auto written = write_document(options.results, text); !written) return written.error();
  }
  // Scored from its text, so that the figures are those of the file that was written.
  const auto results = parse_coco_results(text, options.results);
  if (!results) return results.error();
  return score(options, *annotations, *results, run);
}

Result<void> evaluate_classes(const EvalOptions& options, EnginePlan plan) {
  if (!options.results.empty() || !options.sigmas.empty()) {
    return Error{Errc::kUsage, fmt::format("--model {}: finds classes, and --results and --sigmas are of keypoints and "
                                           "boxes; leave them out",
                                           plan.model_name)};
  }
  const auto& labels = plan.model.labels;
  Result<ClassTruth> truth = ClassTruth{};
  if (options.annotations.empty()) {
    truth = read_class_folders(options.images, labels);
  } else {
    const auto text = read_media(options.annotations);
    if (!text) return text.error();
    truth = parse_class_list(*text, options.annotations, labels);
  }
  if (!truth) return truth.error();
  EvalRun run;
  const auto analysis = analyse(options, std::move(plan), truth->pictures, run);
  if (!analysis) return analysis.error();
  print_classes(score_classes(*truth, *analysis), {truth->pictures.size(), 0}, run, options.json);
  return {};
}

/// What a file without any results is about: what the model would find, or keypoints.
CocoKind kind_of_nothing(const EvalOptions& options) {
  const auto model = options.model.empty() ? Result<ModelSpec>(ModelSpec{}) : find_model(options.model);
  return model && model->task == Task::kDetection ? CocoKind::kBoxes : CocoKind::kKeypoints;
}

Result<void> evaluate_file(const EvalOptions& options) {
  const auto text = read_media(options.results);
  if (!text) return text.error();
  const auto results = parse_coco_results(*text, options.results);
  if (!results) return results.error();
  const auto annotations = read_annotations(options, results->kind ? *results->kind : kind_of_nothing(options));
  if (!annotations) return annotations.error();
  return score(options, *annotations, *results, std::nullopt);
}

Result<void> evaluate(EvalOptions& options) {
  if (options.images.empty() && options.results.empty()) {
    return Error{Errc::kUsage, "nothing to evaluate: give --images DIR to analyse, or --results FILE to score"};
  }
  if (options.json && options.results == "-") {
    return Error{Errc::kUsage, "--results - and --json both write to standard output; name a file for the results"};
  }
  if (options.images.empty()) return evaluate_file(options);
  if (options.model.empty()) options.model = default_model(options.device).name;
  auto detector = detector_of(options.detector, options, 1);
  if (!detector) return detector.error();
  options.before = *std::move(detector);
  auto plan = plan_engine(options, kUnknownVideo);  // images of all aspects go through one network
  if (!plan) return plan.error();
  if (plan->model.task == Task::kClassification) return evaluate_classes(options, *std::move(plan));
  return evaluate_coco_model(options, *std::move(plan));
}

}  // namespace

void add_eval_command(CLI::App& app, int& exit_code_out) {
  auto options = std::make_shared<EvalOptions>();
  CLI::App* eval = app.add_subcommand(
      "eval",
      "Accuracy of a model, or of a results file: COCO AP/AR of keypoints or boxes, top-1 and top-5 of classes");
  eval->footer(
      "With --images, every image of the annotations is analysed; what is compared follows from the model, and\n"
      "--results is written. Without it, --results is read and scored as it is: keypoints, or else boxes.\n"
      "AP counts what is found with a low score, too: --threshold 0.01 gives a detector's as papers do.\n"
      "Classes: --annotations is a text file with a line PICTURE CLASS for each picture, as ImageNet's val.txt; "
      "without\n"
      "it, --images has a folder for each class. A class is a label of the model or its number, from 0.");
  eval->add_option("--annotations", options->annotations, "COCO annotations, or a list of pictures and classes")
      ->type_name("FILE");
  eval->add_option("--images", options->images, "Folder of the annotated images")->type_name("DIR");
  eval->add_option("--results", options->results, "COCO results: written with --images, else read")->type_name("FILE");
  eval->add_option("--sigmas", options->sigmas, "OKS: a sigma for each keypoint of the annotations; default: by name")
      ->delimiter(',')
      ->check(number_between(1e-6, 10))
      ->type_name("S,S,...");
  eval->add_flag("--json", options->json, "Print one JSON object instead of the table");
  add_engine_options(*eval, *options);
  add_detector_options(*eval, options->detector, false);
  eval->callback([options, &exit_code_out] {
    const auto done = evaluate(*options);
    exit_code_out = done ? 0 : exit_code(done.error().code);
    if (!done) tell("posecam: {}\n", done.error().message);
  });
}

}  // namespace posecam
