#include "pipeline/neuron/runtime/batch_plan.h"

#include <algorithm>
#include <cassert>
#include <functional>
#include <limits>
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
    : sizes_(std::move(sizes)), most_(most), best_((std::size_t{most} + 1) * (most + 1)), least_(most + 1) {
  assert(!sizes_.empty() && std::ranges::is_sorted(sizes_));
  chosen_.reserve(most);
}

/// In any number of runs.
double BatchPlanner::least_time(std::uint32_t rows, std::span<const double> ms) {
  for (std::uint32_t n = 1; n <= rows; ++n) {
    least_[n] = std::numeric_limits<double>::infinity();
    for (std::uint32_t i = 0; i < sizes_.size(); ++i) {
      least_[n] = std::min(least_[n], time_of(i, ms) + least_[n - std::min(n, sizes_[i])]);
    }
  }
  return least_[rows];
}

/// The best ways with exactly `run` runs, from those with one less.
void BatchPlanner::add_run(std::uint32_t run, std::uint32_t rows, std::span<const double> ms) {
  best(run, 0).ms = std::numeric_limits<double>::infinity();
  for (std::uint32_t n = 1; n <= rows; ++n) {
    for (std::uint32_t i = 0; i < sizes_.size(); ++i) {
      const std::uint32_t size = sizes_[i];
      const Best& before = best(run - 1, n - std::min(n, size));
      const Best next{before.ms + time_of(i, ms), before.padding + (n < size ? size - n : 0), i};
      const auto rank = [](const Best& b) { return std::tuple(b.ms, b.padding); };
      if (i == 0 || rank(next) < rank(best(run, n))) best(run, n) = next;
    }
  }
}

std::span<const std::uint32_t> BatchPlanner::plan(std::uint32_t rows, std::span<const double> ms) {
  assert(rows >= 1 && rows <= most_ && ms.size() == sizes_.size());
  const double limit = kNear * least_time(rows, ms);
  best(0, 0) = {};
  for (std::uint32_t n = 1; n <= rows; ++n) best(0, n).ms = std::numeric_limits<double>::infinity();
  std::uint32_t runs = 0;
  do {
    add_run(++runs, rows, ms);
  } while (best(runs, rows).ms > limit);
  chosen_.clear();
  for (std::uint32_t n = rows; n > 0;) {
    const std::uint32_t size = best(runs--, n).size;
    chosen_.push_back(size);
    n -= std::min(n, sizes_[size]);
  }
  std::ranges::sort(chosen_, std::greater<>());
  return chosen_;
}

}  // namespace posecam
