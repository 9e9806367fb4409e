#pragma once
// Quantiles of durations in constant memory: logarithmic buckets, 5 % wide.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>

namespace posecam {

/// Not thread-safe. Values in milliseconds from 1 us to 10 minutes; others count as the nearest of these.
class Histogram {
 public:
  /// One value, NaN as the smallest.
  void add(float ms) {
    ++buckets_[index_of(ms)];
    ++count_;
  }

  /// All values of another one.
  void add(const Histogram& other) {
    for (std::size_t i = 0; i < kBuckets; ++i) buckets_[i] += other.buckets_[i];
    count_ += other.count_;
  }

  std::uint64_t count() const { return count_; }  ///< values added so far

  /// The value that a share `q` of all does not exceed, to 2.5 %; 0 when empty.
  double quantile(double q) const {
    if (count_ == 0) return 0;
    const double wanted = std::max(1.0, std::ceil(q * static_cast<double>(count_)));
    std::uint64_t seen = 0;
    std::size_t i = 0;
    while (i + 1 < buckets_.size() && static_cast<double>(seen += buckets_[i]) < wanted) ++i;
    return kLowest * std::exp((static_cast<double>(i) + 0.5) * kLogWidth);
  }

 private:
  static constexpr double kLowest = 1e-3;
  static constexpr double kLogWidth = 0.05;
  static constexpr std::size_t kBuckets = 405;  // ln(6e5 / 1e-3) / 0.05 = 404.2

  static std::size_t index_of(float ms) {
    if (!(ms > kLowest)) return 0;
    const double i = std::log(static_cast<double>(ms) / kLowest) / kLogWidth;
    return static_cast<std::size_t>(std::min(i, static_cast<double>(kBuckets - 1)));
  }

  std::array<std::uint64_t, kBuckets> buckets_{};
  std::uint64_t count_ = 0;
};

}  // namespace posecam
