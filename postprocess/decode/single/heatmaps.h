#pragma once
// Top-down heatmaps: one map for each part of the one person that the network looks at.

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "models/spec/json_reader.h"
#include "postprocess/decode/decoder.h"
#include "postprocess/decode/single/maps.h"

namespace posecam {

/// A part is where its map is highest, with that value as its score; the person's score is the mean of those of the
/// parts that were found. At most one person; places outside the image as OnePerson::add says.
struct HeatmapsDecoder final : Decoder {
  /// How the place within the highest cell is found.
  enum class Refine : std::uint8_t { kNone, kQuarter, kDark };
  MapsSection maps;                  ///< where the heatmaps are
  Refine refine = Refine::kQuarter;  ///< kQuarter: quarter_offset(), kDark: DarkStep
  int taps = 11;                     ///< kDark: of the Gaussian; the paper's for maps of 64x48 cells, 17 for 96x72
  /// Where in cell 0 a peak of 0 is, in cells. 0 for networks that were trained on maps whose cell n stands for pixel
  /// n * stride, as those of Simple Baselines, HRNet and MMPose; 0.5 for the middle of the cell.
  float cell_offset = 0;
  float threshold = 0.2F;  ///< least score of a keypoint

  /// As DecoderKind::read.
  static std::shared_ptr<const Decoder> read(const JsonNode& section, std::span<const std::string> outputs);
  std::string describe() const override;
  /// kModel: no skeleton, an unknown output, a stride that does not divide the input. kUsage: a threshold outside
  /// [0,1], max_people below 1.
  Result<std::unique_ptr<Postprocessor>> make(const ModelSpec& spec, const DecodeOptions& options) const override;
};

}  // namespace posecam
