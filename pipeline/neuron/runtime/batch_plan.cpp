#include "pipeline/neuron/runtime/batch_plan.h"

#include <algorithm>
#include <cassert>
#include <functional>
#include <tuple>
#include <utility>

namespace posecam {

std::chrono::nanoseconds BatchTimes::add(std::size_t index, Clock::time_point asked, Clock::time_point ended) {
  std::lock_guard lock(mutex_);
  const auto time = own_time(asked, ended);
  Size& size = sizes_[index];
  const double ms = std::chrono::duration<double, std::milli>(time).count();
  const bool known = size.ms > 0 && !std::exchange(size.replace, false);
  size.ms = known ? size.ms + (std::min(ms, 2 * size.ms) - size.ms) / 8 : ms;
  size.last_run = ++runs_;
  return time;
}

void BatchTimes::start(std::size_t index, Clock::time_point asked, Clock::time_point ended) {
  std::lock_guard lock(mutex_);
  const double ms = std::chrono::duration<double, std::milli>(own_time(asked, ended)).count();
  double& least = sizes_[index].ms;
  least = least > 0 ? std::min(least, ms) : ms;
}

std::chrono::nanoseconds BatchTimes::own_time(Clock::time_point asked, Clock::time_point ended) {
  const auto began = std::max(asked, std::min(last_end_, ended));
  last_end_ = std::max(last_end_, ended);
  return ended - began;
}

bool BatchTimes::known() const {
  std::lock_guard lock(mutex_);
  return std::ranges::any_of(sizes_, [](const Size& size) { return size.ms > 0; });
}

void BatchTimes::read(std::span<double> ms) const {
  std::lock_guard lock(mutex_);
  std::ranges::transform(sizes_, ms.begin(), &Size::ms);
}

std::optional<std::size_t> BatchTimes::look_again(std::span<const std::uint32_t> sizes, std::uint32_t rows) {
  std::lock_guard lock(mutex_);
  for (std::size_t i = sizes_.size(); i-- > 0;) {
    Size& size = sizes_[i];
    if (sizes[i] > rows || runs_ - size.last_run < kLookAgain) continue;
    size.last_run = runs_;  // once, not by every slot
    size.replace = true;
    return i;
  }
  return {};
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
