#include "postprocess/decode/paf/gaussian.h"

#include <algorithm>
#include <cmath>

#include "models/core/simd.h"

namespace posecam {
namespace {

double normal_cdf(double x) { return 0.5 * std::erfc(-x / std::sqrt(2.0)); }

POSECAM_SIMD void accumulate(const float* __restrict in, float weight, int n, float* __restrict out) {
  for (int i = 0; i < n; ++i) out[i] += weight * in[i];
}

// `n` outputs of a filter whose samples lie `step` apart: rows (step = stride) or columns (step = 1).
POSECAM_SIMD void filter(const float* __restrict in, std::ptrdiff_t step, const float* __restrict taps, int count,
                         int n, float* __restrict out) {
  for (int i = 0; i < n; ++i) out[i] = taps[0] * in[i];
  for (int t = 1; t < count; ++t) {
    const float* __restrict from = in + t * step;
    const float w = taps[t];
    for (int i = 0; i < n; ++i) out[i] += w * from[i];
  }
}

POSECAM_SIMD int copy_sane(const float* __restrict in, float threshold, int n, float* __restrict out) {
  int above = 0;
  for (int i = 0; i < n; ++i) {
    const float v = std::abs(in[i]) <= kSaneValue ? in[i] : 0.0F;  // false for NaN
    out[i] = v;
    above += v > threshold ? 1 : 0;
  }
  return above;
}

// One plane a phase -> one row that takes their elements in turn.
POSECAM_SIMD void interleave(const float* __restrict planes, std::ptrdiff_t n, float* __restrict out) {
  static_assert(kEnlargement == 4);
  for (std::ptrdiff_t i = 0; i < n; ++i) {
    out[4 * i] = planes[i];
    out[4 * i + 1] = planes[n + i];
    out[4 * i + 2] = planes[2 * n + i];
    out[4 * i + 3] = planes[3 * n + i];
  }
}

}  // namespace

std::vector<float> gaussian_taps(int taps) {
  constexpr double kSigmas = 3.0;
  const double interval = (2 * kSigmas + 1) / taps;
  const double first = -kSigmas - interval / 2;
  const double step = -2 * first / taps;
  std::vector<double> mass(static_cast<std::size_t>(taps));
  double sum = 0;
  for (int i = 0; i < taps; ++i) {
    mass[i] = std::sqrt(normal_cdf(first + (i + 1) * step) - normal_cdf(first + i * step));
    sum += mass[i];
  }
  std::vector<float> kernel(mass.size());
  for (std::size_t i = 0; i < mass.size(); ++i) kernel[i] = static_cast<float>(mass[i] / sum);
  return kernel;
}

PhaseKernels phase_kernels(int taps) {
  const std::vector<float> fine = gaussian_taps(taps);
  const int reach = taps / kEnlargement + 2;
  std::array<std::vector<double>, kEnlargement> sums;
  PhaseKernels kernels;
  for (int phase = 0; phase < kEnlargement; ++phase) {
    sums[phase].resize(std::size_t(reach) * 2 + 1);
    for (int t = 0; t < taps; ++t) {
      const int cell = (phase + t - (taps - 1) / 2 + reach * kEnlargement) / kEnlargement;
      sums[phase][cell] += static_cast<double>(fine[t]);
      kernels.radius = std::max(kernels.radius, std::abs(cell - reach));
    }
  }
  for (int phase = 0; phase < kEnlargement; ++phase) {
    const auto centre = sums[phase].begin() + reach;
    for (auto tap = centre - kernels.radius; tap <= centre + kernels.radius; ++tap) {
      kernels.phases[phase].push_back(static_cast<float>(*tap));
    }
  }
  return kernels;
}

void smooth_full(const float* in, int width, int height, const std::vector<float>& kernel_2d, int taps, float* out) {
  std::fill_n(out, std::size_t(width) * height, 0.0F);
  const int before = (taps - 1) / 2;
  for (int y = 0; y < height; ++y) {
    float* const to = out + std::size_t(y) * width;
    for (int ky = std::max(0, before - y); ky < std::min(taps, height + before - y); ++ky) {
      const float* const from = in + std::size_t(y + ky - before) * width;
      for (int kx = 0; kx < taps; ++kx) {
        const int shift = kx - before;
        const int x0 = std::max(0, -shift);
        const int n = std::min(width, width - shift) - x0;
        if (n > 0) accumulate(from + x0 + shift, kernel_2d[std::size_t(ky) * taps + kx], n, to + x0);
      }
    }
  }
}

void PaddedPlane::reset(int width, int height, int border) {
  if (width == width_ && height == height_ && border == border_) return;
  constexpr int kAlign = 16;  // floats in a cache line
  width_ = width;
  height_ = height;
  border_ = border;
  stride_ = (width + 2 * border + kAlign - 1) / kAlign * kAlign;
  data_.assign(std::size_t(stride_) * (height + 2 * border), 0.0F);
}

CellBox load_plane(const float* in, float threshold, PaddedPlane& out) {
  const int width = out.width();
  CellBox box{width, out.height(), 0, 0};
  for (int y = 0; y < out.height(); ++y) {
    float* const row = out.row(y);
    if (copy_sane(in + std::size_t(y) * width, threshold, width, row) == 0) continue;
    box.y0 = std::min(box.y0, y);
    box.y1 = y + 1;
    const auto above = [threshold](float v) { return v > threshold; };
    box.x0 = std::min(box.x0, static_cast<int>(std::find_if(row, row + width, above) - row));
    int last = width;
    while (!above(row[last - 1])) --last;
    box.x1 = std::max(box.x1, last);
  }
  return box;
}

void smooth_enlarged(const PaddedPlane& in, const PhaseKernels& kernels, const CellBox& box,
                     std::vector<float>& scratch, PaddedPlane& out) {
  const int count = 2 * kernels.radius + 1;
  const int cells = box.x1 - box.x0;
  const int padded = cells + 2 * kernels.radius;
  scratch.resize(std::size_t(in.width()) * (1 + kEnlargement) + std::size_t(kernels.radius) * 2);
  float* const column_sums = scratch.data();
  float* const planes = column_sums + padded;
  for (int y = box.y0 * kEnlargement; y < box.y1 * kEnlargement; ++y) {
    const float* const first = in.row(y / kEnlargement - kernels.radius) + box.x0 - kernels.radius;
    filter(first, in.stride(), kernels.phases[y % kEnlargement].data(), count, padded, column_sums);
    for (int p = 0; p < kEnlargement; ++p) {
      filter(column_sums, 1, kernels.phases[p].data(), count, cells, planes + std::ptrdiff_t(p) * cells);
    }
    interleave(planes, cells, out.row(y) + std::ptrdiff_t(box.x0) * kEnlargement);
  }
}

}  // namespace posecam
