#include "app/commands/profile_command.h"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <stop_token>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "app/cli/console.h"
#include "app/cli/engine_options.h"
#include "app/cli/exit_code.h"
#include "app/cli/interrupt.h"
#include "app/cli/library_log.h"
#include "app/cli/progress.h"
#include "app/profile/element_times.h"
#include "app/profile/profile.h"
#include "app/session/input/inputs.h"
#include "app/session/plugin_path.h"
#include "app/session/session.h"
#include "pipeline/output/result_file.h"
#include "pipeline/settings/engine_plan.h"

namespace posecam {
namespace {

struct Request : EngineSettings {
  std::string clip;
  std::string trace;
  std::uint64_t frames = 500;
  bool no_video = false;
};

/// For a video that nobody wants; gone with it.
class ScratchFolder {
 public:
  /// kOutput if there is no place for temporary files.
  Result<void> make() {
    std::error_code error;
    std::string name = (std::filesystem::temp_directory_path(error) / "posecam-profile-XXXXXX").string();
    if (error || !::mkdtemp(name.data())) {
      return Error{Errc::kOutput, "no folder for temporary files can be made: set TMPDIR, or use --no-video"};
    }
    path_ = name;
    return {};
  }
  ScratchFolder() = default;
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  ~ScratchFolder() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

struct Profile {
  ProfileColumn column;
  std::vector<StageLog::Thread> threads;
};

void wait_for(const Session& session) {
  ProgressPrinter printer(false);
  while (!session.wait_for(printer.period())) {
    const StreamStats stats = session.stats();
    const RunProgress progress{stats.frames, session.expected_frames(), stats.seconds, stats.people};
    if (progress.frames > 0) printer.show(progress);
  }
}

/// The clip, once, with everything that `posecam run --write-video --json-lines` does.
Result<Profile> play(const Request& request, const std::stop_token& interrupt) {
  ScratchFolder scratch;
  auto input = identify_input(request.clip);
  if (!input) return input.error();
  SessionSpec spec{
      .engine = static_cast<const EngineSettings&>(request), .input = *std::move(input), .max_frames = request.frames};
  spec.sinks.push_back({.format = ResultFormat::kNdjson, .location = "/dev/null"});
  if (!request.no_video) {
    if (auto made = scratch.make(); !made) return made.error();
    spec.video.file = scratch.path() / "annotated.mp4";
  }
  auto made = Session::create(std::move(spec), {.warn = [](const std::string& line) { tell("posecam: {}\n", line); }});
  if (!made) return made.error();
  std::unique_ptr<Session> session = *std::move(made);
  if (auto opened = session->open(interrupt); !opened) return opened.error();
  StageLog::start();
  session->play();
  {
    const std::stop_callback end(interrupt, [&] { session->stop(); });
    wait_for(*session);
  }
  const StreamStats stats = session->stats();
  const auto failure = session->failure();
  session.reset();  // its threads are done before the log is read
  Profile profile;
  profile.threads = StageLog::stop();
  if (failure) return *failure;
  profile.column.name = request.decode;
  if (request.taps > 0) profile.column.name += fmt::format(", {} taps", request.taps);
  profile.column.fps = stats.seconds > 0 ? static_cast<double>(stats.frames) / stats.seconds : 0;
  profile.column.costs = stage_costs(profile.threads, stats.analysed);
  return profile;
}

Result<void> profile(Request request) {
  if (request.model.empty()) {
    const DefaultModel standard = default_model(request.device);
    request.model = standard.name;
    if (!standard.note.empty()) tell("posecam: {}\n", standard.note);
  }
  start_gstreamer();
  if (auto loaded = load_plugin(); !loaded) return loaded;
  log_element_times();
  const std::stop_token interrupt = watch_interrupts();
  auto first = play(request, interrupt);
  if (!first) return first.error();
  std::vector<ProfileColumn> columns{first->column};
  if (request.decode == "reference" && !interrupt.stop_requested()) {
    Request fast = request;
    fast.decode = "fast";
    auto second = play(fast, interrupt);
    if (!second) return second.error();
    columns.push_back(std::move(second->column));
  }
  if (request.trace != "-") put_text(profile_table(columns));
  if (!request.trace.empty()) {
    if (auto written = write_document(request.trace, trace_json(first->threads)); !written) return written;
  }
  if (interrupt.stop_requested()) return Error{Errc::kCancelled, "interrupted: the table has the frames until then"};
  return {};
}

}  // namespace

void add_profile_command(CLI::App& app, int& code) {
  auto r = std::make_shared<Request>();
  CLI::App* command = app.add_subcommand("profile", "Where the time of a frame goes, stage by stage");
  command->footer(
      "Everything that run --write-video --json-lines does is done and thrown away. Stages of different threads run\n"
      "beside each other: their sum is work, not waiting. With --decode reference the fast decoder is shown beside "
      "it.");
  command->add_option("clip", r->clip, "Video file, folder of images, or synthetic")->required()->type_name("CLIP");
  add_engine_options(*command, *r);
  command->add_option("--frames", r->frames, "Frames to look at, from the start; 0: all")->capture_default_str();
  command->add_flag("--no-video", r->no_video, "Neither draw nor encode");
  command->add_option("--trace", r->trace, "Every span, for ui.perfetto.dev or chrome://tracing")->type_name("FILE");
  command->callback([r, &code] {
    const auto done = profile(*r);
    code = done ? 0 : exit_code(done.error().code);
    if (!done) tell("posecam: {}\n", done.error().message);
  });
}

}  // namespace posecam
