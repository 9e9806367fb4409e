#pragma once
// The options of a detector that looks for people before the model does.

#include <cstdint>
#include <optional>
#include <string>

#include "app/session/spec.h"
#include "models/core/result.h"
#include "pipeline/settings/engine_settings.h"

namespace CLI {
class App;
}  // namespace CLI

namespace posecam {

/// As typed.
struct DetectorOptions {
  std::string model;           ///< empty: no detector
  std::string cores;           ///< as EngineSettings::cores; empty: those of the model
  float threshold = -1;        ///< of people; -1: the detector's own
  std::uint32_t interval = 0;  ///< every N-th frame is searched; 0: those that the model analyses
};

/// Adds --detector and what belongs to it; --detector-interval with `video`.
void add_detector_options(CLI::App& app, DetectorOptions& options, bool video);

/// The detector that runs before a pose model with these settings (which name it), whose device it shares; none if none
/// was named. It takes `classes` and `labels_file` from the model, which has no labels; without classes it tells people
/// and nothing else. kUsage for one that finds no people or stands before no pose model, and for its options without
/// one; kModel as find_model().
Result<std::optional<Detector>> detector_of(const DetectorOptions& options, EngineSettings& model,
                                            std::uint32_t inference_interval);

}  // namespace posecam
