#pragma once
// A ResNet-50 for measurements: the true shape, weights of a seed. Nobody publishes weights that may be had from
// everywhere, and for throughput they do not count.

#include <string>

namespace posecam {

/// ONNX file of ResNet-50 (He et al. 2015, Deep Residual Learning, table 1) in its version 1.5, which strides in the
/// 3x3 convolutions: 25,557,032 parameters, 102 MB. "images", batch x 3 x 224 x 224, to "scores", batch x 1000 logits.
/// The same bytes everywhere.
std::string make_resnet50();

}  // namespace posecam
