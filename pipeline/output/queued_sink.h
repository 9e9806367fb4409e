#pragma once
// A sink that never holds up the stream: what the sink behind it is too slow for is dropped, the oldest first, and
// counted.

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "pipeline/output/result_sink.h"

namespace posecam {

/// How much may wait, and how long an end may take.
struct QueueLimits {
  std::size_t capacity = 64;              ///< results that wait, beside the one that is being written; > 0
  std::chrono::milliseconds drain{5000};  ///< how long close() waits for them
};

/// Writes on a thread of its own. write() waits for nobody and allocates nothing once warm. Destroyed without close(),
/// it drops what waits.
class QueuedSink final : public ResultSink {
 public:
  /// `stop` is the source that `inner` was made with, and ends its waits: requested by whoever wants an end at once, or
  /// here when close() has waited long enough, or on destruction.
  QueuedSink(std::unique_ptr<ResultSink> inner, std::stop_source stop, QueueLimits limits = {});
  QueuedSink(const QueuedSink&) = delete;
  QueuedSink& operator=(const QueuedSink&) = delete;
  ~QueuedSink() override;

  Result<void> write(const FrameInfo& info, std::shared_ptr<const FrameResult> result) override;
  /// Waits until all is written and the inner sink is closed: at most limits.drain, and no longer than until a stop is
  /// requested. What then still waits is dropped, and kOutput or kCancelled says so.
  Result<void> close() override;
  /// That of the inner sink, and what was dropped before it.
  SinkHealth health() const override;

 private:
  /// With texts of its own.
  struct Entry {
    FrameInfo info;
    std::string stream_id;
    std::string name;
    std::string file;
    std::shared_ptr<const FrameResult> result;
  };
  void work();
  void write_all();
  Result<void> write_inner(const FrameInfo& info, std::shared_ptr<const FrameResult> result);
  bool take(Entry& entry);
  void finish(std::optional<Error> failure);
  Result<void> outcome_of_close(bool late, std::uint64_t dropped_before) const;

  const std::unique_ptr<ResultSink> inner_;
  std::stop_source stop_;
  const QueueLimits limits_;
  std::optional<Result<void>> closed_;  ///< what close() returned

  mutable std::mutex mutex_;  // never held while calling out
  std::condition_variable_any changed_;
  std::vector<Entry> ring_;
  std::size_t first_ = 0;
  std::size_t waiting_ = 0;
  std::uint64_t dropped_ = 0;
  bool closing_ = false;
  bool done_ = false;             ///< the thread has no more to do
  std::optional<Error> failure_;  ///< of the inner sink

  std::jthread worker_;  // last: joined before what it uses goes away
};

}  // namespace posecam
