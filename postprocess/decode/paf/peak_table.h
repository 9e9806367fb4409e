#pragma once
// The peaks of every part of one frame, at most kCapacity a part, in memory that is taken once.

#include <algorithm>
#include <array>
#include <span>
#include <vector>

namespace posecam {

inline constexpr std::size_t kMaxPafParts = 32;  ///< of a skeleton whose people are grouped by PAFs

/// A candidate for a keypoint. Position in the pixels of the map it was found on, 0 = centre of the first pixel.
struct Peak {
  float x = 0;
  float y = 0;
  float score = 0;  ///< raw heatmap value
};

/// An image with more people than POSE_MAX_PEOPLE of OpenPose (127) is not one we have to get right; noise is cut off
/// here, so that time and memory of everything after are bounded.
class PeakTable {
 public:
  static constexpr std::size_t kCapacity = 128;  ///< peaks of one part

  PeakTable() : peaks_(kMaxPafParts * kCapacity) {}

  void clear() { counts_.fill(0); }  ///< for the next frame

  /// The peaks of a part; an index into it is a peak's id. Valid until the table changes.
  std::span<const Peak> of(std::size_t part) const { return {peaks_.data() + part * kCapacity, counts_[part]}; }

  /// Adds a peak; when the part is full, the one of least score goes.
  void add(std::size_t part, const Peak& peak) {
    Peak* const first = peaks_.data() + part * kCapacity;
    if (counts_[part] < kCapacity) {
      first[counts_[part]++] = peak;
      if (counts_[part] == kCapacity) std::make_heap(first, first + kCapacity, better);
      return;
    }
    if (peak.score <= first->score) return;
    std::pop_heap(first, first + kCapacity, better);
    first[kCapacity - 1] = peak;
    std::push_heap(first, first + kCapacity, better);
  }

  /// Restores the order of scanning, which a part that overflowed has lost; ids then do not depend on scores.
  void finish(std::size_t part) {
    if (counts_[part] < kCapacity) return;
    Peak* const first = peaks_.data() + part * kCapacity;
    std::sort(first, first + kCapacity,
              [](const Peak& a, const Peak& b) { return a.y != b.y ? a.y < b.y : a.x < b.x; });
  }

 private:
  static bool better(const Peak& a, const Peak& b) { return a.score > b.score; }

  std::vector<Peak> peaks_;
  std::array<std::size_t, kMaxPafParts> counts_{};
};

}  // namespace posecam
