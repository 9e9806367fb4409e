#pragma once
// Many inputs, of which only so many are open at a time: a thousand clips take no more memory, threads and descriptors
// than a few.

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "app/session/session.h"
#include "app/session/spec.h"
#include "models/core/result.h"

namespace posecam {

/// What a queue tells. Those of SessionEvents come on threads of sessions, the others on that of play(); sessions by
/// their place among the specs.
struct QueueEvents {
  std::function<void(const std::string&)> warn = [](const std::string&) {};
  std::function<void(const std::string&)> also_failed = [](const std::string&) {};
  /// It has finished, and is destroyed behind this, or with the queue.
  std::function<void(std::size_t place, const Session&)> ended = [](std::size_t, const Session&) {};
  /// One behind the first could not be opened; the others go on.
  std::function<void(std::size_t place, const Error&)> not_opened = [](std::size_t, const Error&) {};
};

/// Of all inputs together.
struct QueueProgress {
  std::uint64_t frames = 0;
  std::optional<std::uint64_t> total;  ///< unknown while there are inputs that nobody has opened yet
  double seconds = 0;                  ///< of the one that has played for the longest time
  int people = 0;                      ///< in view
};

/// prepare(), then play(), by one thread. The sessions of one queue have one SessionSpec::shared_model: the next is
/// opened before the last that needs it is gone.
class SessionQueue {
 public:
  /// `most`: open at a time, at least one. Once `stop` is requested those that play are ended as Session::stop() does,
  /// and no other is begun.
  SessionQueue(std::vector<SessionSpec> specs, std::size_t most, QueueEvents events, std::stop_token stop = {});

  /// Opens the first of them: all, or none and the reason; kCancelled if it was stopped.
  Result<void> prepare();
  /// Until all have ended. `show` is called now and then, a `period` apart at most.
  void play(std::chrono::milliseconds period, const std::function<void(const QueueProgress&)>& show);
  /// Those that were never begun, since it was stopped before: what people call them.
  std::vector<std::string> not_begun() const;

 private:
  void stop_all();
  Result<std::unique_ptr<Session>> open_next();
  void play_one_more();
  void retire(std::size_t place);
  QueueProgress progress();

  std::vector<SessionSpec> specs_;
  const std::size_t most_;
  const QueueEvents events_;
  const std::stop_token stop_;
  std::size_t next_ = 0;  ///< place of the first that was not opened yet
  std::uint64_t frames_of_ended_ = 0;

  std::mutex mutex_;
  std::condition_variable changed_;                       ///< ended_
  std::vector<std::size_t> ended_;                        ///< whose events came; by mutex_, as all that follows
  std::map<std::size_t, std::unique_ptr<Session>> open_;  ///< changed by the thread of play() only
  std::vector<std::unique_ptr<Session>> done_;            ///< that ended when no other was to begin: go with the queue
};

/// How many inputs at a time suit this process: 16 or two for each core, and no more than its descriptors allow.
std::size_t usual_inputs_at_once();

/// Of these, how many must be open at a time: all that may never end, and one of the others.
std::size_t least_inputs_at_once(const std::vector<SessionSpec>& specs);

}  // namespace posecam
