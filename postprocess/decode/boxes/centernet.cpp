#include "postprocess/decode/boxes/centernet.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include <fmt/format.h>

#include "postprocess/decode/section.h"

namespace posecam {
namespace {

constexpr std::size_t kRowValues = 6;

class DetectionsPostprocessor final : public BoxPostprocessor {
 public:
  DetectionsPostprocessor(std::size_t output, BoxFinder finder)
      : BoxPostprocessor(std::move(finder)), output_(output) {}

  Result<void> check(std::span<const TensorView> outputs) const override {
    return expect_output(outputs, output_, {1, -1, kRowValues}, "centernet", "give the maps if the network has those");
  }

 protected:
  void find(std::span<const TensorView> outputs, const Letterbox& letterbox, BoxFinder& finder) override {
    auto rows = outputs[output_].as<float>();
    for (; !rows.empty(); rows = rows.subspan(kRowValues)) {
      if (!finder.takes(rows[5], rows[4])) continue;
      finder.collector.add({rows[0], rows[1], rows[2], rows[3]}, rows[4], static_cast<int>(rows[5]), letterbox);
    }
  }

 private:
  std::size_t output_;
};

/// Indices of the outputs.
struct MapOutputs {
  std::size_t heatmap = 0;
  std::size_t size = 0;
  std::size_t offset = 0;
};

constexpr std::int64_t kBlock = 64;  // cells that are looked at together

/// Cells of a map.
struct Plane {
  std::span<const float> values;
  std::int64_t width = 0;
  std::int64_t height = 0;

  float at(std::int64_t x, std::int64_t y) const { return values[static_cast<std::size_t>(y * width + x)]; }

  /// Whether none of the neighbours is above this one: max-pooling 3x3 with stride 1 would leave it as it is.
  bool is_peak(std::int64_t x, std::int64_t y) const {
    const float here = at(x, y);
    for (std::int64_t v = std::max<std::int64_t>(y - 1, 0); v <= std::min(y + 1, height - 1); ++v) {
      for (std::int64_t u = std::max<std::int64_t>(x - 1, 0); u <= std::min(x + 1, width - 1); ++u) {
        if (at(u, v) > here) return false;
      }
    }
    return true;
  }

  /// The same of `cells` cells from (x, y) on that have neighbours on all sides, 1 for those that are not below
  /// `least` either; whether there are any. Without branches, so that a compiler can take several cells at once.
  bool mark_peaks(std::int64_t x, std::int64_t y, std::int64_t cells, float least,
                  std::array<std::int32_t, kBlock>& marks) const {
    const float* const here = &values[static_cast<std::size_t>(y * width + x)];
    const float* const above = here - width;
    const float* const below = here + width;
    std::int32_t any = 0;
    for (std::int64_t i = 0; i < cells; ++i) {
      const float v = here[i];
      const bool sides = (here[i - 1] > v) | (here[i + 1] > v);
      const bool over = (above[i - 1] > v) | (above[i] > v) | (above[i + 1] > v);
      const bool under = (below[i - 1] > v) | (below[i] > v) | (below[i + 1] > v);
      const auto mark = static_cast<std::int32_t>((v >= least) & !(sides | over | under));
      marks[static_cast<std::size_t>(i)] = mark;
      any |= mark;
    }
    return any != 0;
  }
};

class MapsPostprocessor final : public BoxPostprocessor {
 public:
  MapsPostprocessor(MapOutputs at, BoxFinder finder) : BoxPostprocessor(std::move(finder)), at_(at) {}

  Result<void> check(std::span<const TensorView> outputs) const override {
    constexpr std::string_view kRemedy = "check which output is which, and the labels of the descriptor";
    auto fits =
        expect_output(outputs, at_.heatmap, {1, static_cast<std::int64_t>(labels()), -1, -1}, "centernet", kRemedy);
    if (!fits) return fits;
    const Shape& maps = outputs[at_.heatmap].shape;
    for (const std::size_t pair : {at_.size, at_.offset}) {
      fits = expect_output(outputs, pair, {1, 2, maps[2], maps[3]}, "centernet", kRemedy);
      if (!fits) return fits;
    }
    return {};
  }

