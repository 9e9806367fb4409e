#pragma once
// A decoded frame -> one row of a network's input, in one fused pass: scale, colour, normalise, pack.

#include <array>
#include <cstdint>
#include <vector>

#include "models/geometry.h"
#include "models/image.h"
#include "models/model_spec.h"
#include "models/tensor.h"

namespace posecam {

/// How a frame of `image` pixels lies in the input of `spec`: letterboxed with its aspect kept, or stretched.
Letterbox letterbox_for(const InputSpec& spec, Size image);

/// Where each output pixel of one axis reads, and with which weight.
struct AxisTaps {
  std::vector<std::int32_t> near;
  std::vector<std::int32_t> far;
  std::vector<float> weight;  ///< of `far`; `near` has the rest

  /// Bilinear with pixel centres aligned, as cv::INTER_LINEAR. `samples` is the extent of the plane that is read,
  /// `subsampling` 2 for the chroma planes of YUV 4:2:0 (sited between their luma samples), else 1.
  void build(int out, int image, int samples, int subsampling);
};

/// Writes frames into rows. Keeps the interpolation tables of the last image size, so one per stream, one thread at a
/// time; allocation-free while size and format stay.
class Preprocessor {
 public:
  explicit Preprocessor(const InputSpec& spec);

  /// `row` has the shape of one batch row of the spec (u8, f32 or bf16; NCHW or NHWC); every element is written,
  /// padding included. Any image size from 1x1 up, any of the formats, any strides.
  Letterbox write(const ImageView& image, MutableTensorView row);

 private:
  using Line = std::vector<float>;

  void prepare(const ImageView& image);
  void blend_rows(const ImageView& image, int plane, const AxisTaps& taps, int y, int values, Line& out) const;
  void packed_row(const ImageView& image, int y);
  void yuv_row(const ImageView& image, int y);
  void store_row(int y, MutableTensorView row) const;
  void store_padding(MutableTensorView row);
  void store(int channel, int y, int x, int n, const float* values, MutableTensorView row) const;

  InputSpec spec_;
  std::array<float, 3> bias_{};  ///< value * scale + bias, in the network's channel order
  Letterbox letterbox_;
  PixelFormat format_ = PixelFormat::kBgr;
  AxisTaps columns_, rows_;                ///< luma or packed pixels
  AxisTaps chroma_columns_, chroma_rows_;  ///< YUV only
  Line blended_, blended_chroma_[2];       ///< source rows blended vertically
  std::array<Line, 3> planes_;             ///< one output row, in the network's channel order, 0..255
  Line scratch_;                           ///< luma of a row; padding
};

}  // namespace posecam
