#include "app/session/session.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "app/session/bus_error.h"
#include "app/session/graph/repeat.h"
#include "app/session/graph/source.h"
#include "app/session/input/image_source.h"
#include "models/core/text.h"
#include "models/store/address.h"

namespace posecam {
namespace {

constexpr const char* kStartFailed = "start-failed";
/// For a model: a compiler of networks may take minutes on a small machine.
constexpr std::chrono::minutes kOpenLimit{10};

struct SourceUnref {
  void operator()(GSource* source) const noexcept { g_source_unref(source); }
};
using SourcePtr = std::unique_ptr<GSource, SourceUnref>;

/// On a thread of its own, since a source may hang here. The reason of a failure is on the bus; the message is for an
/// element that gave none.
void begin_to_play(GstElement* pipeline, GstElement* inlet, Gate& gate, const std::stop_token& stop) {
  // A live source says so by having nothing to show while it is paused.
  const GstStateChangeReturn paused = gst_element_set_state(pipeline, GST_STATE_PAUSED);
  if (paused == GST_STATE_CHANGE_NO_PREROLL) make_live(inlet, gate);
  if (stop.stop_requested()) return;
  if (paused != GST_STATE_CHANGE_FAILURE &&
      gst_element_set_state(pipeline, GST_STATE_PLAYING) != GST_STATE_CHANGE_FAILURE) {
    return;
  }
  gst_element_post_message(pipeline,
                           gst_message_new_element(GST_OBJECT(pipeline), gst_structure_new_empty(kStartFailed)));
}

/// Not on the session's thread: it waits for elements that change their state, of which one may hang.
void recalculate_latency(GstElement* pipeline) {
  const auto call = [](GstElement* self, gpointer) { gst_bin_recalculate_latency(GST_BIN(self)); };
  gst_element_call_async(pipeline, call, nullptr, nullptr);
}

}  // namespace

Result<std::unique_ptr<Session>> Session::create(SessionSpec spec, SessionEvents events) {
  auto outputs = OutputSet::lock(spec);
  if (!outputs) return outputs.error();
  auto topology = build_topology(spec, *outputs);
  if (!topology) return topology.error();
  return std::unique_ptr<Session>(
      new Session(std::move(spec), std::move(events), *std::move(outputs), *std::move(topology)));
}

Session::Session(SessionSpec spec, SessionEvents events, OutputSet outputs, Topology topology)
    : spec_(std::move(spec)),
      events_(std::move(events)),
      outputs_(std::move(outputs)),
      topology_(std::move(topology)),
      context_(g_main_context_new()) {
  if (spec_.input.repeats && is_decoded(spec_.input.kind)) catch_clip_end(topology_.source);
  gst_pipeline_set_auto_flush_bus(GST_PIPELINE(topology_.pipeline.get()), FALSE);  // close_device() reads it
  const BusPtr bus(gst_element_get_bus(topology_.pipeline.get()));
  const SourcePtr watch(gst_bus_create_watch(bus.get()));
  g_source_set_callback(watch.get(), G_SOURCE_FUNC(on_message), this, nullptr);
  g_source_attach(watch.get(), context_.get());
}

Session::~Session() {
  if (thread_.joinable()) {
    post(&Session::abandon);
    thread_.join();
  }
  if (left_behind_) {
    (void)topology_.gate.release();
    (void)topology_.pipeline.release();
  } else {
    close_device();
  }
}

/// Its last words come when the pipeline is in NULL already.
void Session::close_device() {
  GstElement* pipeline = topology_.pipeline.get();
  gst_element_set_locked_state(topology_.infer, FALSE);
  gst_element_set_state(pipeline, GST_STATE_NULL);
  gst_element_set_state(topology_.infer, GST_STATE_NULL);
  const BusPtr bus(gst_element_get_bus(pipeline));
  while (GstMessage* message = gst_bus_pop_filtered(bus.get(), GST_MESSAGE_WARNING)) {
    handle_warning(message);
    gst_message_unref(message);
  }
  gst_bus_set_flushing(bus.get(), TRUE);
}

Result<void> Session::open(const std::stop_token& stop) {
  GstElement* pipeline = topology_.pipeline.get();
  const auto result = std::make_shared<std::atomic<GstStateChangeReturn>>(GST_STATE_CHANGE_FAILURE);
  Errand opening([pipeline, result] { *result = gst_element_set_state(pipeline, GST_STATE_READY); });
  left_behind_ = !opening.wait_for(kOpenLimit, stop);
  if (left_behind_ && stop.stop_requested()) return Error{Errc::kCancelled, "interrupted before the first frame"};
  if (left_behind_) {
    return Error{Errc::kDevice, fmt::format("{}: the model is not loaded after {} minutes; given up",
                                            spec_.engine.model, kOpenLimit.count())};
  }
  if (*result != GST_STATE_CHANGE_FAILURE) return {};
  return why_not_opened();
}

Error Session::why_not_opened() {
  const BusPtr bus(gst_element_get_bus(topology_.pipeline.get()));
  GstMessage* message = gst_bus_pop_filtered(bus.get(), GST_MESSAGE_ERROR);
  Error error{Errc::kDevice, fmt::format("{}: the pipeline cannot be started", spec_.input.given)};
  if (message != nullptr) {
    error = to_error(message, spec_, topology_);
    gst_message_unref(message);
  }
  gst_element_set_state(topology_.pipeline.get(), GST_STATE_NULL);
  return error;
}

void Session::play() {
  thread_ = std::jthread([this] { run(); });
}

void Session::stop() { post(&Session::end_early); }

void Session::wait() const {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return finished_; });
}

