#pragma once
// ResNet-50s for measurements: the true shape, weights of a seed. Nobody publishes weights that may be had from
// everywhere, and for throughput they do not count.

#include <string>

namespace posecam {

/// ONNX file of ResNet-50 (He et al. 2015, Deep Residual Learning, table 1) in its version 1.5, which strides in the
/// 3x3 convolutions: 25,557,032 parameters, 102 MB. "images", batch x 3 x 224 x 224, to "scores", batch x 1000 logits.
/// The same bytes everywhere.
std::string make_resnet50();

/// The same network with coordinates in place of classes, as services that watch exercises run them on Inf1 (256x192,
/// coordinates as output, up to 16 images in a batch): "images", batch x 256 x 192 x 3 (height, width, RGB), to
/// "coords", batch x 17 x 2: x and y of each part in shares of the input. 23.6 million parameters, 95 MB.
std::string make_fitness_coords();

}  // namespace posecam
