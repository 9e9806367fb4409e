#include "postprocess/decode/boxes/nanodet.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "postprocess/decode/section.h"

namespace posecam {
namespace {

constexpr std::size_t kSides = 4;

/// The cells of one stride, and where their values are.
struct Grid {
  int columns = 0;
  int rows = 0;
  float stride = 0;
  std::size_t scores = 0;     ///< index of the output
  std::size_t distances = 0;  ///< likewise
  std::size_t first = 0;      ///< its first cell within them

  std::size_t cells() const { return static_cast<std::size_t>(columns) * static_cast<std::size_t>(rows); }
};

/// Expectation of the softmax; NaN if a value is NaN or the highest of them is infinite. The highest is taken off
/// first, as exp() of 89 is beyond a float.
float expectation(std::span<const float> values) {
  const float highest = *std::ranges::max_element(values);
  float sum = 0;
  float weighted = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const float weight = std::exp(values[i] - highest);
    sum += weight;
    weighted += weight * static_cast<float>(i);
  }
  return weighted / sum;
}

class NanoDetPostprocessor final : public BoxPostprocessor {
 public:
  NanoDetPostprocessor(std::vector<Grid> grids, const NanoDetDecoder& decoder, BoxFinder finder)
      : BoxPostprocessor(std::move(finder)),
        grids_(std::move(grids)),
        bins_(static_cast<std::size_t>(decoder.reg_max) + 1),
        joined_(decoder.joined),
        centre_(decoder.centre) {}

  Result<void> check(std::span<const TensorView> outputs) const override {
    constexpr std::string_view kRemedy = "check input size, strides, reg_max and labels of the descriptor";
    const auto scores = static_cast<std::int64_t>(labels());
    const auto distances = static_cast<std::int64_t>(kSides * bins_);
    if (joined_) {
      const auto all = static_cast<std::int64_t>(grids_.back().first + grids_.back().cells());
      return expect_output(outputs, grids_.front().scores, {1, all, scores + distances}, "nanodet", kRemedy);
    }
    for (const Grid& grid : grids_) {
      const auto cells = static_cast<std::int64_t>(grid.cells());
      auto fits = expect_output(outputs, grid.scores, {1, cells, scores}, "nanodet", kRemedy);
      if (!fits) return fits;
      fits = expect_output(outputs, grid.distances, {1, cells, distances}, "nanodet", kRemedy);
      if (!fits) return fits;
    }
    return {};
  }

 protected:
  void find(std::span<const TensorView> outputs, const Letterbox& letterbox, BoxFinder& finder) override {
    const std::size_t score_row = labels() + (joined_ ? kSides * bins_ : 0);
    const std::size_t distance_row = kSides * bins_ + (joined_ ? labels() : 0);
    for (const Grid& grid : grids_) {
      const auto scores = outputs[grid.scores].as<float>();
      const auto distances = outputs[grid.distances].as<float>().subspan(joined_ ? labels() : 0);
      for (std::size_t cell = 0; cell < grid.cells(); ++cell) {
        const std::size_t row = grid.first + cell;
        const BestLabel best = best_label(scores.subspan(row * score_row, labels()));
        if (!finder.takes(best.label, best.score)) continue;
        const auto sides = distances.subspan(row * distance_row, kSides * bins_);
        finder.collector.add(box(grid, cell, sides), best.score, best.label, letterbox);
      }
    }
  }

 private:
  Corners box(const Grid& grid, std::size_t cell, std::span<const float> sides) const {
    const auto columns = static_cast<std::size_t>(grid.columns);
    const std::size_t row = cell / columns;
    const float x = (static_cast<float>(cell % columns) + centre_) * grid.stride;
    const float y = (static_cast<float>(row) + centre_) * grid.stride;
    const auto distance = [&](std::size_t side) {
      return expectation(sides.subspan(side * bins_, bins_)) * grid.stride;
    };
    return {x - distance(0), y - distance(1), x + distance(2), y + distance(3)};
  }

  std::vector<Grid> grids_;
  std::size_t bins_;
  bool joined_;
  float centre_;
};

int read_stride(const JsonNode& node) { return static_cast<int>(node.integer(1, 256)); }

}  // namespace

std::shared_ptr<const Decoder> NanoDetDecoder::read(const JsonNode& section, std::span<const std::string> outputs) {
  section.expect_keys({"kind", "levels", "output", "strides", "reg_max", "centre", "threshold", "nms_threshold",
                       "max_detections", "nms_across_labels"});
  auto nanodet = std::make_shared<NanoDetDecoder>();
  nanodet->joined = section.has("output");
  if (nanodet->joined) {
    const std::string output = read_output(section, outputs);
    for (const JsonNode& item : section.at("strides").items(1, 8)) {
      nanodet->levels.push_back({read_stride(item), output, output});
    }
    if (section.has("levels")) section.at("levels").problem("not with output, which has all of them");
  } else {
    for (const JsonNode& item : section.at("levels").items(1, 8)) {
      item.expect_keys({"stride", "scores", "distances"});
      nanodet->levels.push_back({read_stride(item.at("stride")), read_named(item, "scores", outputs),
                                 read_named(item, "distances", outputs)});
    }
    if (section.has("strides")) section.at("strides").problem("only with output; levels have theirs");
  }
  if (section.has("reg_max")) nanodet->reg_max = static_cast<int>(section.at("reg_max").integer(1, 64));
  read_share(section, "centre", nanodet->centre);
  read_box_rules(section, nanodet->rules);
  return nanodet;
}

std::string NanoDetDecoder::describe() const {
  std::vector<int> strides;
  for (const Level& level : levels) strides.push_back(level.stride);
  return fmt::format("nanodet: {}, strides {}, reg_max {}, {}", joined ? levels.front().scores : "outputs by stride",
                     fmt::join(strides, "/"), reg_max, posecam::describe(rules));
}

Result<std::unique_ptr<Postprocessor>> NanoDetDecoder::make(const ModelSpec& spec, const DecodeOptions& options) const {
  std::vector<Grid> grids;
  for (const Level& level : levels) {
    const auto scores = spec.output_index(level.scores);
    if (!scores) return scores.error();
    const auto distances = spec.output_index(level.distances);
    if (!distances) return distances.error();
    const Size size = spec.input.size;
    Grid grid{(size.width + level.stride - 1) / level.stride, (size.height + level.stride - 1) / level.stride,
              static_cast<float>(level.stride), *scores, *distances};
    if (joined && !grids.empty()) grid.first = grids.back().first + grids.back().cells();
    grids.push_back(grid);
  }
  auto finder = make_box_finder("nanodet", spec, options, rules);
  if (!finder) return finder.error();
  return std::unique_ptr<Postprocessor>(
      std::make_unique<NanoDetPostprocessor>(std::move(grids), *this, std::move(*finder)));
}

}  // namespace posecam
