#include "app/commands/run_options.h"

#include <algorithm>
#include <array>
#include <limits>
#include <memory>
#include <string_view>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "app/cli/engine_options.h"
#include "app/cli/help.h"
#include "app/cli/toml/toml_config.h"
#include "models/core/paths.h"
#include "models/core/text.h"

namespace posecam {
namespace {

constexpr const char* kFooter = R"(
Examples:
  posecam run clip.mp4 --write-video out.mp4 --json-lines out.ndjson
  posecam run clip.mp4 --json-lines - | jq '.people | length'
  posecam run photos/ --write-json keypoints/
  posecam run rtsp://camera/stream --display
  posecam run a.mp4 b.mp4 --write-video out.mp4     writes out-a.mp4 and out-b.mp4

With several inputs each has its own output files, named after it as above; they share one model. Only - (stdout) and
the folder of --write-json are common to all. Outputs get their names when they are complete; until then they are
called FILE.part, which plays when a run has died. Sound is left out of annotated videos. Ctrl-C ends early and keeps
what is done; a second one quits.
OpenPose's spellings (--video, --image_dir, --write_json, --display 0 ...) are understood.

Exit codes: 0 done, 2 usage, 3 configuration or model, 4 device, 5 media or an output, 130 interrupted.)";

/// Flags of OpenPose (flags.hpp) that do not exist here, with what does.
struct Foreign {
  std::string_view flag;
  std::string_view remedy;
};
constexpr std::array kForeign{
    Foreign{"frame_last", "use --max-frames N to stop early"},
    Foreign{"frame_step", "use --inference-interval N to analyse every N-th frame"},
    Foreign{"num_gpu", "use --device and --cores"},
    Foreign{"num_gpu_start", "use --device and --cores"},
    Foreign{"model_folder", "use --model FILE.json, or XDG_DATA_HOME for the weights"},
    Foreign{"write_images", "use --write-video FILE"},
    Foreign{"render_threshold", "use --threshold"},
    Foreign{"write_video_with_audio", "sound is left out; add it to the video of --write-video afterwards"},
    Foreign{"camera_resolution", "use --net-resolution for the network's input"},
    Foreign{"no_gui_verbose", "use --quiet"},
    Foreign{"cli_verbose", "use --quiet, or nothing"},
    Foreign{"logging_level", "use --quiet"},
};

constexpr std::string_view kNamesFollow = "--";

/// --display takes a number in OpenPose and none here: "--display 0" becomes "--display=0".
std::vector<std::string> join_display_value(const std::vector<std::string>& args) {
  std::vector<std::string> joined;
  bool names_only = false;  // behind --
  for (const std::string& arg : args) {
    names_only = names_only || arg == kNamesFollow;
    const bool number = arg == "0" || arg == "1" || arg == "2" || arg == "3" || arg == "-1";
    if (number && !names_only && !joined.empty() && joined.back() == "--display") {
      joined.back() += arg.front() == '-' || arg == "0" ? "=false" : "=true";
    } else {
      joined.push_back(arg);
    }
  }
  return joined;
}

/// Options of one group of the help text.
class Group {
 public:
  Group(CLI::App& app, const char* name) : app_(app), name_(name) {}

  template <class T>
  CLI::Option* add(const char* names, T& value, const char* type, const char* help) {
    return app_.add_option(names, value, help)->type_name(type)->group(name_);
  }
  template <class T>
  void add(const char* names, T& value, const char* type, const char* help, double least, double most) {
    add(names, value, type, help)->check(number_between(least, most));
  }

