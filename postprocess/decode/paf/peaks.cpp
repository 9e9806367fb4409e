#include "postprocess/decode/paf/peaks.h"

#include <algorithm>

#include "models/core/simd.h"

namespace posecam {
namespace {

bool is_maximum_of_3x3(const float* map, int width, int height, int x, int y) {
  const float value = map[std::size_t(y) * width + x];
  for (int v = std::max(0, y - 1); v <= std::min(height - 1, y + 1); ++v) {
    for (int u = std::max(0, x - 1); u <= std::min(width - 1, x + 1); ++u) {
      if (map[std::size_t(v) * width + u] > value) return false;
    }
  }
  return true;
}

// First in scan order wins a tie, so a flat top gives few peaks and a flat map one. Bitwise and: no branches, so that
// rows are tested as vectors.
inline int is_peak(const float* p, std::ptrdiff_t stride, float threshold) {
  const float v = *p;
  return int(v > threshold) & int(v > p[-1]) & int(v >= p[1]) & int(v > p[-stride]) & int(v > p[-stride - 1]) &
         int(v > p[-stride + 1]) & int(v >= p[stride]) & int(v >= p[stride - 1]) & int(v >= p[stride + 1]);
}

POSECAM_SIMD int count_peaks(const float* row, std::ptrdiff_t stride, float threshold, int n) {
  int count = 0;
  for (int i = 0; i < n; ++i) count += is_peak(row + i, stride, threshold);
  return count;
}

// Where the top is on one axis, from its first sample: the middle of a flat top (few taps leave the steps of the
// enlarged cells), else the vertex of the parabola through the neighbours, within half a step.
float top_offset(const float* p, std::ptrdiff_t step) {
  int flat = 0;
  while (flat < kEnlargement && p[(flat + 1) * step] == *p) ++flat;
  if (flat == kEnlargement) return 0;  // longer than a cell: not a step
  if (flat > 0) return 0.5F * static_cast<float>(flat);
  const float curvature = 2 * *p - p[-step] - p[step];
  return curvature > 0 ? std::clamp(0.5F * (p[step] - p[-step]) / curvature, -0.5F, 0.5F) : 0.0F;
}

}  // namespace

void find_peaks_reference(const float* smoothed, const float* raw, int width, int height, float threshold,
                          std::size_t part, PeakTable& peaks) {
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const std::size_t at = std::size_t(y) * width + x;
      if (!(smoothed[at] > threshold) || !is_maximum_of_3x3(smoothed, width, height, x, y)) continue;
      peaks.add(part, {static_cast<float>(x), static_cast<float>(y), raw[at]});
    }
  }
  peaks.finish(part);
}

void find_peaks(const PaddedPlane& smoothed, const PaddedPlane& raw, const CellBox& box, float threshold,
                std::size_t part, PeakTable& peaks) {
  const std::ptrdiff_t stride = smoothed.stride();
  const int x0 = box.x0 * kEnlargement;
  const int x1 = box.x1 * kEnlargement;
  for (int y = box.y0 * kEnlargement; y < box.y1 * kEnlargement; ++y) {
    const float* const row = smoothed.row(y);  // the border of zeros ends every flat top
    int left = count_peaks(row + x0, stride, threshold, x1 - x0);
    for (int x = x0; left > 0; ++x) {
      const float* const p = row + x;
      if (is_peak(p, stride, threshold) == 0) continue;
      --left;
      peaks.add(part, {static_cast<float>(x) + top_offset(p, 1), static_cast<float>(y) + top_offset(p, stride),
                       raw.row(y / kEnlargement)[x / kEnlargement]});
    }
  }
  peaks.finish(part);
}

}  // namespace posecam
