#include "pipeline/neuron/sim/deferred.h"

#include <algorithm>
#include <new>
#include <utility>

namespace posecam::sim {

Deferred::Deferred(std::uint32_t cores, std::uint32_t in_flight)
    : in_flight_(in_flight), queues_(in_flight > 0 ? cores : 0) {
  for (std::uint32_t core = 0; core < queues_.size(); ++core) {
    threads_.emplace_back([this, core](std::stop_token stop) { serve(core, std::move(stop)); });
  }
}

Deferred::~Deferred() {
  drain(-1);
  for (auto& thread : threads_) thread.request_stop();
}

void Deferred::add(std::uint32_t core, std::uint32_t model_id, std::function<NRT_STATUS()> execution) {
  std::unique_lock lock(mutex_);
  moved_.wait(lock, [&] { return queues_[core].size() < in_flight_; });
  queues_[core].push_back({++last_id_, model_id, std::move(execution)});
  moved_.notify_all();
}

void Deferred::tell(NRT_ASYNC_EXEC_STATUS_CALLBACK callback, void* params) {
  const std::lock_guard lock(mutex_);
  callback_ = callback;
  params_ = params;
}

void Deferred::drain(std::int32_t core) {
  std::unique_lock lock(mutex_);
  moved_.wait(lock, [&] {
    if (core < 0) return std::ranges::all_of(queues_, &std::deque<Job>::empty);
    return static_cast<std::size_t>(core) >= queues_.size() || queues_[static_cast<std::size_t>(core)].empty();
  });
}

void Deferred::serve(std::uint32_t core, std::stop_token stop) {
  std::unique_lock lock(mutex_);
  while (moved_.wait(lock, stop, [&] { return !queues_[core].empty(); })) {
    const Job& job = queues_[core].front();  // stays where it is: only this thread takes from the front
    lock.unlock();
    NRT_STATUS status = NRT_FAILURE;
    try {
      status = job.execution();
    } catch (const std::bad_alloc&) {
      status = NRT_RESOURCE;
    }
    lock.lock();
    const auto [callback, params] = std::pair(callback_, params_);
    lock.unlock();
    if (callback) callback(params, job.model_id, core, job.id, status);
    lock.lock();
    queues_[core].pop_front();
    moved_.notify_all();
  }
}

}  // namespace posecam::sim
