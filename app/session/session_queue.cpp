#include "app/session/session_queue.h"

#include <algorithm>
#include <sys/resource.h>
#include <thread>
#include <utility>

namespace posecam {
namespace {

/// What one input takes with all of its outputs, and what the process has besides (libraries, the device, the model).
constexpr rlim_t kDescriptorsOfAnInput = 24;
constexpr rlim_t kDescriptorsOfOurs = 100;

}  // namespace

SessionQueue::SessionQueue(std::vector<SessionSpec> specs, std::size_t most, QueueEvents events, std::stop_token stop)
    : specs_(std::move(specs)),
      most_(std::max<std::size_t>(most, 1)),
      events_(std::move(events)),
      stop_(std::move(stop)) {}

Result<std::unique_ptr<Session>> SessionQueue::open_next() {
  const std::size_t place = next_++;
  const auto note_end = [this, place] {
    const std::lock_guard lock(mutex_);
    ended_.push_back(place);
    changed_.notify_all();
  };
  auto session = Session::create(std::move(specs_[place]),
                                 {.warn = events_.warn, .also_failed = events_.also_failed, .finished = note_end});
  if (!session) return session;
  if (auto opened = (*session)->open(stop_); !opened) return opened.error();
  return session;
}

Result<void> SessionQueue::prepare() {
  while (next_ < std::min(most_, specs_.size())) {
    const std::size_t place = next_;
    auto session = open_next();
    if (!session) {
      open_.clear();
      return session.error();
    }
    open_.emplace(place, *std::move(session));
  }
  return {};
}

void SessionQueue::play(std::chrono::milliseconds period, const std::function<void(const QueueProgress&)>& show) {
  for (const auto& [place, session] : open_) session->play();
  const std::stop_callback stop(stop_, [this] { stop_all(); });
  while (!open_.empty()) {
    std::vector<std::size_t> ended;
    {
      std::unique_lock lock(mutex_);
      changed_.wait_for(lock, period, [this] { return !ended_.empty(); });
      ended.swap(ended_);
    }
    for (const std::size_t place : ended) retire(place);
    show(progress());
  }
}

/// The next takes its place first, so that the model stays where it is.
void SessionQueue::retire(std::size_t place) {
  const Session& session = *open_.at(place);
  session.wait();
  play_one_more();
  frames_of_ended_ += session.stats().frames;
  events_.ended(place, session);
  std::unique_ptr<Session> gone;  // destroyed without the lock
  const std::lock_guard lock(mutex_);
  gone = std::move(open_.extract(place).mapped());
  if (next_ == specs_.size() || stop_.stop_requested())
    done_.push_back(std::move(gone));  // the device of the last may hang while it is closed
}

void SessionQueue::play_one_more() {
  while (next_ < specs_.size() && !stop_.stop_requested()) {
    const std::size_t place = next_;
    auto session = open_next();
    if (!session) {
      if (session.error().code != Errc::kCancelled) events_.not_opened(place, session.error());
      continue;
    }
    const std::lock_guard lock(mutex_);
    Session& playing = *open_.emplace(place, *std::move(session)).first->second;
    playing.play();
    if (stop_.stop_requested()) playing.stop();
    return;
  }
}

void SessionQueue::stop_all() {
  const std::lock_guard lock(mutex_);
  for (const auto& [place, session] : open_) session->stop();
}

QueueProgress SessionQueue::progress() {
  QueueProgress all{.frames = frames_of_ended_, .total = frames_of_ended_};
  if (next_ < specs_.size()) all.total.reset();
  for (const auto& [place, session] : open_) {
    const StreamStats stats = session->stats();
    const auto expected = session->expected_frames();
    all.frames += stats.frames;
    all.people += session->finished() ? 0 : stats.people;
    all.seconds = std::max(all.seconds, stats.seconds);
    if (!expected) all.total.reset();
    if (all.total) *all.total += *expected;
  }
  return all;
}

std::vector<std::string> SessionQueue::not_begun() const {
  std::vector<std::string> names;
  for (std::size_t place = next_; place < specs_.size(); ++place) names.push_back(specs_[place].input.given);
  return names;
}

std::size_t least_inputs_at_once(const std::vector<SessionSpec>& specs) {
  const auto may_go_on = [](const SessionSpec& spec) {
    const InputKind kind = spec.input.kind;
    const bool endless = kind == InputKind::kTestSource && spec.max_frames == 0;
    return endless || kind == InputKind::kCamera || kind == InputKind::kAddress || kind == InputKind::kPipe ||
           spec.input.repeats;
  };
  const auto endless = static_cast<std::size_t>(std::ranges::count_if(specs, may_go_on));
  return endless < specs.size() ? endless + 1 : endless;
}

std::size_t usual_inputs_at_once() {
  const std::size_t wished = std::max<std::size_t>(16, 2 * std::size_t{std::thread::hardware_concurrency()});
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return wished;
  const rlim_t left = limit.rlim_cur > kDescriptorsOfOurs ? limit.rlim_cur - kDescriptorsOfOurs : 0;
  return std::clamp<std::size_t>(left / kDescriptorsOfAnInput, 1, wished);
}

}  // namespace posecam
