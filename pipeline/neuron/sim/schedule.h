#pragma once
// When cores are free. A core does one thing at a time, in the order of arrival; different cores do theirs in parallel.

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <vector>

#include "pipeline/neuron/machine/faults.h"
#include "pipeline/neuron/sim/clock.h"

namespace posecam::sim {

/// Times by booking: nobody waits for anybody, everybody learns when he is done. Thread-safe.
class Bookings {
 public:
  explicit Bookings(std::uint32_t cores) : free_at_(cores, 0) {}

  /// Books neighbouring cores for `duration` from when all are free, at the earliest `now`; returns the end.
  Nanos book(CoreRange cores, Nanos now, Nanos duration);

 private:
  std::mutex mutex_;
  std::vector<Nanos> free_at_;
};

/// Turns: for work that takes as long as it takes. Thread-safe.
class Turns {
 public:
  explicit Turns(std::uint32_t cores) : next_(cores, 0), serving_(cores, 0) {}

  /// Holds its cores until it is destroyed.
  class Turn {
   public:
    /// Waits until every earlier turn on these cores is over.
    Turn(Turns& turns, CoreRange cores);
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    ~Turn();

   private:
    Turns& turns_;
    CoreRange cores_;
  };

 private:
  std::mutex mutex_;
  std::condition_variable moved_;
  std::vector<std::uint64_t> next_;     ///< by core: the number of the next to come
  std::vector<std::uint64_t> serving_;  ///< by core: the number of the one that may work
};

}  // namespace posecam::sim
