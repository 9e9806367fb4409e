#include "postprocess/gaussian.h"

#include <algorithm>
#include <cmath>

#include "postprocess/simd.h"

namespace posecam {
namespace {

double normal_cdf(double x) { return 0.5 * std::erfc(-x / std::sqrt(2.0)); }

POSECAM_SIMD void accumulate(const float* __restrict in, float weight, int n, float* __restrict out) {
  for (int i = 0; i < n; ++i) out[i] += weight * in[i];
}

// `n` outputs of a symmetric filter whose samples lie `step` apart: rows (step = stride) or columns (step = 1).
POSECAM_SIMD void filter_symmetric(const float* __restrict in, std::ptrdiff_t step, const float* __restrict centre_out,
                                   int radius, int n, float* __restrict out) {
  const float w0 = centre_out[0];
  for (int i = 0; i < n; ++i) out[i] = w0 * in[i];
  for (int t = 1; t <= radius; ++t) {
    const float* __restrict before = in - t * step;
    const float* __restrict after = in + t * step;
    const float w = centre_out[t];
    for (int i = 0; i < n; ++i) out[i] += w * (before[i] + after[i]);
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

std::vector<float> gaussian_cell_taps(int taps) {
  const std::vector<float> fine = gaussian_taps(taps);
  // The centre of a cell lies between its two middle pixels: the mean of what each of them would read.
  const int reach = (taps + kEnlargement) / kEnlargement + 1;
  std::vector<double> cells(static_cast<std::size_t>(2 * reach + 1));
  for (const int pixel : {kEnlargement / 2 - 1, kEnlargement / 2}) {
    for (int t = 0; t < taps; ++t) {
      const int at = pixel + t - (taps - 1) / 2 + reach * kEnlargement;
      cells[static_cast<std::size_t>(at / kEnlargement)] += 0.5 * fine[t];
    }
  }
  // Even kernels lean half a pixel to one side; symmetric again by the mean with the mirror image.
  int radius = 0;
  std::vector<double> half(static_cast<std::size_t>(reach + 1));
  for (int i = 0; i <= reach; ++i) {
    half[i] = 0.5 * (cells[reach + i] + cells[reach - i]);
    if (half[i] > 0) radius = i;
  }
  std::vector<float> kernel(static_cast<std::size_t>(2 * radius + 1));
  for (int i = -radius; i <= radius; ++i) kernel[radius + i] = static_cast<float>(half[std::abs(i)]);
  return kernel;
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

int load_plane(const float* in, float threshold, PaddedPlane& out) {
  int above = 0;
  for (int y = 0; y < out.height(); ++y) {
    above += copy_sane(in + std::size_t(y) * out.width(), threshold, out.width(), out.row(y));
  }
  return above;
}

void smooth_separable(const PaddedPlane& in, const std::vector<float>& kernel, std::vector<float>& row_scratch,
                      PaddedPlane& out) {
  const int radius = static_cast<int>(kernel.size() / 2);
  const int padded = in.width() + 2 * radius;
  row_scratch.resize(static_cast<std::size_t>(padded));
  const float* const centre = kernel.data() + radius;
  for (int y = 0; y < in.height(); ++y) {
    filter_symmetric(in.row(y) - radius, in.stride(), centre, radius, padded, row_scratch.data());
    filter_symmetric(row_scratch.data() + radius, 1, centre, radius, in.width(), out.row(y));
  }
}

}  // namespace posecam
