#include "app/commands/run_command.h"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <memory>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>
#include <glib-unix.h>
#include <gst/gst.h>

#include "app/cli/exit_code.h"
#include "app/cli/progress.h"
#include "app/cli/summary.h"
#include "app/cli/tell.h"
#include "app/commands/run_options.h"
#include "app/session/inputs.h"
#include "app/session/outputs.h"
#include "app/session/plugin_path.h"
#include "app/session/stream.h"
#include "models/spec/zoo.h"
#include "pipeline/settings/engine_plan.h"
#include "pipeline/settings/engine_settings.h"
#include "postprocess/decode/decoders.h"

namespace posecam {
namespace {

/// Elements of one process with this id share a model; nobody else is in ours.
constexpr const char* kSharedModel = "posecam-run";

void quit_at_once(int) { _exit(exit_code(Errc::kCancelled)); }

/// Streams, main loop and what people see of them.
class Run {
 public:
  explicit Run(RunOptions options)
      : options_(std::move(options)), printer_(options_.quiet), loop_(g_main_loop_new(nullptr, FALSE)) {}
  ~Run() {
    streams_.clear();
    g_main_loop_unref(loop_);
  }
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  int execute();

 private:
  Result<void> prepare();
  void play_to_the_end();
  void report(const Stream& stream);
  void say(const std::string& line);
  void show_progress();
  void stream_finished(std::size_t index);
  static gboolean on_interrupt(gpointer self);
  static gboolean on_tick(gpointer self);

  RunOptions options_;
  std::string note_;  ///< about the choice of the model, said once all is well
  ProgressPrinter printer_;
  GMainLoop* loop_;
  std::vector<std::unique_ptr<Stream>> streams_;
  std::size_t running_ = 0;
  bool interrupted_ = false;
  int code_ = 0;
};

void Run::say(const std::string& line) {
  printer_.clear();
  tell("posecam: {}\n", line);
}

/// Everything that can be found wrong before the first frame.
Result<void> Run::prepare() {
  if (options_.display && g_getenv("DISPLAY") == nullptr && g_getenv("WAYLAND_DISPLAY") == nullptr) {
    return Error{Errc::kMedia,
                 "--display: there is no screen (neither DISPLAY nor WAYLAND_DISPLAY is set); use "
                 "--write-video FILE"};
  }
  if (options_.model.empty()) {
    DefaultModel standard = default_model(options_.device);
    options_.model = standard.name;
    note_ = std::move(standard.note);
  }
  const auto model = find_model(options_.model);
  if (!model) return model.error();
  const bool for_keypoints =
      !(options_.write_json.empty() && options_.write_coco_json.empty() && options_.write_motion_json.empty());
  if (model->task != Task::kPose && for_keypoints) {
    return Error{Errc::kUsage, fmt::format("--model {}: finds no keypoints, and --write-json, --write-coco-json and "
                                           "--write-motion-json are for those; use --json-lines, or a pose model",
                                           options_.model)};
  }
  auto inputs = identify_inputs(options_.inputs);
  if (!inputs) return inputs.error();
  auto outputs = plan_outputs(options_, *inputs);
  if (!outputs) return outputs.error();
  for (const Outputs& output : *outputs) {
    if (auto writable = check_writable(output); !writable) return writable;
  }
  const std::string instance = inputs->size() > 1 ? kSharedModel : "";
  for (std::size_t i = 0; i < inputs->size(); ++i) {
    auto topology = build_topology(options_, (*inputs)[i], (*outputs)[i], instance);
    if (!topology) return topology.error();
    streams_.push_back(std::make_unique<Stream>(
        std::move(*topology), (*inputs)[i], (*outputs)[i], [this, i] { stream_finished(i); },
        [this](const std::string& line) { say(line); }));
    if (auto opened = streams_.back()->open(); !opened) return opened;
  }
  return {};
}

int Run::execute() {
  const guint interrupt = g_unix_signal_add(SIGINT, on_interrupt, this);
  const guint terminate = g_unix_signal_add(SIGTERM, on_interrupt, this);
  if (auto ready = prepare(); !ready) {
    say(ready.error().message);
    return exit_code(ready.error().code);
  }
  if (!note_.empty() && !options_.quiet) say(note_);
  play_to_the_end();
  if (!interrupted_) {
    g_source_remove(interrupt);
    g_source_remove(terminate);
  }
  printer_.clear();
  for (const auto& stream : streams_) report(*stream);
  return interrupted_ ? exit_code(Errc::kCancelled) : code_;
}

void Run::play_to_the_end() {
  const guint tick = g_timeout_add(static_cast<guint>(printer_.period().count()), on_tick, this);
  running_ = streams_.size();
  for (const auto& stream : streams_) stream->play();
  g_main_loop_run(loop_);
  g_source_remove(tick);
}

void Run::stream_finished(std::size_t index) {
  if (const auto& failure = streams_[index]->failure()) {
    say(failure->message);
    if (code_ == 0) code_ = exit_code(failure->code);
  }
  if (--running_ == 0) g_main_loop_quit(loop_);
}

void Run::report(const Stream& stream) {
  const StreamStats stats = stream.stats();
  if (options_.quiet || stats.frames == 0) return;
  tell("{}\n", format_summary(stream.input().given, stats, stream.complete() ? stream.outputs() : Outputs{}));
}

void Run::show_progress() {
  RunProgress all;
  all.total = 0;
  for (const auto& stream : streams_) {
    const StreamStats stats = stream->stats();
    const auto expected = stream->expected_frames();
    all.frames += stats.frames;
    all.people += stream->finished() ? 0 : stats.people;
    all.seconds = std::max(all.seconds, stats.seconds);
    if (!expected) all.total.reset();
    if (all.total) *all.total += *expected;
  }
  if (all.frames > 0) printer_.show(all);
}

gboolean Run::on_tick(gpointer self) {
  static_cast<Run*>(self)->show_progress();
  return G_SOURCE_CONTINUE;
}

/// The first Ctrl-C ends the inputs and lets files be completed, the second one does not wait for that.
gboolean Run::on_interrupt(gpointer self) {
  auto& run = *static_cast<Run*>(self);
  if (std::exchange(run.interrupted_, true)) return G_SOURCE_REMOVE;
  run.say("interrupted: finishing the files; press Ctrl-C again to quit at once");
  std::signal(SIGINT, quit_at_once);
  std::signal(SIGTERM, quit_at_once);
  for (const auto& stream : run.streams_) stream->end_early();
  return G_SOURCE_CONTINUE;
}

}  // namespace

int run_command(const std::vector<std::string>& args) {
  auto request = parse_run_options(args);
  if (!request) {
    tell("posecam: {}\n", request.error().message);
    return exit_code(request.error().code);
  }
  if (!request->print.empty()) {
    fmt::print("{}", request->print);
    return 0;
  }
  std::signal(SIGPIPE, SIG_IGN);  // a reader of stdout that went away is an error like others
  gst_init(nullptr, nullptr);
  if (auto loaded = load_plugin(); !loaded) {
    tell("posecam: {}\n", loaded.error().message);
    return exit_code(loaded.error().code);
  }
  return Run(std::move(request->options)).execute();
}

}  // namespace posecam
