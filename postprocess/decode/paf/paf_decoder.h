#pragma once
// Heatmaps and part affinity fields of one frame -> people, in two ways with one interface: FastPafDecoder is ours,
// ReferencePafDecoder takes tf-pose's own steps.

#include <span>
#include <vector>

#include "models/core/skeleton.h"
#include "models/core/stage_log.h"
#include "postprocess/decode/paf/gaussian.h"
#include "postprocess/decode/paf/grouping.h"
#include "postprocess/decode/paf/peak_table.h"

namespace posecam {

/// Dense f32 planes of height x width cells, one after the other: a heatmap for each part of the skeleton (a background
/// channel may follow), and the PAF channels that its limbs name. Borrowed. Any content, any size from 0x0.
struct PafMaps {
  const float* heatmaps = nullptr;
  const float* pafs = nullptr;
  int width = 0;
  int height = 0;

  /// The first value of a plane.
  const float* heatmap(std::size_t part) const { return heatmaps + part * plane(); }
  const float* paf(std::size_t channel) const { return pafs + channel * plane(); }
  /// Values of one plane.
  std::size_t plane() const { return static_cast<std::size_t>(width) * static_cast<std::size_t>(height); }
};

/// Thresholds of both decoders; defaults are tf-pose's.
struct PafOptions {
  float threshold = 0.05F;      ///< a peak is above this (THRESH_HEAT of pafprocess)
  float paf_threshold = 0.05F;  ///< a PAF sample that counts is above this (THRESH_VECTOR_SCORE)
  int taps = 25;                ///< of the Gaussian on tf-pose's enlarged map, 1..kMaxTaps, in both decoders
  GroupingLimits grouping;      ///< which groups are people
};

/// The same peaks as the reference without enlarging a map (smooth_enlarged), refined to sub-pixels, grouped without
/// allocation; nothing allocates while the map size stays.
class FastPafDecoder {
 public:
  FastPafDecoder(const Skeleton& skeleton, const PafOptions& options);

  /// The people of one frame, in no particular order; valid until the next call.
  std::span<const GroupedPerson> decode(const PafMaps& maps);
  /// The peaks their indices point to, in pixels of the enlarged map, fractions allowed.
  const PeakTable& peaks() const { return peaks_; }
  static constexpr int kPixelsPerCell = kEnlargement;  ///< of that map

 private:
  void find_all_peaks(const PafMaps& maps, StageLaps& laps);

  const Skeleton* skeleton_;
  PafOptions options_;
  PhaseKernels kernels_;
  PaddedPlane raw_;
  PaddedPlane smoothed_;
  std::vector<float> scratch_;
  PeakTable peaks_;
  std::vector<LimbCandidate> candidates_;
  Connections connections_;
  std::vector<GroupedPerson> people_;
};

/// tf-pose's steps (tensblur, estimator.py, pafprocess.cpp): heatmaps enlarged kEnlargement times by repetition, the
/// full 2-D Gaussian, maxima of 3x3, grouping. Slow by nature; to compare with.
class ReferencePafDecoder {
 public:
  ReferencePafDecoder(const Skeleton& skeleton, const PafOptions& options);

  /// As FastPafDecoder::decode.
  std::span<const GroupedPerson> decode(const PafMaps& maps);
  /// In pixels of the enlarged map: whole numbers.
  const PeakTable& peaks() const { return peaks_; }
  static constexpr int kPixelsPerCell = kEnlargement;  ///< of that map

 private:
  void find_all_peaks(const PafMaps& maps, StageLaps& laps);

  const Skeleton* skeleton_;
  PafOptions options_;
  std::vector<float> kernel_2d_;
  std::vector<float> enlarged_;
  std::vector<float> smoothed_;
  PeakTable peaks_;
  std::vector<LimbCandidate> candidates_;
  Connections connections_;
  std::vector<GroupedPerson> people_;
};

}  // namespace posecam
