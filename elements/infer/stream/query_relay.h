#pragma once
// Serialized queries that must not overtake frames: the streaming thread waits while the source pad's task, having
// pushed what was before the query, asks downstream.

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <stop_token>

#include <gst/gst.h>

#include "models/core/own_mutex.h"

namespace posecam::gst {

/// A query's place among the frames.
struct QueryPlace {
  GstQuery* query;       ///< the streaming thread's; untouched once that was stopped
  std::uint64_t number;  ///< tells it from earlier ones, whose query may be gone
};

/// One streaming thread asks, one task answers.
class QueryRelay {
 public:
  /// Streaming thread: gives the query a place by `enqueue` and waits for its answer. False when stopped; then nobody
  /// touches the query any more.
  bool ask(GstQuery* query, std::stop_token stop, const std::function<void(QueryPlace)>& enqueue);

  /// Task: has `downstream` answer the query, unless it was withdrawn meanwhile.
  void answer(const QueryPlace& place, const std::function<bool(GstQuery*)>& downstream);

 private:
  void tell(bool answer);

  enum class State : std::uint8_t { kIdle, kQueued, kAnswering, kAnswered };
  OwnMutex mutex_;  // never held while calling out
  std::condition_variable_any changed_;
  State state_ = State::kIdle;
  std::uint64_t number_ = 0;
  bool answer_ = false;
};

}  // namespace posecam::gst
