#include "postprocess/peaks.h"

#include <algorithm>

#include "postprocess/simd.h"

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

POSECAM_SIMD int count_above(const float* __restrict row, float threshold, int n) {
  int above = 0;
  for (int i = 0; i < n; ++i) above += row[i] > threshold ? 1 : 0;
  return above;
}

// First in scan order wins a tie, so a flat top gives few peaks and a flat map one.
bool is_peak(const float* p, int stride) {
  const float v = *p;
  return v > p[-1] && v >= p[1] && v > p[-stride] && v > p[-stride - 1] && v > p[-stride + 1] && v >= p[stride] &&
         v >= p[stride - 1] && v >= p[stride + 1];
}

// Vertex of the parabola through three samples, of which the middle one is the greatest; within half a step.
float vertex(float before, float at, float after) {
  const float curvature = 2 * at - before - after;
  return curvature > 0 ? std::clamp(0.5F * (after - before) / curvature, -0.5F, 0.5F) : 0.0F;
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

void find_peaks(const PaddedPlane& smoothed, const PaddedPlane& raw, float threshold, std::size_t part,
                PeakTable& peaks) {
  const int stride = smoothed.stride();
  for (int y = 0; y < smoothed.height(); ++y) {
    const float* const row = smoothed.row(y);
    if (count_above(row, threshold, smoothed.width()) == 0) continue;
    for (int x = 0; x < smoothed.width(); ++x) {
      const float* const p = row + x;
      if (!(*p > threshold) || !is_peak(p, stride)) continue;
      peaks.add(part, {static_cast<float>(x) + vertex(p[-1], *p, p[1]),
                       static_cast<float>(y) + vertex(p[-stride], *p, p[stride]), raw.row(y)[x]});
    }
  }
  peaks.finish(part);
}

}  // namespace posecam
