#include <cmath>

#include "postprocess/decode/paf/limb_score.h"
#include "postprocess/decode/paf/paf_decoder.h"
#include "postprocess/decode/paf/peaks.h"

namespace posecam {
namespace {

// Repetition: what TensorFlow's resize_area does for whole factors. Values that are no numbers become 0.
void enlarge(const float* in, int width, int height, float* out) {
  const int wide = width * kEnlargement;
  for (int y = 0; y < height * kEnlargement; ++y) {
    const float* const row = in + std::size_t(y / kEnlargement) * width;
    for (int x = 0; x < wide; ++x) {
      const float v = row[x / kEnlargement];
      out[std::size_t(y) * wide + x] = std::abs(v) <= kSaneValue ? v : 0.0F;
    }
  }
}

std::vector<float> outer_product(const std::vector<float>& taps) {
  std::vector<float> kernel;
  kernel.reserve(taps.size() * taps.size());
  for (const float y : taps) {
    for (const float x : taps) kernel.push_back(y * x);
  }
  return kernel;
}

}  // namespace

ReferencePafDecoder::ReferencePafDecoder(const Skeleton& skeleton, const PafOptions& options)
    : skeleton_(&skeleton), options_(options), kernel_2d_(outer_product(gaussian_taps(options.taps))) {}

std::span<const GroupedPerson> ReferencePafDecoder::decode(const PafMaps& maps) {
  StageLaps laps;
  find_all_peaks(maps, laps);
  connections_.clear();
  for (std::size_t l = 0; l < skeleton_->limbs.size(); ++l) {
    const Limb& limb = skeleton_->limbs[l];
    const PafField field{maps.paf(limb.paf_x), maps.paf(limb.paf_y), maps.width, maps.height};
    score_limbs_reference(field, peaks_.of(limb.from), peaks_.of(limb.to), options_.paf_threshold, candidates_);
    connections_.select(l, candidates_);
  }
  group_people(*skeleton_, peaks_, connections_, options_.grouping, people_);
  laps.lap(Stage::kGrouping);
  return people_;
}

void ReferencePafDecoder::find_all_peaks(const PafMaps& maps, StageLaps& laps) {
  peaks_.clear();
  const int width = maps.width * kEnlargement;
  const int height = maps.height * kEnlargement;
  enlarged_.resize(std::size_t(width) * height);
  smoothed_.resize(enlarged_.size());
  for (std::size_t part = 0; part < skeleton_->parts.size(); ++part) {
    enlarge(maps.heatmap(part), maps.width, maps.height, enlarged_.data());
    smooth_full(enlarged_.data(), width, height, kernel_2d_, options_.taps, smoothed_.data());
    laps.lap(Stage::kSmoothing);
    find_peaks_reference(smoothed_.data(), enlarged_.data(), width, height, options_.threshold, part, peaks_);
    laps.lap(Stage::kPeaks);
  }
}

}  // namespace posecam
