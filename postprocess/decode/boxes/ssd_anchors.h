#pragma once
// Where an SSD looks: its anchors, by the rule of TensorFlow's Object Detection API (multiple_grid_anchor_generator,
// create_ssd_anchors; the scales are those of Liu et al. 2016, section 2.2).

#include <cstddef>
#include <vector>

#include "models/core/geometry.h"

namespace posecam {

/// The rule and its numbers; the defaults are those of ssd_mobilenet_v1_coco's published pipeline.config.
struct SsdAnchorRule {
  std::vector<int> strides{16, 32, 64, 128, 256, 512};  ///< input pixels per cell, of each grid; cells begin everywhere
  float min_scale = 0.2F;                               ///< of the first grid, as a share of the input's shorter side
  float max_scale = 0.95F;                              ///< of the last; between them in equal steps
  std::vector<float> aspect_ratios{1, 2, 0.5F, 3, 1.0F / 3};  ///< width / height, in the network's own order
  bool reduce_lowest = true;  ///< the first grid has three anchors a cell: scale .1 at 1, min_scale at 2 and at 1/2
};

/// Centre and extent, 0..1 of the network's input.
struct Anchor {
  float x = 0;
  float y = 0;
  float width = 0;
  float height = 0;
};

/// How many there are; for checks before they are made.
std::size_t ssd_anchor_count(const SsdAnchorRule& rule, Size input);

/// All of them: grid by grid, row-major, those of a cell one after the other. Each grid but a reduced one ends a cell
/// with a square of the geometric mean of its scale and the next (of the last grid: 1).
std::vector<Anchor> ssd_anchors(const SsdAnchorRule& rule, Size input);

}  // namespace posecam