bool Session::wait_for(std::chrono::milliseconds time) const {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, time, [this] { return finished_; });
}

bool Session::finished() const {
  std::lock_guard lock(mutex_);
  return finished_;
}

std::optional<Error> Session::failure() const {
  std::lock_guard lock(mutex_);
  return failure_;
}

bool Session::complete() const {
  std::lock_guard lock(mutex_);
  return complete_;
}

StreamStats Session::stats() const {
  {
    std::lock_guard lock(mutex_);
    if (last_) return *last_;
  }
  StreamStats stats = read_stats(topology_.people, topology_.detector);
  const std::int64_t first = topology_.gate->first_frame_us;
  stats.dropped = topology_.gate->dropped;
  stats.seconds = first == 0 ? 0 : static_cast<double>(g_get_monotonic_time() - first) / 1e6;
  return stats;
}

std::optional<std::uint64_t> Session::expected_frames() const {
  if (finished()) return stats().frames;
  std::optional<std::uint64_t> total;
  const std::int64_t duration = duration_ns();
  const double fps = topology_.gate->fps;
  if (spec_.input.kind == InputKind::kImages) {
    total = spec_.input.images.size();
  } else if (!topology_.gate->live && fps > 0 && duration > 0) {
    total = static_cast<std::uint64_t>(std::llround(static_cast<double>(duration) / 1e9 * fps));
  }
  if (spec_.max_frames > 0) total = std::min(total.value_or(spec_.max_frames), spec_.max_frames);
  return total;
}

/// Of the whole input; not positive if it does not tell.
std::int64_t Session::duration_ns() const {
  gint64 duration = -1;
  if (is_apart(spec_)) return told_duration_;
  return gst_element_query_duration(topology_.source, GST_FORMAT_TIME, &duration) == FALSE ? -1 : duration;
}

/// Not g_main_context_invoke(), which would call at once on a thread that finds the context idle.
void Session::post(void (Session::*what)()) {
  const SourcePtr source(g_idle_source_new());
  g_source_set_priority(source.get(), G_PRIORITY_DEFAULT);
  call_from(source.get(), what);
}

void Session::call_from(GSource* source, void (Session::*what)()) {
  struct Call {
    Session* session;
    void (Session::*what)();
  };
  const auto make = [](gpointer data) -> gboolean {
    const Call& call = *static_cast<Call*>(data);
    (call.session->*call.what)();
    return G_SOURCE_REMOVE;
  };
  g_source_set_callback(source, make, new Call{this, what}, [](gpointer data) { delete static_cast<Call*>(data); });
  g_source_attach(source, context_.get());
}

void Session::run() {
  g_main_context_push_thread_default(context_.get());
  start();
  while (!finished()) g_main_context_iteration(context_.get(), TRUE);
  g_main_context_pop_thread_default(context_.get());
}

void Session::start() {
  if (!spec_.input.left_out.empty()) events_.warn(fmt::format("{}: {}", spec_.input.given, spec_.input.left_out));
  if (auto cleared = outputs_.clear(); !cleared) {
    fail(cleared.error());
    give_up();
    return finish();
  }
  if (is_apart(spec_) && !start_apart()) return;
  starting_ = std::make_unique<Errand>([stop = starting_stop_.get_token(), pipeline = topology_.pipeline.get(),
                                        inlet = topology_.inlet,
                                        gate = topology_.gate.get()] { begin_to_play(pipeline, inlet, *gate, stop); });
  watch(g_get_monotonic_time());
  look_for_lost_error();
}

