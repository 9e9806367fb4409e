#include "app/commands/run_specs.h"

#include <chrono>
#include <cmath>
#include <filesystem>

#include "app/session/graph/source.h"
#include "pipeline/output/links.h"
#include "pipeline/output/result_file.h"

namespace posecam {
namespace {

/// Elements of one process with this id share a model; nobody else is in ours.
constexpr const char* kSharedModel = "posecam-run";

SessionSpec make_spec(const RunOptions& options, const std::optional<Detector>& detector, const Input& input,
                      bool alone) {
  const auto named = [&](const std::string& file) { return alone ? file : with_stem(file, input.name); };
  SessionSpec spec{.engine = static_cast<const EngineSettings&>(options),
                   .inference_interval = options.inference_interval,
                   .detector = detector,
                   .shared_model = alone ? "" : kSharedModel,
                   .input = input,
                   .sinks = {},
                   .video = {named(options.write_video), "--write-video", options.display},
                   .apart = options.isolate == "yes" || (options.isolate == "auto" && (!alone || is_of_web(input))),
                   .max_frames = options.max_frames,
                   .stall_limit = std::chrono::milliseconds(std::llround(std::ceil(options.stall_limit * 1e3)))};
  const auto add = [&](ResultFormat format, const std::string& location, const char* name) {
    if (!location.empty()) spec.sinks.push_back({format, location, name});
  };
  add(ResultFormat::kNdjson, named(options.json_lines), "--json-lines");
  add(ResultFormat::kOpenpose, options.write_json, "--write-json");
  add(ResultFormat::kCoco, named(options.write_coco_json), "--write-coco-json");
  add(ResultFormat::kMotion, named(options.write_motion_json), "--write-motion-json");
  return spec;
}

/// What links lead to is written, and compared with all else that is.
Result<void> follow_outputs(SessionSpec& spec) {
  std::vector<std::string*> files{&spec.video.file};
  for (Sink& sink : spec.sinks) {
    if (sink.location != "-") files.push_back(&sink.location);
  }
  for (std::string* file : files) {
    auto followed = follow_links(*file);
    if (!followed) return followed.error();
    *file = *std::move(followed);
  }
  return {};
}

}  // namespace

std::string with_stem(const std::string& file, const std::string& name) {
  if (file.empty() || file == "-" || is_written_straight(file)) return file;
  const std::filesystem::path path(file);
  return (path.parent_path() / (path.stem().string() + "-" + name + path.extension().string())).string();
}

Result<std::vector<SessionSpec>> make_specs(RunOptions options, const std::vector<Input>& inputs) {
  const auto detector = detector_of(options.detector, options, options.inference_interval);
  if (!detector) return detector.error();
  std::vector<SessionSpec> specs;
  specs.reserve(inputs.size());
  for (const Input& input : inputs) specs.push_back(make_spec(options, *detector, input, inputs.size() == 1));
  for (SessionSpec& spec : specs) {
    if (auto followed = follow_outputs(spec); !followed) return followed.error();
  }
  if (auto checked = check_specs(specs); !checked) return checked.error();
  return specs;
}

}  // namespace posecam