 private:
  CLI::App& app_;
  const char* name_;
};

void add_output_options(CLI::App& app, RunOptions& o) {
  Group group(app, "Outputs");
  group.add("--write-video,--write_video", o.write_video, "FILE", "Annotated video (.mp4, .mov, .mkv, .webm or .avi)");
  group.add("--json-lines,--json_lines", o.json_lines, "FILE|-", "One line of JSON a frame; - is stdout");
  group.add("--write-json,--write_json", o.write_json, "DIR", "One OpenPose 1.3 file a frame");
  group.add("--write-coco-json,--write_coco_json", o.write_coco_json, "FILE",
            "COCO results: keypoints, or a detector's boxes");
  group.add("--write-motion-json,--write_motion_json", o.write_motion_json, "FILE",
            "Keypoints of the main person, as motion-analysis services take them");
  app.add_flag("--display", o.display, "Show the annotated video in a window")->group("Outputs");
}

/// Spellings that are not other names of our options but say the same in another way.
struct Aliases {
  std::vector<std::string> videos;
  std::vector<std::string> folders;
  std::vector<std::string> addresses;
  int camera = -1;
  std::string pose_model;
};

void add_aliases(CLI::App& app, Aliases& a) {
  const auto add = [&](const char* name, auto& value) {
    return app.add_option(name, value)->group("")->configurable(false);
  };
  add("--video", a.videos);
  add("--image_dir,--image-dir", a.folders);
  add("--ip_camera,--ip-camera", a.addresses);
  add("--camera", a.camera)->check(CLI::Range(0, 255));
  add("--model_pose,--model-pose", a.pose_model);
}

Result<void> apply(const Aliases& a, const CLI::App& app, RunOptions& options) {
  for (const auto* list : {&a.videos, &a.folders, &a.addresses}) {
    options.inputs.insert(options.inputs.end(), list->begin(), list->end());
  }
  if (a.camera >= 0) options.inputs.push_back(fmt::format("/dev/video{}", a.camera));
  if (a.pose_model.empty()) return {};
  if (a.pose_model != "COCO") {
    return Error{
        Errc::kUsage,
        fmt::format("--model_pose {}: only COCO (18 keypoints) is here; see: posecam models list", a.pose_model)};
  }
  if (app.count("--model") > 0) return Error{Errc::kUsage, "--model_pose and --model say the same: give one of them"};
  options.model = "openpose";
  return {};
}

std::vector<std::string> option_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options({})) {
    const auto& longs = option->get_lnames();
    names.insert(names.end(), longs.begin(), longs.end());
  }
  return names;
}

/// The same options over and over: one parser for the real thing and one to look at the configuration file alone.
struct Parser {
  CLI::App app{"Finds people in video, draws them, and writes their keypoints.", "posecam run"};
  RunOptions options;
  Aliases aliases;
  bool print_config = false;
  CLI::Option* config = nullptr;

  Parser() {
    app.option_defaults()->always_capture_default();
    app.get_help_ptr()->description("This text");
    app.add_option(
           "INPUT,--input", options.inputs,
           "Video file, image, folder of images, /dev/video*, address (rtsp://, https:// ...), pipe, - (stdin), "
           "or synthetic")
        ->type_name("INPUT")
        ->default_str("");
    app.formatter(std::make_shared<HelpFormatter>());
    add_engine_options(app, options);
    add_detector_options(app, options.detector, true);
    add_output_options(app, options);
    Group running(app, "Running");
    running.add("--inference-interval", options.inference_interval, "N",
                "Analyse every N-th frame; the others are marked skipped", 1, 1000000);
    running.add("--max-frames", options.max_frames, "N", "Stop after N frames of each input; 0: never", 0, 1e15);
    running
        .add("--isolate", options.isolate, "auto|yes|no",
             "Decode each input in a process of its own, so that a library that crashes on one takes no other with "
             "it; auto: if there are several, or it is behind http")
        ->check(CLI::IsMember({"auto", "yes", "no"}).description(""));
    running.add("--max-megapixels", options.max_megapixels, "N",
                "Pictures of more than N million pixels are not decoded", 1, 1000);
    running.add("--parallel", options.parallel, "N",
                "Inputs at a time, the others wait; 0: 16 or two for each core, or what limits on open files allow", 0,
                10000);
    running.add("--stall-limit", options.stall_limit, "SECONDS",
                "Give up an input that sends no frame for so long; 0: never", 0, 86400);
    app.add_flag("--quiet,-q", options.quiet, "No progress and no summary, only errors")->group("Running");
    config = app.set_config("--config", "", "Read options from a TOML file; the command line goes before it");
    config->type_name("FILE.toml")->group("Running");
    app.add_flag("--print-config", print_config, "Print the options in effect as TOML for --config, and exit")
        ->configurable(false)
        ->group("Running");
    add_aliases(app, aliases);
    app.config_formatter(std::make_shared<TomlConfig>());
    app.allow_config_extras(CLI::config_extras_mode::error);
    app.allow_extras();  // looked at below, to name the nearest option
    const auto share = share_dir();
    const auto schema = share ? fmt::format("\n\nWhat a line of --json-lines holds: {}/schema/ndjson-frame.schema.json",
                                            share->string())
                              : "";
    app.footer(kFooter + 1 + schema);
  }

