#pragma once
// The logistic function, as decoders want it of outputs of any content.

#include <cmath>

namespace posecam {

/// 1 / (1 + exp(-v)); 0 of what is not finite, which is nothing found.
inline float sigmoid(float v) { return std::isfinite(v) ? 1 / (1 + std::exp(-v)) : 0; }

}  // namespace posecam
