#pragma once
// The options of `posecam run`: command line, TOML file, and the spellings that OpenPose's users bring.

#include <cstdint>
#include <string>
#include <vector>

#include "app/cli/detector_options.h"
#include "models/core/result.h"
#include "pipeline/settings/engine_settings.h"

namespace posecam {

/// Empty texts: not asked for.
struct RunOptions : EngineSettings {
  std::vector<std::string> inputs;       ///< as typed, see inputs.h
  std::uint32_t inference_interval = 1;  ///< every N-th frame is analysed

  DetectorOptions detector;  ///< before the model

  std::string write_video;        ///< file
  std::string json_lines;         ///< file, or "-"
  std::string write_json;         ///< folder, for OpenPose's documents
  std::string write_coco_json;    ///< file, or "-"
  std::string write_motion_json;  ///< file, or "-"
  bool display = false;           ///< a window

  std::uint64_t max_frames = 0;  ///< of each input; 0: all
  std::string isolate =
      "auto";  ///< "auto", "yes", "no": decoders in processes of their own; auto: of several inputs, or behind http
  int max_megapixels = 100;  ///< of a picture
  int parallel = 0;          ///< inputs at a time; 0: as many as suit the machine
  double stall_limit = 30;   ///< seconds without a frame after which an input has failed; 0: never
  bool quiet = false;        ///< no progress, notes or summary
};

/// What the command line comes to.
struct RunRequest {
  RunOptions options;
  std::string print;  ///< help or effective configuration: to be printed on stdout instead of running
};

/// `args` without program and command name. kUsage for the command line, kModel for the configuration file.
Result<RunRequest> parse_run_options(const std::vector<std::string>& args);

/// "did you mean --write-json?" for an option that does not exist: what OpenPose calls by that name here, or the
/// spelling that is nearest. Empty if nothing is near.
std::string suggest_option(const std::string& unknown, const std::vector<std::string>& known);

}  // namespace posecam
