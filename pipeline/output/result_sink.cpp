#include "pipeline/output/result_sink.h"

namespace posecam {

std::string_view to_string(SinkHealth::State state) {
  switch (state) {
    case SinkHealth::State::kOpen: return "open";
    case SinkHealth::State::kFailed: return "failed";
    case SinkHealth::State::kClosed: return "closed";
  }
  return "";
}

Result<void> SinkBook::wrote(Result<void> outcome) {
  if (outcome) ++written_;
  return note(std::move(outcome));
}

Result<void> SinkBook::closed(Result<void> outcome) {
  if (outcome) state_ = SinkHealth::State::kClosed;
  return note(std::move(outcome));
}

Result<void> SinkBook::note(Result<void> outcome) {
  if (outcome) return outcome;
  std::lock_guard lock(mutex_);
  last_error_ = outcome.error().message;
  state_ = SinkHealth::State::kFailed;
  return outcome;
}

SinkHealth SinkBook::health() const {
  std::lock_guard lock(mutex_);
  return {state_, written_, dropped_, last_error_};
}

}  // namespace posecam
