#include "postprocess/decode/single/heatmaps.h"

#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "models/core/stage_log.h"
#include "postprocess/decode/single/one_person.h"

namespace posecam {
namespace {

class HeatmapsPostprocessor final : public Postprocessor {
 public:
  HeatmapsPostprocessor(MapsOutput output, const HeatmapsDecoder& decoder, std::size_t parts, float threshold)
      : output_(std::move(output)),
        refine_(decoder.refine),
        stride_(static_cast<float>(decoder.maps.stride)),
        cell_offset_(decoder.cell_offset),
        cells_(parts),
        dark_(decoder.taps),
        person_(threshold) {}

  Result<void> check(std::span<const TensorView> outputs) const override { return output_.check(outputs); }

  Result<void> run(std::span<const TensorView> outputs, const Letterbox& letterbox, FrameResult& result) override {
    result.clear();
    if (auto fits = check(outputs); !fits) return fits;
    StageLaps laps;
    const Maps maps = output_.maps(outputs);
    find_highest(maps, cells_);
    laps.lap(Stage::kPeaks);
    person_.clear();
    for (std::size_t part = 0; part < cells_.size(); ++part) {
      if (cells_[part].value <= 0) continue;
      const Point at = place(maps, part);
      person_.add(part, {(at.x + cell_offset_) * stride_, (at.y + cell_offset_) * stride_}, cells_[part].value,
                  letterbox);
    }
    person_.finish({}, result);
    laps.lap(Stage::kGrouping);
    return {};
  }

 private:
  /// In cells.
  Point place(const Maps& maps, std::size_t part) {
    const Cell& cell = cells_[part];
    switch (refine_) {
      case HeatmapsDecoder::Refine::kQuarter: return quarter_offset(maps, part, cell);
      case HeatmapsDecoder::Refine::kDark: return dark_.refine(maps, part, cell);
      case HeatmapsDecoder::Refine::kNone: break;
    }
    return {static_cast<float>(cell.x), static_cast<float>(cell.y)};
  }

  MapsOutput output_;
  HeatmapsDecoder::Refine refine_;
  float stride_;
  float cell_offset_;
  std::vector<Cell> cells_;
  DarkStep dark_;
  OnePerson person_;
};

}  // namespace

std::shared_ptr<const Decoder> HeatmapsDecoder::read(const JsonNode& section, std::span<const std::string> outputs) {
  static constexpr std::pair<std::string_view, Refine> kRefine[]{
      {"none", Refine::kNone}, {"quarter", Refine::kQuarter}, {"dark", Refine::kDark}};
  section.expect_keys({"kind", "maps", "refine", "taps", "cell_offset", "threshold"});
  auto heatmaps = std::make_shared<HeatmapsDecoder>();
  const JsonNode maps = section.at("maps");
  maps.expect_keys({"output", "first", "layout", "stride"});
  heatmaps->maps = MapsSection::read(maps, outputs);
  if (section.has("refine")) heatmaps->refine = section.at("refine").one_of(kRefine);
  if (section.has("taps")) {
    const JsonNode taps = section.at("taps");
    heatmaps->taps = static_cast<int>(taps.integer(3, DarkStep::kMostTaps));
    if (heatmaps->taps % 2 == 0) taps.mismatch("an odd number");
    if (heatmaps->refine != Refine::kDark) taps.problem(R"(only with "refine": "dark")");
  }
  read_share(section, "cell_offset", heatmaps->cell_offset);
  read_share(section, "threshold", heatmaps->threshold);
  return heatmaps;
}

std::string HeatmapsDecoder::describe() const {
  static constexpr std::string_view kRefine[]{"none", "quarter", "dark"};
  return fmt::format("heatmaps: {} from channel {}, stride {}, refine {}, threshold {}", maps.channels.output,
                     maps.channels.first, maps.stride, kRefine[static_cast<std::size_t>(refine)], threshold);
}

Result<std::unique_ptr<Postprocessor>> HeatmapsDecoder::make(const ModelSpec& spec,
                                                             const DecodeOptions& options) const {
  const auto parts = parts_of(spec, "heatmaps");
  if (!parts) return parts.error();
  auto output = MapsOutput::make(spec, maps, *parts);
  if (!output) return output.error();
  const auto least = keypoint_threshold(options, threshold);
  if (!least) return least.error();
  return std::unique_ptr<Postprocessor>(
      std::make_unique<HeatmapsPostprocessor>(*std::move(output), *this, *parts, *least));
}

}  // namespace posecam
