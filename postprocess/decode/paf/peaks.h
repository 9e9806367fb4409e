#pragma once
// Local maxima of a smoothed heatmap, with or without sub-pixel refinement.

#include <cstddef>

#include "postprocess/decode/paf/gaussian.h"
#include "postprocess/decode/paf/peak_table.h"

namespace posecam {

/// tf-pose's: every pixel above `threshold` that equals the maximum of its 3x3 neighbourhood (all of a plateau), with
/// the value of `raw` at the same place as its score. Both maps dense, width x height.
void find_peaks_reference(const float* smoothed, const float* raw, int width, int height, float threshold,
                          std::size_t part, PeakTable& peaks);

/// One peak a maximum of the enlarged map within `box` (in cells): a pixel above `threshold`, above its neighbours that
/// come before it and not below those that come after; position by a parabola through the neighbours on each axis,
/// score from the cell of `raw` below it. `smoothed` has kEnlargement times the extent of `raw` and a border of zeros.
void find_peaks(const PaddedPlane& smoothed, const PaddedPlane& raw, const CellBox& box, float threshold,
                std::size_t part, PeakTable& peaks);

}  // namespace posecam
