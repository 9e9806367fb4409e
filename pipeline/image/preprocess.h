#pragma once
// A decoded frame -> one row of a network's input, in one fused pass: scale, colour, normalise, pack.

#include <array>
#include <cstdint>
#include <vector>

#include "models/core/geometry.h"
#include "models/core/image.h"
#include "models/core/tensor.h"
#include "models/spec/model_spec.h"
#include "pipeline/image/resample_kernels.h"
#include "postprocess/draw/regions.h"

namespace posecam {

/// How a frame of `image` pixels lies in the input of `spec`: letterboxed with its display aspect kept, that is, with
/// pixels that were square (`pixel_aspect` as in ImageView), or stretched. Content and offset are whole pixels, the
/// content at least one.
Letterbox letterbox_for(const InputSpec& spec, Size image, float pixel_aspect = 1);

/// Writes frames into rows. Keeps the interpolation tables of the last image size, aspect and format, so one per
/// stream, one thread at a time; allocation-free while these stay. Bilinear with pixel centres aligned, as
/// cv::INTER_LINEAR; a chroma sample of YUV covers its 2x2 pixels, as in cv::cvtColor. Differs from cvtColor + resize +
/// convertTo by at most 2 of 255 before mean and scale, for colours inside the RGB cube (colour is converted after
/// scaling).
class Preprocessor {
 public:
  /// Rows of u8 are rounded and saturated, of bf16 rounded to nearest even. Other dtypes are a bug of the caller.
  explicit Preprocessor(const InputSpec& spec);

  /// `row` has the shape of one batch row of the spec (u8, f32 or bf16; NCHW or NHWC); every element is written,
  /// padding included. Any image size from 1x1 up, any of the formats, any strides.
  Letterbox write(const ImageView& image, MutableTensorView row);
  /// The same where somebody else says how the image lies in the input: `place` is of that image, content and offset
  /// are whole pixels within the input.
  void write(const ImageView& image, const Letterbox& place, MutableTensorView row);

 private:
  /// For every content column: element offsets of its two neighbours in a blended line, and the weight of `far`.
  struct Columns {
    std::vector<std::int32_t> near;
    std::vector<std::int32_t> far;
  };
  /// For every content line: its two source lines, and the weight of `far` in 1/256.
  struct Line {
    int near = 0;
    int far = 0;
    std::uint16_t weight = 0;
  };
  using Planes = std::array<float*, 3>;  ///< one line of each network channel

  void prepare(const ImageView& image, const Letterbox& place);
  void sample_line(const ImageView& image, const Line& line, const Planes& out);
  void sample_yuv(const ImageView& image, const Line& line, const Planes& out);
  void sample_packed(const ImageView& image, const Line& line, const Planes& out);
  Planes target(MutableTensorView row, int y);
  void store(MutableTensorView row, int y) const;

  InputSpec spec_;
  std::array<float, 3> bias_{};  ///< -mean * scale
  std::array<float, 3> pad_{};   ///< normalised padding

  Letterbox letterbox_;
  PixelFormat format_ = PixelFormat::kBgr;
  Columns pixels_;
  Columns chroma_;
  std::vector<float> weights_;
  std::vector<Line> lines_;

  std::vector<std::uint16_t> blended_;         ///< source lines blended vertically, in 1/256
  std::array<std::vector<float>, 3> sampled_;  ///< content columns of one line: Y, U, V
  std::array<std::vector<float>, 3> packed_;   ///< one whole line of each channel, where it must be packed afterwards
};

/// The region of a frame, in its crop's place. Returns how it lies in the row.
Letterbox write_region(Preprocessor& preprocessor, const ImageView& frame, const Region& region, MutableTensorView row);

}  // namespace posecam
