// How a session ends: by itself, because it is told to, or because something hangs.

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "app/session/graph/lost_error.h"
#include "app/session/session.h"

namespace posecam {
namespace {

using namespace std::chrono_literals;

/// How long a source may take to stop: one that waits for its network needs no time, one that spins needs for ever.
constexpr std::chrono::milliseconds kStopLimit = 2s;
/// Likewise for all that is behind it: a batch that is under way, files that are closed.
constexpr std::chrono::milliseconds kCloseLimit = 5s;
constexpr GstClockTime kNearEnd = GST_SECOND;  ///< of a recording that a server plays at its own pace

std::int64_t microseconds(std::chrono::milliseconds time) { return std::chrono::microseconds(time).count(); }

}  // namespace

void Session::end_early() {
  if (finished()) return;
  if (topology_.gate->arrived == 0) {
    give_up();
    return finish();
  }
  if (!ending_) push_end();
  if (!seen_at_end_) watch_end();
}

/// An EOS behind whatever the source has sent, however far it is and whatever it is doing. It waits for a frame that is
/// on its way into the pipeline, which may wait for room.
void Session::push_end() {
  ending_ = true;
  pushing_ = std::make_unique<Errand>(
      [pad = std::shared_ptr<GstPad>(gst_element_get_static_pad(topology_.inlet, "sink"), ObjectUnref{})] {
        gst_pad_send_event(pad.get(), gst_event_new_eos());
      });
}

/// How long nothing may move: a network that is slow, or has the frames of many inputs before it, is not one that
/// hangs.
std::int64_t Session::end_limit_us() const {
  double frame_ms = 0;
  for (const StageTimes& stage : stats().stages) frame_ms += stage.p99_ms;
  return std::max<std::int64_t>(microseconds(spec_.end_limit), std::llround(4000 * frame_ms));
}

/// Looks again later whether the end comes nearer.
void Session::watch_end() {
  if (finished()) return;
  const std::pair<std::uint64_t, std::int64_t> now{stats().frames, outputs_.written()};
  const bool moves = std::exchange(seen_at_end_, now) != now;
  const std::int64_t limit = end_limit_us();
  if (moves) return at(g_get_monotonic_time() + limit, &Session::watch_end);
  fail({Errc::kMedia, fmt::format("{}: does not end: nothing has moved for {:.1f} s; what was under way is given up",
                                  spec_.input.given, static_cast<double>(limit) / 1e6)});
  give_up();
  finish();
}

/// Looks again when the source, silent since then, will have been silent for too long.
void Session::watch(std::int64_t since_us) {
  const std::int64_t limit = microseconds(spec_.stall_limit);
  if (limit > 0) at(since_us + limit, &Session::look_for_stall);
}

void Session::look_for_stall() {
  if (finished() || ending_ || topology_.gate->ended) return;
  const std::int64_t now = g_get_monotonic_time();
  const std::int64_t last = topology_.gate->last_arrival_us;
  const std::int64_t limit = microseconds(spec_.stall_limit);
  if (!is_starving(topology_.inlet)) return watch(now);  // it is the network that takes its time
  if (last != 0 && now - last < limit) return watch(last);
  fail({Errc::kMedia, fmt::format("{}: no frame for {:g} s; given up (--stall-limit)", spec_.input.given,
                                  static_cast<double>(limit) / 1e6)});
  end_early();
}

/// Until the first frame has come.
void Session::look_for_lost_error() {
  if (finished() || ending_ || topology_.gate->arrived > 0) return;
  report_lost_error(topology_.source);
  at(g_get_monotonic_time() + microseconds(kLostErrorPeriod), &Session::look_for_lost_error);
}

void Session::abandon() {
  if (finished()) return;
  give_up();
  finish();
}

/// A recording whose frames stop well before its container says that it ends: it is damaged where nobody noticed, or
/// its sound goes on.
void Session::note_missing_end(std::int64_t duration_ns) const {
  constexpr std::int64_t kUsual = 2'000'000'000;  // sound and picture seldom end at once
  const auto last = static_cast<std::int64_t>(topology_.gate->last_time.load());
  if (spec_.input.repeats || duration_ns - last < std::max(kUsual, duration_ns / 10)) return;
  events_.warn(
      fmt::format("{}: says that it ends after {:.1f} s, but its last frame that can be decoded is at {:.1f} s",
                  spec_.input.given, static_cast<double>(duration_ns) / 1e9, static_cast<double>(last) / 1e9));
}

/// A live source does not end: it went away, unless it is a recording that a server plays.
void Session::handle_end() {
  const Gate& gate = *topology_.gate;
  const bool wanted = ending_ || (gate.limit > 0 && gate.frames >= gate.limit);
  if (!wanted) hear_out();
  const std::int64_t duration = duration_ns();
  if (gate.live && !wanted && (duration <= 0 || gate.last_time + kNearEnd < static_cast<GstClockTime>(duration))) {
    fail({Errc::kMedia,
          fmt::format("{}: the stream broke off after {} {}{}{}", spec_.input.given, gate.frames.load(),
                      gate.frames == 1 ? "frame" : "frames", source_trouble_.empty() ? "" : ": ", source_trouble_)});
  } else if (!wanted && !failure()) {
    note_missing_end(duration);
  }
  complete_outputs();
  finish();
}

/// All data has arrived, and every sink has closed what it wrote.
void Session::complete_outputs() {
  StreamStats last = stats();
  bool complete = false;
  if (shut_down()) {
    if (!spec_.input.damage.empty()) fail({Errc::kMedia, fmt::format("{}: {}", spec_.input.given, spec_.input.damage)});
    const auto committed = outputs_.commit();
    if (!committed) fail(committed.error());
    complete = static_cast<bool>(committed);
  }
  std::lock_guard lock(mutex_);
  last_ = std::move(last);
  complete_ = complete;
}

/// Nothing more can come.
void Session::give_up() {
  StreamStats last = stats();
  const std::string kept = shut_down() ? outputs_.give_up() : std::string();
  std::lock_guard lock(mutex_);
  if (failure_) failure_->message += kept;
  last_ = std::move(last);
}

/// Files are closed whatever the source does. A library that does not let go of its thread keeps it: nothing can end a
/// thread but itself. False: that is so behind the source, where files are written, which stay open then.
bool Session::shut_down() {
  starting_stop_.request_stop();
  GstElement* source = topology_.source;
  GstElement* pipeline = topology_.pipeline.get();
  gst_element_set_locked_state(source, TRUE);
  const bool started = !starting_ || starting_->wait_for(kStopLimit);
  // The device, which may hang while it is closed, keeps what it has until this session goes: files do not wait for it.
  Errand close([pipeline, infer = topology_.infer] {
    gst_element_set_state(pipeline, GST_STATE_READY);
    gst_element_set_locked_state(infer, TRUE);
    gst_element_set_state(pipeline, GST_STATE_NULL);
  });
  const bool closed = started && close.wait_for(kCloseLimit);
  const bool ended = !pushing_ || pushing_->wait_for(kStopLimit);
  Errand stop([source] { gst_element_set_state(source, GST_STATE_NULL); });
  left_behind_ = !stop.wait_for(kStopLimit) || !closed || !ended;
  process_.reset();
  if (closed) return true;
  const std::string kept = outputs_.leave();
  fail({Errc::kDevice, fmt::format("{}: does not stop within {} s; left as it is{}", spec_.input.given,
                                   kCloseLimit.count() / 1000, kept)});
  return false;
}

void Session::finish() {
  events_.finished();
  std::lock_guard lock(mutex_);
  finished_ = true;
  changed_.notify_all();
}

}  // namespace posecam
