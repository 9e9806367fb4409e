#include "pipeline/backend/errand.h"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

namespace posecam {
namespace {

std::atomic<int> g_left_behind = 0;

}  // namespace

struct Errand::State {
  std::mutex mutex;
  std::condition_variable_any changed;
  bool done = false;
  bool left_behind = false;

  void finish() {
    const std::lock_guard lock(mutex);
    done = true;
    if (left_behind) --g_left_behind;
    changed.notify_all();
  }
};

Errand::Errand(std::function<void()> work)
    : state_(std::make_shared<State>()), thread_([state = state_, work = std::move(work)]() mutable {
        work();
        work = nullptr;  // what it holds goes before anybody is told
        state->finish();
      }) {}

Errand::~Errand() {
  if (!thread_.joinable()) return;
  const std::lock_guard lock(state_->mutex);
  if (!state_->done) {
    state_->left_behind = true;
    ++g_left_behind;
  }
  thread_.detach();
}

bool Errand::wait_for(std::chrono::milliseconds limit, std::stop_token stop) {
  {
    std::unique_lock lock(state_->mutex);
    if (!state_->changed.wait_for(lock, std::move(stop), limit, [this] { return state_->done; })) return false;
  }
  if (thread_.joinable()) thread_.join();
  return true;
}

bool Errand::any_left_behind() { return g_left_behind > 0; }

}  // namespace posecam
