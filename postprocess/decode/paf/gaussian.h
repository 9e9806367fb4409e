#pragma once
// tf-pose's smoothing of heatmaps: its kernel, its full 2-D convolution, and our separable one at heatmap resolution.

#include <algorithm>
#include <array>
#include <cstddef>
#include <vector>

namespace posecam {

inline constexpr int kEnlargement = 4;  ///< tf-pose's `resize_out_ratio`: map pixels per heatmap cell
inline constexpr int kMaxTaps = 127;    ///< that gaussian_taps() makes

/// One axis of tf-pose's kernel (tensblur/smoother.py, `gauss_kernel` with nsig = 3): the square root of the normal
/// distribution's mass in `taps` equal intervals over +-3 sigma, normalised to sum 1. The 2-D kernel is its outer
/// product. 1 <= taps <= kMaxTaps; a single tap is the identity.
std::vector<float> gaussian_taps(int taps);

/// The same smoothing seen from the heatmap: enlarging by repetition and filtering with gaussian_taps(taps) is, at each
/// of the kEnlargement pixels (phases) of a cell, a filter of the cells around. So the enlarged, smoothed map costs a
/// few taps a pixel and the map is never enlarged before.
struct PhaseKernels {
  int radius = 0;  ///< each kernel has 2 * radius + 1 taps, one a cell, centred on the cell
  std::array<std::vector<float>, kEnlargement> phases;  ///< of the pixels of a cell, from its left or upper edge
};
/// Those of gaussian_taps(taps), 1 <= taps <= kMaxTaps.
PhaseKernels phase_kernels(int taps);

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
  int border() const { return border_; }  ///< zeros on each side
  int stride() const { return stride_; }  ///< floats from a row to the next
  /// The first value of row `y`, -border() <= y < height() + border(); as many zeros are before it.
  float* row(int y) { return data_.data() + std::size_t(y + border_) * stride_ + border_; }
  const float* row(int y) const { return data_.data() + std::size_t(y + border_) * stride_ + border_; }

 private:
  int width_ = 0;
  int height_ = 0;
  int border_ = 0;
  int stride_ = 0;
  std::vector<float> data_;
};

/// Half-open range of cells.
struct CellBox {
  int x0 = 0;
  int y0 = 0;
  int x1 = 0;
  int y1 = 0;
  bool empty() const { return x0 >= x1 || y0 >= y1; }
  /// Wider by `by` on each side, within width x height.
  CellBox grown(int by, int width, int height) const {
    return {std::max(0, x0 - by), std::max(0, y0 - by), std::min(width, x1 + by), std::min(height, y1 + by)};
  }
};

inline constexpr float kSaneValue = 1e4F;  ///< heatmaps are within 0 and 1, and sums of these stay finite

/// Copies a dense plane inside the border; NaN, infinities and values beyond +-kSaneValue become 0. Returns the box of
/// the cells above `threshold`; smoothing brings nothing above it further than the kernel's radius from there.
CellBox load_plane(const float* in, float threshold, PaddedPlane& out);

/// The pixels of `box` (in cells) of the enlarged, smoothed map: `out` has kEnlargement times the extent of `in`, whose
/// border is at least the kernels' radius wide. Nothing else of `out` is written. `scratch` grows once.
void smooth_enlarged(const PaddedPlane& in, const PhaseKernels& kernels, const CellBox& box,
                     std::vector<float>& scratch, PaddedPlane& out);

}  // namespace posecam