  void parse(const std::vector<std::string>& args) {
    std::vector<std::string> reversed(args.rbegin(), args.rend());
    app.parse(reversed);
  }
};

/// Whether the file fails without the command line: then it is to blame.
Result<void> check_config_file(const std::string& path) {
  Parser alone;
  try {
    alone.parse({"--config", path});
  } catch (const CLI::FileError& e) {
    const std::string what = e.what();
    const bool missing = what.find("could not be") != std::string::npos || what.find("missing") != std::string::npos;
    return Error{Errc::kModel, missing ? fmt::format("--config {}: cannot be read", path)
                                       : fmt::format("{}: {}", path, without_full_stop(what))};
  } catch (const CLI::ConfigError& e) {
    std::string key = without_full_stop(e.what());
    key = key.substr(key.rfind(' ') + 1);
    const std::string hint = suggest_option(key, option_names(alone.app));
    return Error{Errc::kModel, fmt::format("{}: unknown option {}{}{}", path, key, hint.empty() ? "" : "; ", hint)};
  } catch (const CLI::ParseError& e) {
    return Error{Errc::kModel, fmt::format("{}: {}", path, without_full_stop(e.what()))};
  }
  return {};
}

Error usage(std::string message) {
  return {Errc::kUsage, fmt::format("{} (see: posecam run --help)", without_full_stop(std::move(message)))};
}

Result<void> parse_strictly(Parser& parser, const std::vector<std::string>& args) {
  try {
    parser.parse(args);
  } catch (const CLI::CallForHelp&) {
    throw;
  } catch (const CLI::ParseError& e) {
    if (parser.config->count() > 0) {
      if (auto file = check_config_file(parser.config->as<std::string>()); !file) return file;
    }
    return usage(e.what());
  }
  for (const std::string& extra : parser.app.remaining()) {
    if (!extra.starts_with('-') || extra == kNamesFollow) continue;
    const std::string hint = suggest_option(extra, option_names(parser.app));
    return usage(fmt::format("unknown option {}{}{}", extra, hint.empty() ? "" : "; ", hint));
  }
  for (const std::string& extra : parser.app.remaining()) {
    if (extra != kNamesFollow) return usage(fmt::format("{}: one argument too many", extra));
  }
  return {};
}

}  // namespace

std::string suggest_option(const std::string& unknown, const std::vector<std::string>& known) {
  std::string name = unknown.substr(std::min(unknown.find_first_not_of('-'), unknown.size()));
  name = name.substr(0, name.find('='));
  for (const Foreign& foreign : kForeign) {
    if (name == foreign.flag) return std::string(foreign.remedy);
  }
  std::ranges::replace(name, '_', '-');
  std::size_t best = std::numeric_limits<std::size_t>::max();
  std::string nearest;
  for (const std::string& candidate : known) {
    if (candidate.find('_') != candidate.npos) continue;
    const std::size_t distance = edit_distance(name, candidate);
    if (distance < best) {
      best = distance;
      nearest = candidate;
    }
  }
  const bool near = best <= std::max<std::size_t>(2, name.size() / 2);
  return near ? fmt::format("did you mean --{}?", nearest) : "";
}

Result<RunRequest> parse_run_options(const std::vector<std::string>& args) {
  Parser parser;
  try {
    if (auto done = parse_strictly(parser, join_display_value(args)); !done) return done.error();
  } catch (const CLI::CallForHelp&) {
    return RunRequest{{}, parser.app.help()};
  }
  if (auto done = apply(parser.aliases, parser.app, parser.options); !done) return done.error();
  if (parser.print_config) return RunRequest{parser.options, parser.app.config_to_str(true, false)};
  if (parser.options.inputs.empty()) return usage("no input: give a video file, an image, a folder or a camera");
  return RunRequest{std::move(parser.options), {}};
}

}  // namespace posecam