 protected:
  void find(std::span<const TensorView> outputs, const Letterbox& letterbox, BoxFinder& finder) override {
    for (std::size_t label = 0; label < labels(); ++label) {
      if (finder.wanted[label] == 0) continue;
      const Plane heat = plane(outputs[at_.heatmap], label);
      const auto add = [&](std::int64_t x, std::int64_t y) {
        const float score = heat.at(x, y);
        if (!finder.takes(static_cast<int>(label), score)) return;
        finder.collector.add(box(outputs, x, y, letterbox.input), score, static_cast<int>(label), letterbox);
      };
      for (std::int64_t y = 0; y < heat.height; ++y) peaks_of_row(heat, y, finder.threshold, add);
    }
  }

 private:
  /// Calls `add` with the peaks of a row that are not below `least`, from left to right.
  template <class Add>
  static void peaks_of_row(const Plane& heat, std::int64_t y, float least, const Add& add) {
    const auto at_edge = [&](std::int64_t x) {
      if (heat.at(x, y) >= least && heat.is_peak(x, y)) add(x, y);
    };
    const std::int64_t last = heat.width - 1;
    if (y == 0 || y == heat.height - 1 || last < 1) {
      for (std::int64_t x = 0; x <= last; ++x) at_edge(x);
      return;
    }
    at_edge(0);
    std::array<std::int32_t, kBlock> marks{};
    for (std::int64_t x = 1; x < last; x += kBlock) {
      const std::int64_t cells = std::min(kBlock, last - x);
      if (!heat.mark_peaks(x, y, cells, least, marks)) continue;
      for (std::int64_t i = 0; i < cells; ++i) {
        if (marks[static_cast<std::size_t>(i)] != 0) add(x + i, y);
      }
    }
    at_edge(last);
  }

  static Plane plane(const TensorView& maps, std::size_t channel) {
    const auto cells = static_cast<std::size_t>(maps.shape[2] * maps.shape[3]);
    return {maps.as<float>().subspan(channel * cells, cells), maps.shape[3], maps.shape[2]};
  }

  Corners box(std::span<const TensorView> outputs, std::int64_t x, std::int64_t y, Size input) const {
    const TensorView& size = outputs[at_.size];
    const TensorView& offset = outputs[at_.offset];
    const float across = static_cast<float>(input.width) / static_cast<float>(size.shape[3]);
    const float down = static_cast<float>(input.height) / static_cast<float>(size.shape[2]);
    return around((static_cast<float>(x) + plane(offset, 0).at(x, y)) * across,
                  (static_cast<float>(y) + plane(offset, 1).at(x, y)) * down, plane(size, 0).at(x, y) * across,
                  plane(size, 1).at(x, y) * down);
  }

  MapOutputs at_;
};

}  // namespace

std::shared_ptr<const Decoder> CenterNetDecoder::read(const JsonNode& section, std::span<const std::string> outputs) {
  section.expect_keys({"kind", "output", "heatmap", "size", "offset", "threshold", "nms_threshold", "max_detections",
                       "nms_across_labels"});
  auto centernet = std::make_shared<CenterNetDecoder>();
  if (section.has("heatmap") || section.has("size") || section.has("offset")) {
    centernet->maps = Maps{read_named(section, "heatmap", outputs), read_named(section, "size", outputs),
                           read_named(section, "offset", outputs)};
    if (section.has("output")) section.at("output").problem("not with heatmap, size and offset");
  } else {
    centernet->detections = read_output(section, outputs);
  }
  read_box_rules(section, centernet->rules);
  return centernet;
}

std::string CenterNetDecoder::describe() const {
  const std::string where =
      maps ? fmt::format("heatmap {}, size {}, offset {}", maps->heatmap, maps->size, maps->offset) : detections;
  return fmt::format("centernet: {}, {}", where, posecam::describe(rules));
}

Result<std::unique_ptr<Postprocessor>> CenterNetDecoder::make(const ModelSpec& spec,
                                                              const DecodeOptions& options) const {
  auto finder = make_box_finder("centernet", spec, options, rules);
  if (!finder) return finder.error();
  if (!maps) {
    const auto index = spec.output_index(detections);
    if (!index) return index.error();
    return std::unique_ptr<Postprocessor>(std::make_unique<DetectionsPostprocessor>(*index, std::move(*finder)));
  }
  MapOutputs at;
  for (const auto& [name, index] : {std::pair{&maps->heatmap, &at.heatmap}, std::pair{&maps->size, &at.size},
                                    std::pair{&maps->offset, &at.offset}}) {
    const auto found = spec.output_index(*name);
    if (!found) return found.error();
    *index = *found;
  }
  return std::unique_ptr<Postprocessor>(std::make_unique<MapsPostprocessor>(at, std::move(*finder)));
}

}  // namespace posecam
