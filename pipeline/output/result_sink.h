#pragma once
// Where the results of a stream go: one interface over files, and over what may have to drop some.

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "models/core/result.h"
#include "models/spec/frame_result.h"
#include "postprocess/documents/frame_info.h"

namespace posecam {

/// What became of the results so far.
struct SinkHealth {
  enum class State : std::uint8_t {
    kOpen,    ///< results are taken
    kFailed,  ///< nothing is written any more
    kClosed   ///< all of it is where it belongs
  };
  State state = State::kOpen;
  std::uint64_t written = 0;  ///< results
  std::uint64_t dropped = 0;  ///< results that were taken and will not be written
  std::string last_error;     ///< empty: there was none
};
/// "open", "failed", "closed".
std::string_view to_string(SinkHealth::State state);

/// One per output; one thread at a time, but for health(). Frames of one stream come in their order.
///
/// Errors are sticky: after the first, write() and close() return the same error and do nothing, so the caller may stop
/// at once or report what close() returns.
class ResultSink {
 public:
  virtual ~ResultSink() = default;
  /// `result` and its model must not be null. A sink may keep the result; the texts of `info` are borrowed.
  virtual Result<void> write(const FrameInfo& info, std::shared_ptr<const FrameResult> result) = 0;
  /// Completes the output. A second call returns the outcome of the first.
  virtual Result<void> close() = 0;
  /// Any thread.
  virtual SinkHealth health() const = 0;
};

/// Keeps a sink's health: a sink hands on its outcomes through it. Thread-safe; a result that was written costs no
/// lock.
class SinkBook {
 public:
  /// The outcome of one result, handed back unchanged: a success is counted, a failure becomes the state and the error.
  Result<void> wrote(Result<void> outcome);
  /// The outcome of close(), likewise.
  Result<void> closed(Result<void> outcome);
  void dropped(std::uint64_t results) { dropped_ += results; }  ///< so many more will never be written
  SinkHealth health() const;                                    ///< so far

 private:
  Result<void> note(Result<void> outcome);

  std::atomic<std::uint64_t> written_ = 0;
  std::atomic<std::uint64_t> dropped_ = 0;
  std::atomic<SinkHealth::State> state_ = SinkHealth::State::kOpen;
  mutable std::mutex mutex_;
  std::string last_error_;
};

}  // namespace posecam
