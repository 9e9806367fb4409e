#pragma once
// Executions that nrt_execute only queued: what runtimes 2.15 to 2.33 do where
// NEURON_RT_ASYNC_EXEC_MAX_INFLIGHT_REQUESTS is above 0. Their outputs are late, and their status reaches a callback
// only.

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

#include "pipeline/neuron/nrt/nrt_abi.h"

namespace posecam::sim {

/// A queue for each core, served by a thread of its own in the order of arrival. Thread-safe.
class Deferred {
 public:
  /// `in_flight`: how many executions a core may have, the running one included; 0: nothing is ever queued.
  Deferred(std::uint32_t cores, std::uint32_t in_flight);
  /// Everything that is queued runs first.
  ~Deferred();
  Deferred(const Deferred&) = delete;
  Deferred& operator=(const Deferred&) = delete;

  /// Whether nrt_execute queues.
  bool on() const { return in_flight_ > 0; }
  /// Queues `execution` on a core of the process; blocks while that has as many as it may. `model_id` is passed on to
  /// the callback.
  void add(std::uint32_t core, std::uint32_t model_id, std::function<NRT_STATUS()> execution);
  /// Who hears of each execution that is over, on the core's thread. Null: nobody.
  void tell(NRT_ASYNC_EXEC_STATUS_CALLBACK callback, void* params);
  /// Returns when nothing is queued on the core; negative: on none.
  void drain(std::int32_t core);

 private:
  struct Job {
    std::uint64_t id = 0;
    std::uint32_t model_id = 0;
    std::function<NRT_STATUS()> execution;
  };
  void serve(std::uint32_t core, std::stop_token stop);

  const std::uint32_t in_flight_;
  std::mutex mutex_;
  std::condition_variable_any moved_;
  std::vector<std::deque<Job>> queues_;  ///< by core; the front one runs
  std::uint64_t last_id_ = 0;
  NRT_ASYNC_EXEC_STATUS_CALLBACK callback_ = nullptr;
  void* params_ = nullptr;
  std::vector<std::jthread> threads_;  // last: joined before what they use goes away
};

}  // namespace posecam::sim
