#include "app/commands/run_command.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <sys/resource.h>
#include <system_error>
#include <unistd.h>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gst/gst.h>

#include "app/cli/console.h"
#include "app/cli/exit_code.h"
#include "app/cli/interrupt.h"
#include "app/cli/library_log.h"
#include "app/cli/progress.h"
#include "app/cli/summary.h"
#include "app/commands/run_options.h"
#include "app/commands/run_specs.h"
#include "app/pictures/picture.h"
#include "app/session/input/inputs.h"
#include "app/session/plugin_path.h"
#include "app/session/session_queue.h"
#include "models/core/text.h"
#include "models/spec/zoo.h"
#include "pipeline/settings/engine_plan.h"
#include "pipeline/settings/engine_settings.h"
#include "postprocess/decode/decoders.h"

namespace posecam {
namespace {

void say(const std::string& line) { tell("posecam: {}\n", line); }

/// JSON on the screen, between which a bar would be: then there is none.
bool shows_results(const RunOptions& options) {
  const auto& o = options;
  return isatty(STDOUT_FILENO) == 1 && (o.json_lines == "-" || o.write_coco_json == "-" || o.write_motion_json == "-");
}

/// What people who want one file may not expect; empty if there is nothing to say.
std::string hint_at_folder(const std::string& folder) {
  const std::filesystem::path path(folder);
  std::error_code error;
  const bool like_a_file = path.extension() == ".json" || path.extension() == ".ndjson" || path.extension() == ".jsonl";
  if (!like_a_file || std::filesystem::is_directory(path, error)) return {};
  return fmt::format(
      "--write-json {0}: becomes a folder, with one OpenPose file a frame; did you mean --json-lines {0}?", folder);
}

/// Documents of an earlier run, of which those of frames that this one does not have will stay among its own.
std::string hint_at_documents(const std::string& folder) {
  std::error_code error;
  std::size_t found = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    if (entry.path().native().ends_with("_keypoints.json")) ++found;
  }
  if (found == 0) return {};
  return fmt::format("--write-json {}: holds {} already; those that this run does not write anew stay", folder,
                     counted(found, "document", "documents"));
}

bool has_outputs(const RunOptions& o) {
  return o.display || !(o.write_video.empty() && o.json_lines.empty() && o.write_json.empty() &&
                        o.write_coco_json.empty() && o.write_motion_json.empty());
}

/// Sessions, and what people see of them.
class Run {
 public:
  explicit Run(RunOptions options)
      : options_(std::move(options)), printer_(options_.quiet || shows_results(options_)) {}
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;
  ~Run() = default;

  int execute();

 private:
  Result<void> prepare(const std::stop_token& interrupt);
  Result<void> choose_model();
  QueueEvents events();
  void play_to_the_end(const std::stop_token& interrupt);
  void fail(const Error& error);

