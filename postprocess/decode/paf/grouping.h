#pragma once
// Limb candidates -> limbs -> people. The greedy bipartite matching of Cao et al. 2018 section 3.2, with the merging
// rules of tf-pose's pafprocess.cpp, but for its fault: there the peak of id 0 counts as absent when two partial
// people are merged; here absence is optional.

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "models/core/skeleton.h"
#include "postprocess/decode/paf/peak_table.h"

namespace posecam {

inline constexpr std::size_t kMaxLimbs = 40;  ///< of such a skeleton; BODY_25 has 26

/// A limb that its PAF supports, by the indices of its peaks within their parts.
struct LimbCandidate {
  std::uint16_t from = 0;
  std::uint16_t to = 0;
  float score = 0;  ///< mean dot product of the PAF with the limb, less a penalty for long ones
};

/// One list of limbs per limb of the skeleton, in memory that is taken once.
class Connections {
 public:
  Connections() { items_.reserve(kMaxLimbs * PeakTable::kCapacity); }

  /// For the next frame.
  void clear() {
    items_.clear();
    ends_.fill(0);
  }
  /// The limbs that were selected for this one; valid until clear().
  std::span<const LimbCandidate> of(std::size_t limb) const {
    const std::size_t begin = limb == 0 ? 0 : ends_[limb - 1];
    return std::span(items_).subspan(begin, ends_[limb] - begin);
  }

  /// Keeps of the candidates of the next limb, best first, those whose peaks no better one has taken. Sorts
  /// `candidates`. Limbs are filled in order: 0, 1, 2...
  void select(std::size_t limb, std::vector<LimbCandidate>& candidates);

 private:
  std::vector<LimbCandidate> items_;
  std::array<std::size_t, kMaxLimbs> ends_{};
};

/// A person as indices of peaks within their parts.
struct GroupedPerson {
  std::array<std::optional<std::uint16_t>, kMaxPafParts> peaks;
  int parts = 0;        ///< as pafprocess counts them: limbs that closed, plus one
  float score_sum = 0;  ///< heatmap values of the peaks plus scores of the limbs
  /// Per part: up to about 2.
  float score() const { return score_sum / static_cast<float>(parts); }
};

/// What a group must have at least to be a person.
struct GroupingLimits {
  int min_parts = 4;       ///< THRESH_PART_CNT of pafprocess
  float min_score = 0.3F;  ///< THRESH_HUMAN_SCORE, of GroupedPerson::score()
};

/// Joins the limbs to people, in no particular order. `people` is cleared and refilled.
void group_people(const Skeleton& skeleton, const PeakTable& peaks, const Connections& connections,
                  const GroupingLimits& limits, std::vector<GroupedPerson>& people);

}  // namespace posecam
