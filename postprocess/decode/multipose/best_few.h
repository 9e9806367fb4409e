#pragma once
// The best of many values, in memory and time that do not grow with how many there are.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace posecam {

/// A value and what it belongs to.
struct Ranked {
  float value = 0;
  std::uint32_t index = 0;
};

/// Keeps the `most` largest of what is added (not NaN); of equal ones those of the lower index, as TopK operators do.
class BestFew {
 public:
  explicit BestFew(std::size_t most) : most_(most) { kept_.reserve(2 * most); }

  void clear() { kept_.clear(); }

  /// Halving a list of twice the bound costs O(1) a value on average, a heap O(log n).
  void add(Ranked item) {
    if (kept_.size() == 2 * most_) {
      std::nth_element(kept_.begin(), kept_.begin() + static_cast<std::ptrdiff_t>(most_), kept_.end(), before);
      kept_.resize(most_);
    }
    kept_.push_back(item);
  }

  /// Best first; valid until the next call.
  std::span<const Ranked> finish() {
    std::sort(kept_.begin(), kept_.end(), before);
    if (kept_.size() > most_) kept_.resize(most_);
    return kept_;
  }

 private:
  static bool before(const Ranked& a, const Ranked& b) {
    return a.value != b.value ? a.value > b.value : a.index < b.index;
  }

  std::size_t most_;
  std::vector<Ranked> kept_;
};

}  // namespace posecam
