#include "pipeline/neuron/sim/schedule.h"

#include <algorithm>

namespace posecam::sim {

Nanos Bookings::book(CoreRange cores, Nanos now, Nanos duration) {
  const std::lock_guard lock(mutex_);
  const auto first = free_at_.begin() + cores.first;
  const Nanos end = std::max(now, *std::max_element(first, first + cores.count)) + duration;
  std::fill_n(first, cores.count, end);
  return end;
}

Turns::Turn::Turn(Turns& turns, CoreRange cores) : turns_(turns), cores_(cores) {
  std::unique_lock lock(turns_.mutex_);
  // All numbers are drawn at once, so two who want the same cores have the same order on each of them.
  std::vector<std::uint64_t> mine(cores_.count);
  for (std::uint32_t i = 0; i < cores_.count; ++i) mine[i] = turns_.next_[cores_.first + i]++;
  turns_.moved_.wait(lock,
                     [&] { return std::equal(mine.begin(), mine.end(), turns_.serving_.begin() + cores_.first); });
}

Turns::Turn::~Turn() {
  {
    const std::lock_guard lock(turns_.mutex_);
    for (std::uint32_t i = 0; i < cores_.count; ++i) ++turns_.serving_[cores_.first + i];
  }
  turns_.moved_.notify_all();
}

}  // namespace posecam::sim
