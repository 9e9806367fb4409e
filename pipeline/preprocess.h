#pragma once
// A decoded frame -> one row of a network's input, in one fused pass: scale, colour, normalise, pack.

#include <vector>

#include "models/geometry.h"
#include "models/image.h"
#include "models/model_spec.h"
#include "models/tensor.h"

namespace posecam {

/// How a frame of `image` pixels lies in the input of `spec`: letterboxed with its aspect kept, or stretched.
Letterbox letterbox_for(const InputSpec& spec, Size image);

/// Writes frames into rows. Keeps the interpolation tables of the last image size, so one per stream, one thread at a
/// time; allocation-free while the frame size stays. Bilinear with pixel centres aligned, as cv::INTER_LINEAR.
class Preprocessor {
 public:
  explicit Preprocessor(const InputSpec& spec);

  /// `row` has the shape of one batch row of the spec (u8, f32 or bf16; NCHW or NHWC); every element is written,
  /// padding included. Any image size from 1x1 up, any of the formats, any strides.
  Letterbox write(const ImageView& image, MutableTensorView row);

 private:
  void prepare(Size image);

  InputSpec spec_;
  Letterbox letterbox_;
  struct Tap {
    int near = 0;
    int far = 0;
    float weight = 0;  ///< of `far`
  };
  std::vector<Tap> columns_;
  std::vector<Tap> rows_;
};

}  // namespace posecam
