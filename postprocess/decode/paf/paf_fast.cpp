#include "postprocess/decode/paf/limb_score.h"
#include "postprocess/decode/paf/paf_decoder.h"
#include "postprocess/decode/paf/peaks.h"

namespace posecam {

FastPafDecoder::FastPafDecoder(const Skeleton& skeleton, const PafOptions& options)
    : skeleton_(&skeleton), options_(options), kernels_(phase_kernels(options.taps)) {
  candidates_.reserve(PeakTable::kCapacity * PeakTable::kCapacity);
  people_.reserve(skeleton.limbs.size() * PeakTable::kCapacity);
}

std::span<const GroupedPerson> FastPafDecoder::decode(const PafMaps& maps) {
  StageLaps laps;
  find_all_peaks(maps, laps);
  connections_.clear();
  for (std::size_t l = 0; l < skeleton_->limbs.size(); ++l) {
    const Limb& limb = skeleton_->limbs[l];
    const PafField field{maps.paf(limb.paf_x), maps.paf(limb.paf_y), maps.width, maps.height};
    score_limbs(field, peaks_.of(limb.from), peaks_.of(limb.to), options_.paf_threshold, candidates_);
    connections_.select(l, candidates_);
  }
  group_people(*skeleton_, peaks_, connections_, options_.grouping, people_);
  laps.lap(Stage::kGrouping);
  return people_;
}

void FastPafDecoder::find_all_peaks(const PafMaps& maps, StageLaps& laps) {
  peaks_.clear();
  if (maps.plane() == 0) return;
  raw_.reset(maps.width, maps.height, kernels_.radius);
  smoothed_.reset(maps.width * kEnlargement, maps.height * kEnlargement, 1);
  for (std::size_t part = 0; part < skeleton_->parts.size(); ++part) {
    const CellBox above = load_plane(maps.heatmap(part), options_.threshold, raw_);
    if (above.empty()) continue;
    // One cell more than a peak can lie in, so that its neighbours are of this part too.
    const int reach = kernels_.radius;
    smooth_enlarged(raw_, kernels_, above.grown(reach + 1, maps.width, maps.height), scratch_, smoothed_);
    laps.lap(Stage::kSmoothing);
    const CellBox search = above.grown(reach, maps.width, maps.height);
    find_peaks(smoothed_, raw_, search, options_.threshold, part, peaks_);
    laps.lap(Stage::kPeaks);
  }
}

}  // namespace posecam