/// At a monotonic time, on this thread.
void Session::at(std::int64_t time_us, void (Session::*what)()) {
  const SourcePtr timer(g_timeout_source_new(0));
  g_source_set_ready_time(timer.get(), time_us);
  call_from(timer.get(), what);
}

gboolean Session::on_message(GstBus*, GstMessage* message, gpointer self) {
  static_cast<Session*>(self)->handle(message);
  return G_SOURCE_CONTINUE;
}

void Session::handle(GstMessage* message) {
  if (finished()) return;
  switch (GST_MESSAGE_TYPE(message)) {
    case GST_MESSAGE_ERROR: return handle_error(message);
    case GST_MESSAGE_WARNING: return handle_warning(message);
    case GST_MESSAGE_ELEMENT: return handle_element_message(message);
    case GST_MESSAGE_EOS: return handle_end();
    case GST_MESSAGE_LATENCY: return recalculate_latency(topology_.pipeline.get());
    default: return;
  }
}

void Session::handle_error(GstMessage* message) {
  fail(to_error(message, spec_, topology_));
  const bool of_input = is_within(GST_MESSAGE_SRC(message), topology_.source);
  if (of_input && topology_.gate->arrived > 0) {
    if (!ending_) push_end();  // what was decoded is kept
    return;
  }
  give_up();
  finish();
}

/// Those of our own; what other elements warn of is theirs to log.
void Session::handle_warning(GstMessage* message) {
  const bool of_source = is_within(GST_MESSAGE_SRC(message), topology_.source);
  if (!of_source && !is_within(GST_MESSAGE_SRC(message), topology_.infer)) return;
  GError* error = nullptr;
  gchar* debug = nullptr;
  gst_message_parse_warning(message, &error, &debug);
  const std::string text = without_full_stop(with_shown_urls(error->message));
  if (of_source && error->domain == GST_CORE_ERROR && error->code == GST_CORE_ERROR_MISSING_PLUGIN) {
    no_video_ = why_no_video(debug == nullptr ? "" : debug);
  }
  g_error_free(error);
  g_free(debug);
  if (of_source) {
    source_trouble_ = text;
  } else {
    events_.warn(text);
  }
}

/// What is known to be wrong with a clip explains what is missing in it.
std::string Session::why_without(const std::string& what) const {
  return fmt::format("{}: {}", spec_.input.given, spec_.input.damage.empty() ? what : spec_.input.damage);
}

/// Of a message kNoVideo. A decoder that is missing says more than what else is in a clip.
std::string Session::reason_for_no_video(const GstStructure* what) const {
  const char* why = gst_structure_get_string(what, kNoVideoWhy);
  return why_without(why == nullptr || no_video_ != kNoVideoInIt ? no_video_ : why);
}

void Session::handle_element_message(GstMessage* message) {
  const GstStructure* what = gst_message_get_structure(message);
  if (gst_structure_has_name(what, kPictureFailed) != FALSE) {
    const Error error{Errc::kMedia, gst_structure_get_string(what, "text")};
    if (failure()) events_.also_failed(error.message);
    fail(error);
  } else if (gst_structure_has_name(what, kPictureWarning) != FALSE) {
    events_.warn(gst_structure_get_string(what, "text"));
  } else if (gst_structure_has_name(what, kClipEnded) != FALSE) {
    if (!ending_) restart_clip(topology_.source);
  } else if (gst_structure_has_name(what, "no-frames") != FALSE) {
    hear_out();
    fail({Errc::kMedia, why_without("no video frames in it")});
    give_up();
    finish();
  } else if (gst_structure_has_name(what, kNoVideo) != FALSE) {
    fail({Errc::kMedia, reason_for_no_video(what)});
    give_up();
    finish();
  } else if (gst_structure_has_name(what, kStartFailed) != FALSE) {
    fail({Errc::kMedia, fmt::format("{}: cannot be opened", spec_.input.given)});
    give_up();
    finish();
  }
}

void Session::fail(Error error) {
  std::lock_guard lock(mutex_);
  if (!failure_) failure_ = std::move(error);
}

}  // namespace posecam
