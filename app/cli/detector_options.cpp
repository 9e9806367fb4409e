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
      "Look for people in every N-th frame; in the others they are looked at where they were")
      ->check(number_between(1, 1000000));
}

Result<std::optional<Detector>> detector_of(const DetectorOptions& options, EngineSettings& model) {
  if (options.model.empty()) {
    const bool alone = options.interval != 1 || options.threshold >= 0 || !options.cores.empty();
    if (!alone) return std::optional<Detector>();
    return Error{Errc::kUsage,
                 "--detector-interval, --detector-threshold and --detector-cores belong to a --detector: name one"};
  }
  const auto spec = find_model(options.model);
  if (!spec) return spec.error();
  if (std::ranges::find(spec->labels, kDetectedClass) == spec->labels.end()) {
    return Error{Errc::kUsage, fmt::format("--detector {}: finds no {}; use person-detection-0013, or another detector "
                                           "(see: posecam models list)",
                                           options.model, kDetectedClass)};
  }
  if (!model.classes.empty()) {
    const auto told = pick_labels(spec->labels, model.classes);
    if (!told)
      return Error{Errc::kUsage, fmt::format("--classes {}: {}", short_line(model.classes), told.error().message)};
    const auto person =
        static_cast<std::size_t>(std::ranges::find(spec->labels, kDetectedClass) - spec->labels.begin());
    if ((*told)[person] == 0) {
      return Error{Errc::kUsage, fmt::format("--classes {}: --model looks at each {} that the detector tells: add {}",
                                             short_line(model.classes), kDetectedClass, kDetectedClass)};
    }
  }
  Detector detector{model, options.interval};
  EngineSettings& engine = detector.engine;
  engine.model = options.model;
  engine.threshold = options.threshold;
  if (engine.classes.empty()) engine.classes = kDetectedClass;
  model.classes.clear();
  if (!options.cores.empty()) engine.cores = options.cores;
  // What was said of the model behind it.
  engine.net_resolution.clear();
  engine.labels_file.clear();
  engine.max_people = -1;
  engine.batch_size = 0;
  return std::optional(std::move(detector));
}

}  // namespace posecam
