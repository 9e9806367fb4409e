#include "app/cli/detector_options.h"

#include <algorithm>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "app/cli/engine_options.h"
#include "models/core/text.h"
#include "models/spec/labels.h"
#include "postprocess/decode/decoders.h"

namespace posecam {

void add_detector_options(CLI::App& app, DetectorOptions& options, bool video) {
  const auto add = [&](const char* name, auto& value, const char* type, const char* help) {
    return app.add_option(name, value, help)->type_name(type)->group("Detector");
  };
  add("--detector", options.model, "NAME|FILE",
      "A detector that looks for people first; --model then looks at each of them. For networks that see one "
      "person, like movenet-thunder, and for small people");
  add("--detector-threshold", options.threshold, "0..1", "Least confidence of a person; -1: the detector's own")
      ->check(number_between(-1, 1));
  add("--detector-cores", options.cores, "LIST", "Cores of the detector, as --cores; empty: the same");
  if (!video) return;
  add("--detector-interval", options.interval, "N",
      "Look for people in every N-th frame; in the others they are looked at where they were. 0: as "
      "--inference-interval")
      ->check(number_between(0, 1000000));
}

namespace {

/// What the detector calls what it finds.
Result<std::vector<std::string>> labels_of(const ModelSpec& detector, const std::string& labels_file) {
  if (detector.task == Task::kPose) {
    return Error{Errc::kUsage, fmt::format("--detector {}: finds keypoints itself: name it as --model; a detector is "
                                           "person-detection-0013",
                                           detector.name)};
  }
  auto labels = labels_file.empty() ? Result<std::vector<std::string>>(detector.labels) : read_labels(labels_file);
  if (!labels) return Error{Errc::kUsage, "--labels-file " + labels.error().message};
  if (std::ranges::find(*labels, kDetectedClass) != labels->end()) return labels;
  return Error{Errc::kUsage,
               fmt::format("--detector {}: finds nothing that it calls {}; use person-detection-0013, another detector "
                           "(see: posecam models list), or --labels-file if it calls people otherwise",
                           detector.name, kDetectedClass)};
}

Result<void> check_classes(const std::vector<std::string>& labels, const std::string& classes) {
  if (classes.empty()) return {};
  const auto told = pick_labels(labels, classes);
  if (!told) return Error{Errc::kUsage, fmt::format("--classes {}: {}", short_line(classes), told.error().message)};
  const auto person = static_cast<std::size_t>(std::ranges::find(labels, kDetectedClass) - labels.begin());
  if ((*told)[person] != 0) return {};
  return Error{Errc::kUsage, fmt::format("--classes {}: --model looks at each {} that the detector tells: add {}",
                                         short_line(classes), kDetectedClass, kDetectedClass)};
}

}  // namespace

Result<std::optional<Detector>> detector_of(const DetectorOptions& options, EngineSettings& model,
                                            std::uint32_t inference_interval) {
  if (options.model.empty()) {
    const bool alone = options.interval != 0 || options.threshold >= 0 || !options.cores.empty();
    if (!alone) return std::optional<Detector>();
    return Error{Errc::kUsage,
                 "--detector-interval, --detector-threshold and --detector-cores belong to a --detector: name one"};
  }
  const auto behind = find_model(model.model);
  if (!behind) return behind.error();
  if (behind->task != Task::kPose) {
    return Error{Errc::kUsage,
                 fmt::format("--model {}: finds no keypoints, and --detector is for models that do; leave "
                             "it out",
                             behind->name)};
  }
  const auto spec = find_model(options.model);
  if (!spec) return spec.error();
  const auto labels = labels_of(*spec, model.labels_file);
  if (!labels) return labels.error();
  if (auto checked = check_classes(*labels, model.classes); !checked) return checked.error();

  Detector detector{model, options.interval == 0 ? inference_interval : options.interval};
  EngineSettings& engine = detector.engine;
  engine.model = options.model;
  engine.threshold = options.threshold;
  if (engine.classes.empty()) engine.classes = kDetectedClass;
  if (!options.cores.empty()) engine.cores = options.cores;
  // What was said of the model behind it, and of the detector.
  engine.net_resolution.clear();
  engine.max_people = -1;
  engine.batch_size = 0;
  model.classes.clear();
  model.labels_file.clear();
  return std::optional(std::move(detector));
}

}  // namespace posecam
