#include "postprocess/decode/boxes/ssd_anchors.h"

#include <algorithm>
#include <cmath>

namespace posecam {
namespace {

/// An anchor of every cell of a grid.
struct Template {
  float width = 0;
  float height = 0;
};

Template shaped(float scale, float aspect) {
  const float root = std::sqrt(aspect);
  return {scale * root, scale / root};
}

std::vector<Template> templates(const SsdAnchorRule& rule, std::size_t grid) {
  const auto scale = [&](std::size_t n) {
    if (n == rule.strides.size()) return 1.0F;
    const std::size_t steps = std::max<std::size_t>(rule.strides.size() - 1, 1);
    return rule.min_scale + (rule.max_scale - rule.min_scale) * static_cast<float>(n) / static_cast<float>(steps);
  };
  if (grid == 0 && rule.reduce_lowest) return {shaped(0.1F, 1), shaped(scale(0), 2), shaped(scale(0), 0.5F)};
  std::vector<Template> shapes;
  for (const float aspect : rule.aspect_ratios) shapes.push_back(shaped(scale(grid), aspect));
  shapes.push_back(shaped(std::sqrt(scale(grid) * scale(grid + 1)), 1));
  return shapes;
}

/// Cells that begin within the input, as convolutions with padding "SAME" leave them.
Size cells(Size input, int stride) {
  return {(input.width + stride - 1) / stride, (input.height + stride - 1) / stride};
}

}  // namespace

std::size_t ssd_anchor_count(const SsdAnchorRule& rule, Size input) {
  std::size_t count = 0;
  for (std::size_t grid = 0; grid < rule.strides.size(); ++grid) {
    const Size size = cells(input, rule.strides[grid]);
    const std::size_t shapes = grid == 0 && rule.reduce_lowest ? 3 : rule.aspect_ratios.size() + 1;
    count += static_cast<std::size_t>(size.width) * static_cast<std::size_t>(size.height) * shapes;
  }
  return count;
}

std::vector<Anchor> ssd_anchors(const SsdAnchorRule& rule, Size input) {
  std::vector<Anchor> anchors;
  anchors.reserve(ssd_anchor_count(rule, input));
  const auto shorter = static_cast<float>(std::min(input.width, input.height));
  const float across = shorter / static_cast<float>(input.width);
  const float down = shorter / static_cast<float>(input.height);
  for (std::size_t grid = 0; grid < rule.strides.size(); ++grid) {
    const Size size = cells(input, rule.strides[grid]);
    auto shapes = templates(rule, grid);
    for (Template& shape : shapes) {
      shape.width *= across;
      shape.height *= down;
    }
    for (int row = 0; row < size.height; ++row) {
      for (int column = 0; column < size.width; ++column) {
        const float x = (static_cast<float>(column) + 0.5F) / static_cast<float>(size.width);
        const float y = (static_cast<float>(row) + 0.5F) / static_cast<float>(size.height);
        for (const Template& shape : shapes) anchors.push_back({x, y, shape.width, shape.height});
      }
    }
  }
  return anchors;
}

}  // namespace posecam
