#pragma once
// One input on its way through the network: a run as an object, for whoever wants one. It knows no command line, no
// terminal, no signal and no exit code; failures and warnings are values.
//
// One session has one input, and a thread with a main context of its own that attends to its pipeline. A run of several
// inputs is several sessions with one SessionSpec::shared_model: each starts, fails, ends and is replaced by itself, as
// cameras that come and go need, and a device that hangs when it is closed holds up its own session only. Nothing uses
// the default main context, so a process may have a loop of its own, or none.

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>

#include <gst/gst.h>

#include "app/session/apart/source_process.h"
#include "app/session/graph/source.h"
#include "app/session/graph/topology.h"
#include "app/session/handles.h"
#include "app/session/output_set.h"
#include "app/session/spec.h"
#include "app/session/stats.h"
#include "models/core/result.h"
#include "pipeline/backend/errand.h"

namespace posecam {

/// What a session tells while it plays, on its own thread, one at a time. Neither may destroy the session.
struct SessionEvents {
  std::function<void(const std::string&)> warn = [](const std::string&) {};  ///< a line for people
  /// Likewise, of a failure behind the first: another picture that cannot be decoded.
  std::function<void(const std::string&)> also_failed = [](const std::string&) {};
  /// Once: failure(), complete() and stats() are final. finished() and wait() come after it.
  std::function<void()> finished = [] {};
};

/// create(), open(), play() in this order and by one thread; all else by any. Destroyed before it has finished it gives
/// up its outputs. After gst_init() and load_plugin() (plugin_path.h).
class Session {
 public:
  /// Takes the outputs (output_set.h) and makes the pipeline; cheap, and without a trace when it fails. kUsage, kMedia.
  static Result<std::unique_ptr<Session>> create(SessionSpec spec, SessionEvents events = {});
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session();

  /// Loads the model and opens the device: seconds, ten minutes at most. kUsage, kModel, kDevice, kMedia; kCancelled
  /// once `stop` is requested, and what was under way is left behind then (errand.h).
  Result<void> open(const std::stop_token& stop = {});
  /// Lets frames flow and returns at once.
  void play();
  /// Ends the input here: what is under way is finished, files are completed. Nothing under way, or nothing that moves
  /// for ten seconds: gives up. Returns at once; the session finishes when it has played.
  void stop();

  /// Until it has finished, after play(). The second waits no longer than that, and says whether it has.
  void wait() const;
  bool wait_for(std::chrono::milliseconds time) const;
  bool finished() const;
  /// The first failure, if there was one. What was decoded before a failure of the input has been kept.
  std::optional<Error> failure() const;
  /// True if the outputs have their final names.
  bool complete() const;
  /// So far, or when it finished.
  StreamStats stats() const;
  /// Frames the whole input has, as far as it tells.
  std::optional<std::uint64_t> expected_frames() const;

  /// As it was created with.
  const SessionSpec& spec() const { return spec_; }
  /// The neuroninfer, to watch its pads; lives as long as the session.
  GstElement* network() const { return topology_.infer; }

 private:
  Session(SessionSpec spec, SessionEvents events, OutputSet outputs, Topology topology);

  // All of these on the thread of the session, but for post().
  Error why_not_opened();
  void post(void (Session::*what)());
  void at(std::int64_t time_us, void (Session::*what)());
  void call_from(GSource* source, void (Session::*what)());
  void run();
  void start();
  void end_early();
  void abandon();
  static gboolean on_message(GstBus* bus, GstMessage* message, gpointer self);
  void handle(GstMessage* message);
  void handle_error(GstMessage* message);
  void handle_warning(GstMessage* message);
  void handle_element_message(GstMessage* message);
  void handle_end();
  void note_missing_end(std::int64_t duration_ns) const;
  std::int64_t duration_ns() const;
  std::string why_without(const std::string& what) const;
  std::string reason_for_no_video(const GstStructure* what) const;
  // Of a source in another process (session_apart.cpp).
  bool start_apart();
  bool heed_words();
  void heed_trouble(const GstStructure* word, bool error);
  void hear_out();
  void watch(std::int64_t since_us);
  void look_for_stall();
  void look_for_lost_error();
  void push_end();
  void watch_end();
  std::int64_t end_limit_us() const;
  bool shut_down();
  void complete_outputs();
  void give_up();
  void finish();
  void fail(Error error);
  void close_device();
  const SessionSpec spec_;
  const SessionEvents events_;
  OutputSet outputs_;  ///< outlives the pipeline, which writes to it; after play() of the session's thread
  Topology topology_;
  ContextPtr context_;
  std::unique_ptr<SourceProcess> process_;        ///< of a source that is apart
  std::atomic<std::int64_t> told_duration_ = -1;  ///< ns, by that process
  bool ending_ = false;         ///< from here on the session's thread: an end is on its way through the pipeline
  std::string source_trouble_;  ///< what the source warned of last
  std::string no_video_ = kNoVideoInIt;  ///< why there is none, should there be none
  std::optional<Error> apart_error_;     ///< what stopped that process, behind its last frame
  bool all_written_ = false;             ///< that process says so
  std::stop_source starting_stop_;       ///< what comes after the call that starting_ is in is not wanted any more
  std::unique_ptr<Errand> starting_;     ///< brings the pipeline to play
  std::unique_ptr<Errand> pushing_;      ///< the end that is on its way
  std::optional<std::pair<std::uint64_t, std::int64_t>> seen_at_end_;  ///< frames and bytes, when last looked at
  bool left_behind_ = false;  ///< a library hangs, with its thread and what that sees: all of topology_

  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;  ///< finished_
  std::optional<Error> failure_;             // by mutex_, as all that follows but the thread
  bool finished_ = false;
  bool complete_ = false;
  std::optional<StreamStats> last_;  ///< once nothing more can come

  std::jthread thread_;  ///< from play() on
};

}  // namespace posecam
