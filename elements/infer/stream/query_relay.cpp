#include "elements/infer/stream/query_relay.h"

#include <utility>

namespace posecam::gst {

bool QueryRelay::ask(GstQuery* query, std::stop_token stop, const std::function<void(QueryPlace)>& enqueue) {
  std::unique_lock lock(mutex_);
  const QueryPlace place{query, ++number_};
  state_ = State::kQueued;
  lock.unlock();
  enqueue(place);
  lock.lock();
  const auto answered = [&] { return state_ == State::kAnswered; };
  changed_.wait(lock, stop, answered);
  // Flushing: withdraw the query, unless the task has it in hand; downstream is flushing too and lets go of it soon.
  if (state_ == State::kAnswering) changed_.wait(lock, answered);
  return std::exchange(state_, State::kIdle) == State::kAnswered && answer_;
}

void QueryRelay::answer(const QueryPlace& place, const std::function<bool(GstQuery*)>& downstream) {
  {
    std::lock_guard lock(mutex_);
    if (state_ != State::kQueued || number_ != place.number) return;  // withdrawn
    state_ = State::kAnswering;
  }
  struct Answer {  // the streaming thread waits for it, whatever happens
    explicit Answer(QueryRelay& to) : relay(to) {}
    Answer(const Answer&) = delete;
    Answer& operator=(const Answer&) = delete;
    ~Answer() { relay.tell(yes); }
    QueryRelay& relay;
    bool yes = false;
  } answer(*this);
  answer.yes = downstream(place.query);
}

void QueryRelay::tell(bool answer) {
  {
    std::lock_guard lock(mutex_);
    answer_ = answer;
    state_ = State::kAnswered;
  }
  changed_.notify_all();
}

}  // namespace posecam::gst
