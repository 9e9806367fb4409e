#include "postprocess/decode/boxes/yolox.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "postprocess/decode/section.h"

namespace posecam {
namespace {

constexpr std::size_t kBoxAndObjectness = 5;

struct Grid {
  int columns = 0;
  int rows = 0;
  float stride = 0;
};

Corners cell_box(std::span<const float> cell, int column, int row, float stride) {
  return around((cell[0] + static_cast<float>(column)) * stride, (cell[1] + static_cast<float>(row)) * stride,
                std::exp(std::min(cell[2], kMaxLogExtent)) * stride,
                std::exp(std::min(cell[3], kMaxLogExtent)) * stride);
}

class YoloxPostprocessor final : public BoxPostprocessor {
 public:
  YoloxPostprocessor(std::size_t output, std::vector<Grid> grids, YoloxDecoder::Boxes boxes, BoxFinder finder)
      : BoxPostprocessor(std::move(finder)),
        output_(output),
        grids_(std::move(grids)),
        cell_values_(kBoxAndObjectness + labels()),
        boxes_(boxes) {
    for (const Grid& grid : grids_) cells_ += static_cast<std::size_t>(grid.columns) * grid.rows;
  }

  Result<void> check(std::span<const TensorView> outputs) const override {
    return expect_output(outputs, output_,
                         {1, static_cast<std::int64_t>(cells_), static_cast<std::int64_t>(cell_values_)}, "YOLOX",
                         "check input size, strides and labels of the descriptor");
  }

 protected:
  void find(std::span<const TensorView> outputs, const Letterbox& letterbox, BoxFinder& finder) override {
    auto values = outputs[output_].as<float>();
    for (const Grid& grid : grids_) {
      for (int row = 0; row < grid.rows; ++row) {
        for (int column = 0; column < grid.columns; ++column) {
          const auto cell = values.first(cell_values_);
          values = values.subspan(cell_values_);
          const float objectness = cell[kBoxAndObjectness - 1];
          // A class score is at most 1, so most cells end here, without a look at their classes. NaN ends here too.
          if (!(objectness >= finder.threshold)) continue;
          const BestLabel best = best_label(cell.subspan(kBoxAndObjectness));
          const float score = objectness * best.score;
          if (!finder.takes(best.label, score)) continue;
          const Corners box = boxes_ == YoloxDecoder::Boxes::kPixels ? around(cell[0], cell[1], cell[2], cell[3])
                                                                     : cell_box(cell, column, row, grid.stride);
          finder.collector.add(box, score, best.label, letterbox);
        }
      }
    }
  }

 private:
  std::size_t output_;
  std::vector<Grid> grids_;
  std::size_t cells_ = 0;
  std::size_t cell_values_;
  YoloxDecoder::Boxes boxes_;
};

Result<std::vector<Grid>> make_grids(const ModelSpec& spec, const std::vector<int>& strides) {
  const Size size = spec.input.size;
  std::vector<Grid> grids;
  for (const int stride : strides) {
    if (stride < 1 || size.width % stride != 0 || size.height % stride != 0) {
      return Error{Errc::kModel, fmt::format("model '{}': stride {} does not divide the input of {}x{}", spec.name,
                                             stride, size.width, size.height)};
    }
    grids.push_back({size.width / stride, size.height / stride, static_cast<float>(stride)});
  }
  return grids;
}

}  // namespace

std::shared_ptr<const Decoder> YoloxDecoder::read(const JsonNode& section, std::span<const std::string> outputs) {
  section.expect_keys(
      {"kind", "output", "boxes", "strides", "threshold", "nms_threshold", "max_detections", "nms_across_labels"});
  auto yolox = std::make_shared<YoloxDecoder>();
  yolox->output = read_output(section, outputs);
  if (section.has("boxes")) {
    static constexpr std::pair<std::string_view, Boxes> kBoxes[]{{"cells", Boxes::kCells}, {"pixels", Boxes::kPixels}};
    yolox->boxes = section.at("boxes").one_of(kBoxes);
  }
  yolox->strides.clear();
  for (const JsonNode& item : section.at("strides").items(1, 16)) {
    yolox->strides.push_back(static_cast<int>(item.integer(1, 256)));
  }
  read_box_rules(section, yolox->rules);
  return yolox;
}

std::string YoloxDecoder::describe() const {
  return fmt::format("yolox: {}, strides {}, {}", output, fmt::join(strides, "/"), posecam::describe(rules));
}

Result<std::unique_ptr<Postprocessor>> YoloxDecoder::make(const ModelSpec& spec, const DecodeOptions& options) const {
  const auto index = spec.output_index(output);
  if (!index) return index.error();
  auto grids = make_grids(spec, strides);
  if (!grids) return grids.error();
  auto finder = make_box_finder("YOLOX", spec, options, rules);
  if (!finder) return finder.error();
  return std::unique_ptr<Postprocessor>(
      std::make_unique<YoloxPostprocessor>(*index, std::move(*grids), boxes, std::move(*finder)));
}

}  // namespace posecam
