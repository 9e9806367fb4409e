#include "pipeline/neuron/batch_plan.h"

#include <algorithm>
#include <cassert>
#include <functional>
#include <tuple>
#include <utility>

namespace posecam {

std::chrono::nanoseconds BatchTimes::add(std::size_t index, Clock::time_point asked, Clock::time_point ended) {
  std::lock_guard lock(mutex_);
  const auto began = std::max(asked, std::min(last_end_, ended));
  last_end_ = std::max(last_end_, ended);
  const auto time = std::chrono::nanoseconds(ended - began);
  double& average = ms_[index];
  const double ms = std::chrono::duration<double, std::milli>(time).count();
  average = average > 0 ? average + (std::min(ms, 2 * average) - average) / 8 : ms;
  return time;
}

void BatchTimes::read(std::span<double> ms) const {
  std::lock_guard lock(mutex_);
  std::ranges::copy(ms_, ms.begin());
}

BatchPlanner::BatchPlanner(std::vector<std::uint32_t> sizes, std::uint32_t most)
    : sizes_(std::move(sizes)), best_(most + 1) {
  assert(!sizes_.empty() && std::ranges::is_sorted(sizes_));
  chosen_.reserve(most);
}

std::span<const std::uint32_t> BatchPlanner::plan(std::uint32_t rows, std::span<const double> ms) {
  assert(rows >= 1 && rows < best_.size() && ms.size() == sizes_.size());
  for (std::uint32_t n = 1; n <= rows; ++n) {
    for (std::uint32_t i = 0; i < sizes_.size(); ++i) {
      const std::uint32_t size = sizes_[i];
      const Best& before = best_[n > size ? n - size : 0];
      const double time = ms[i] > 0 ? ms[i] : size;
      const Best next{before.ms + time, before.runs + 1, before.padding + (n < size ? size - n : 0), i};
      const auto rank = [](const Best& b) { return std::tuple(b.ms, b.runs, b.padding); };
      if (i == 0 || rank(next) < rank(best_[n])) best_[n] = next;
    }
  }
  chosen_.clear();
  for (std::uint32_t n = rows; n > 0;) {
    chosen_.push_back(best_[n].size);
    n -= std::min(n, sizes_[best_[n].size]);
  }
  std::ranges::sort(chosen_, std::greater<>());
  return chosen_;
}

}  // namespace posecam
