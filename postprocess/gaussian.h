#pragma once
// tf-pose's smoothing of heatmaps: its kernel, its full 2-D convolution, and our separable one at heatmap resolution.

#include <cstddef>
#include <vector>

namespace posecam {

inline constexpr int kEnlargement = 4;  ///< tf-pose's `resize_out_ratio`: map pixels per heatmap cell
inline constexpr int kMaxTaps = 127;

/// One axis of tf-pose's kernel (tensblur/smoother.py, `gauss_kernel` with nsig = 3): the square root of the normal
/// distribution's mass in `taps` equal intervals over +-3 sigma, normalised to sum 1. The 2-D kernel is its outer
/// product. 1 <= taps <= kMaxTaps; a single tap is the identity.
std::vector<float> gaussian_taps(int taps);

/// The same smoothing seen from the heatmap: enlarging by kEnlargement and filtering with gaussian_taps(taps), read at
/// the centre of each cell, is a filter of the cells themselves. Odd in length, symmetric, sums to 1.
std::vector<float> gaussian_cell_taps(int taps);

/// Correlates a width x height plane with the full taps x taps kernel, zeros outside, as TensorFlow's SAME padding
/// (even kernels reach one further right and down). `out` must not overlap `in`.
void smooth_full(const float* in, int width, int height, const std::vector<float>& kernel_2d, int taps, float* out);

/// A plane with a border of zeros wide enough for a separable filter, rows aligned for vector loads. Reused from
/// channel to channel: the border is written once.
class PaddedPlane {
 public:
  /// Sizes the plane; allocates only when it grows.
  void reset(int width, int height, int border);

  int width() const { return width_; }
  int height() const { return height_; }
  int border() const { return border_; }
  int stride() const { return stride_; }
  float* row(int y) { return data_.data() + std::size_t(y + border_) * stride_ + border_; }
  const float* row(int y) const { return data_.data() + std::size_t(y + border_) * stride_ + border_; }

 private:
  int width_ = 0;
  int height_ = 0;
  int border_ = 0;
  int stride_ = 0;
  std::vector<float> data_;
};

/// Copies a dense plane inside the border; NaN, infinities and values beyond +-kSaneValue become 0. Returns how many
/// cells are above `threshold`: none means that smoothing cannot bring one above it either.
int load_plane(const float* in, float threshold, PaddedPlane& out);
inline constexpr float kSaneValue = 1e4F;

/// Separable correlation with a symmetric kernel of odd length <= 2 * border + 1, zeros outside. `rows` is scratch for
/// one row of `in`; the border of `out` is left alone. All planes have one geometry.
void smooth_separable(const PaddedPlane& in, const std::vector<float>& kernel, std::vector<float>& row_scratch,
                      PaddedPlane& out);

}  // namespace posecam
