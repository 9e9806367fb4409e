#include "pipeline/output/queued_sink.h"

#include <exception>
#include <utility>

#include <fmt/format.h>

#include "models/core/text.h"

namespace posecam {

QueuedSink::QueuedSink(std::unique_ptr<ResultSink> inner, std::stop_source stop, QueueLimits limits)
    : inner_(std::move(inner)), stop_(std::move(stop)), limits_(limits), ring_(limits.capacity) {
  worker_ = std::jthread([this] { work(); });
}

QueuedSink::~QueuedSink() { stop_.request_stop(); }

Result<void> QueuedSink::write(const FrameInfo& info, std::shared_ptr<const FrameResult> result) {
  std::shared_ptr<const FrameResult> oldest;  // let go of without the lock
  {
    std::lock_guard lock(mutex_);
    if (failure_) return *failure_;
    if (waiting_ == ring_.size()) {
      oldest = std::move(ring_[first_].result);
      first_ = (first_ + 1) % ring_.size();
      --waiting_;
      ++dropped_;
    }
    Entry& entry = ring_[(first_ + waiting_) % ring_.size()];
    entry.info = info;
    entry.stream_id.assign(info.stream_id);
    entry.name.assign(info.name);
    entry.file.assign(info.file);
    entry.result = std::move(result);
    ++waiting_;
  }
  changed_.notify_all();
  return {};
}

/// Takes the oldest. False: there is none and will be none, or a stop is requested.
bool QueuedSink::take(Entry& entry) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, stop_.get_token(), [&] { return waiting_ > 0 || closing_; });
  if (stop_.stop_requested() || waiting_ == 0) return false;
  std::swap(entry, ring_[first_]);  // its texts keep their memory
  first_ = (first_ + 1) % ring_.size();
  --waiting_;
  return true;
}

void QueuedSink::work() {
  try {
    write_all();
  } catch (const std::exception& e) {
    finish(Error{Errc::kOutput, fmt::format("completing an output: {}", e.what())});
  }
}

/// What it throws is a failure of this result, so that it is counted.
Result<void> QueuedSink::write_inner(const FrameInfo& info, std::shared_ptr<const FrameResult> result) {
  try {
    return inner_->write(info, std::move(result));
  } catch (const std::exception& e) {
    return Error{Errc::kOutput, fmt::format("writing a result: {}", e.what())};
  }
}

void QueuedSink::write_all() {
  Entry entry;
  while (take(entry)) {
    FrameInfo info = entry.info;
    info.stream_id = entry.stream_id;
    info.name = entry.name;
    info.file = entry.file;
    const auto written = write_inner(info, std::exchange(entry.result, nullptr));
    if (written) continue;
    {
      std::lock_guard lock(mutex_);
      ++dropped_;
    }
    return finish(written.error());
  }
  if (stop_.stop_requested()) return finish(Error{Errc::kCancelled, "stopped before every result was written"});
  const auto closed = inner_->close();
  finish(closed ? std::optional<Error>() : closed.error());
}

/// The thread's last act: what waits is dropped.
void QueuedSink::finish(std::optional<Error> failure) {
  std::vector<Entry> left;
  {
    std::lock_guard lock(mutex_);
    dropped_ += std::exchange(waiting_, 0);
    if (failure) left.swap(ring_);
    failure_ = std::move(failure);
    done_ = true;
  }
  changed_.notify_all();
}

Result<void> QueuedSink::close() {
  if (closed_) return *closed_;
  bool late = false;
  std::uint64_t dropped_before = 0;
  {
    std::unique_lock lock(mutex_);
    closing_ = true;
    dropped_before = dropped_;
    changed_.notify_all();
    const bool done = changed_.wait_for(lock, stop_.get_token(), limits_.drain, [&] { return done_; });
    late = !done && !stop_.stop_requested();
  }
  stop_.request_stop();  // ends a wait of the inner sink
  worker_.join();
  closed_ = outcome_of_close(late, dropped_before);
  return *closed_;
}

Result<void> QueuedSink::outcome_of_close(bool late, std::uint64_t dropped_before) const {
  std::lock_guard lock(mutex_);
  if (!failure_) return {};
  if (!late) return *failure_;
  return Error{Errc::kOutput,
               fmt::format("{} not written within {} ms of the end: whoever takes them is too slow",
                           counted(dropped_ - dropped_before, "result was", "results were"), limits_.drain.count())};
}

SinkHealth QueuedSink::health() const {
  SinkHealth health = inner_->health();
  std::lock_guard lock(mutex_);
  health.dropped += dropped_;
  if (failure_) {
    health.state = SinkHealth::State::kFailed;
    health.last_error = failure_->message;
  }
  return health;
}

}  // namespace posecam
