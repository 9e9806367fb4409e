#include <algorithm>

#include "postprocess/limb_score.h"
#include "postprocess/paf_decoder.h"
#include "postprocess/peaks.h"

namespace posecam {

FastPafDecoder::FastPafDecoder(const Skeleton& skeleton, const PafOptions& options)
    : skeleton_(&skeleton), options_(options), kernel_(gaussian_cell_taps(options.taps)) {
  candidates_.reserve(PeakTable::kCapacity * PeakTable::kCapacity);
  people_.reserve(skeleton.limbs.size() * PeakTable::kCapacity);
}

std::span<const GroupedPerson> FastPafDecoder::decode(const PafMaps& maps) {
  find_all_peaks(maps);
  connections_.clear();
  for (std::size_t l = 0; l < skeleton_->limbs.size(); ++l) {
    const Limb& limb = skeleton_->limbs[l];
    const PafField field{maps.paf(limb.paf_x), maps.paf(limb.paf_y), maps.width, maps.height};
    score_limbs(field, peaks_.of(limb.from), peaks_.of(limb.to), options_.paf_threshold, candidates_);
    connections_.select(l, candidates_);
  }
  group_people(*skeleton_, peaks_, connections_, options_.grouping, people_);
  return people_;
}

void FastPafDecoder::find_all_peaks(const PafMaps& maps) {
  peaks_.clear();
  if (maps.plane() == 0) return;
  const int border = std::max<int>(1, static_cast<int>(kernel_.size() / 2));
  raw_.reset(maps.width, maps.height, border);
  smoothed_.reset(maps.width, maps.height, border);
  for (std::size_t part = 0; part < skeleton_->parts.size(); ++part) {
    if (load_plane(maps.heatmap(part), options_.threshold, raw_) == 0) continue;
    smooth_separable(raw_, kernel_, row_, smoothed_);
    find_peaks(smoothed_, raw_, options_.threshold, part, peaks_);
  }
}

}  // namespace posecam