  RunOptions options_;
  std::string note_;  ///< about the choice of the model, said once all is well
  ProgressPrinter printer_;
  int code_ = 0;
  std::map<std::size_t, std::string> summaries_;  ///< by the place of their inputs
  std::vector<std::string> notes_;                ///< of the device, which the inputs share
  std::optional<SessionQueue> queue_;
};

Result<void> Run::choose_model() {
  if (options_.model.empty()) {
    DefaultModel standard = default_model(options_.device);
    options_.model = standard.name;
    note_ = std::move(standard.note);
  }
  const auto model = find_model(options_.model);
  if (!model) return model.error();
  if (model->task == Task::kPose) return {};
  if (!options_.write_json.empty() || !options_.write_motion_json.empty()) {
    return Error{Errc::kUsage,
                 fmt::format("--model {}: finds no keypoints, and --write-json and --write-motion-json are "
                             "for those; use --json-lines, or a pose model",
                             options_.model)};
  }
  if (model->task == Task::kDetection || options_.write_coco_json.empty()) return {};
  return Error{Errc::kUsage,
               fmt::format("--model {}: finds no people and no boxes, and --write-coco-json is for those; "
                           "use --json-lines, or another model",
                           options_.model)};
}

/// Everything that can be found wrong before the first frame, the cheap things first.
Result<void> Run::prepare(const std::stop_token& interrupt) {
  if (options_.display && g_getenv("DISPLAY") == nullptr && g_getenv("WAYLAND_DISPLAY") == nullptr) {
    return Error{Errc::kMedia,
                 "--display: there is no screen (neither DISPLAY nor WAYLAND_DISPLAY is set); use "
                 "--write-video FILE"};
  }
  if (auto chosen = choose_model(); !chosen) return chosen;
  auto inputs = identify_inputs(options_.inputs);
  if (!inputs) return inputs.error();
  auto specs = make_specs(options_, *inputs);
  if (!specs) return specs.error();
  const auto least = least_inputs_at_once(*specs);
  const auto most =
      options_.parallel > 0 ? static_cast<std::size_t>(options_.parallel) : std::max(usual_inputs_at_once(), least);
  if (most < least) {
    return Error{Errc::kUsage, fmt::format("--parallel {}: cameras, addresses and pipes may never end, and the others "
                                           "would wait for them; at least {}, or leave it out",
                                           most, least)};
  }
  queue_.emplace(*std::move(specs), most, events(), interrupt);
  return queue_->prepare();
}

QueueEvents Run::events() {
  return {.warn =
              [quiet = options_.quiet](const std::string& line) {
                if (!quiet) say(line);
              },
          .also_failed = say,
          .ended =
              [this](std::size_t place, const Session& session) {
                if (const auto failure = session.failure()) fail(*failure);
                const StreamStats stats = session.stats();
                for (const std::string& note : stats.notes) {
                  if (std::ranges::find(notes_, note) == notes_.end()) notes_.push_back(note);
                }
                if (options_.quiet || stats.frames == 0) return;
                const auto written = session.complete() ? files_of(session.spec()) : std::vector<std::string>();
                summaries_[place] = format_summary(session.spec().input.given, stats, written);
              },
          .not_opened = [this](std::size_t, const Error& error) { fail(error); }};
}

int Run::execute() {
  const std::stop_token interrupt = watch_interrupts();
  const std::string hint = hint_at_folder(options_.write_json);  // before the folder is made
  const std::string older = options_.write_json.empty() ? "" : hint_at_documents(options_.write_json);
  if (auto ready = prepare(interrupt); !ready) {
    say(ready.error().message);
    return exit_code(ready.error().code);
  }
  for (const std::string& line : {note_, hint, older}) {
    if (!line.empty() && !options_.quiet) say(line);
  }
  play_to_the_end(interrupt);
  const bool interrupted = interrupt.stop_requested();
  for (const auto& [place, summary] : summaries_) tell_text(summary + "\n");
  for (const std::string& note : notes_) {
    if (!options_.quiet) tell_text("  note: " + note + "\n");
  }
  if (const auto left = queue_->not_begun(); !left.empty()) {
    say(fmt::format("interrupted before {} {} begun: {}{}", counted(left.size(), "input", "inputs"),
                    left.size() == 1 ? "was" : "were", left.front(), left.size() == 1 ? "" : ", ..."));
  }
  if (!has_outputs(options_) && !options_.quiet && code_ == 0) {
    say("nothing was written: add --write-video out.mp4 to see what was found, --json-lines out.ndjson to have it");
  }
  leave_when_interrupted();
  queue_.reset();  // all is told: the device may take its time now
  return interrupted ? exit_code(Errc::kCancelled) : code_;
}

/// The first Ctrl-C ends the inputs and lets files be completed, the second one does not wait for that.
void Run::play_to_the_end(const std::stop_token& interrupt) {
  const std::stop_callback end(interrupt,
                               [] { say("interrupted: finishing the files; press Ctrl-C again to quit at once"); });
  queue_->play(printer_.period(), [this](const QueueProgress& all) {
    if (all.frames > 0) printer_.show({all.frames, all.total, all.seconds, all.people});
  });
}

void Run::fail(const Error& error) {
  say(error.message);
  if (code_ == 0) code_ = exit_code(error.code);
}

/// As many open files as the system allows this user: many inputs take many, and the usual limit is for programs of old
/// that cannot have more than 1024.
void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

int run_command(const std::vector<std::string>& args) {
  auto request = parse_run_options(args);
  if (!request) {
    tell("posecam: {}\n", request.error().message);
    return exit_code(request.error().code);
  }
  if (!request->print.empty()) {
    put_text(request->print);
    return 0;
  }
  raise_descriptor_limit();
  limit_pixels(std::int64_t{request->options.max_megapixels} * 1'000'000);
  if (request->options.quiet) quiet_library_log();
  start_gstreamer();
  if (auto loaded = load_plugin(); !loaded) {
    tell("posecam: {}\n", loaded.error().message);
    return exit_code(loaded.error().code);
  }
  return Run(std::move(request->options)).execute();
}

}  // namespace posecam
