#pragma once
// Heatmaps of one person, one for each part, in either layout, and the places of their peaks to a fraction of a cell.

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "models/core/geometry.h"
#include "models/core/result.h"
#include "models/core/tensor.h"
#include "models/spec/json_reader.h"
#include "models/spec/model_spec.h"
#include "postprocess/decode/section.h"
#include "postprocess/decode/single/one_person.h"

namespace posecam {

/// What a descriptor says of maps: an output of 1 x channels x height x width, or 1 x height x width x channels.
struct MapsSection {
  ChannelRange channels;          ///< of the first part; the others follow
  Layout layout = Layout::kNchw;  ///< of that output
  int stride = 4;                 ///< input pixels per cell

  /// Reads "output", "first", "layout" and "stride" of an object that may have other keys.
  static MapsSection read(const JsonNode& node, std::span<const std::string> outputs);
};

/// Maps of `parts` parts. Borrowed; any content.
struct Maps {
  const float* values = nullptr;
  int width = 0;              ///< cells, at least 1
  int height = 0;             ///< cells, at least 1
  std::ptrdiff_t column = 0;  ///< values from a cell to the one on its right
  std::ptrdiff_t row = 0;     ///< to the one below
  std::ptrdiff_t part = 0;    ///< to the same one of the next part
  std::size_t parts = 0;

  float at(std::size_t of, int x, int y) const {
    return values[static_cast<std::ptrdiff_t>(of) * part + y * row + x * column];
  }
};

/// Finds the maps of a model among the outputs of a frame.
class MapsOutput {
 public:
  /// kModel: an output that the model lacks, a stride that does not divide the input's sides.
  static Result<MapsOutput> make(const ModelSpec& spec, const MapsSection& section, std::size_t parts);

  /// kModel unless that output is f32, in the layout and of the size that the section and the input make.
  Result<void> check(std::span<const TensorView> outputs) const;
  /// Of outputs that check() was content with.
  Maps maps(std::span<const TensorView> outputs) const;

 private:
  NamedOutput output_;
  MapsSection section_;
  Size cells_;
  std::size_t parts_ = 0;
};

/// The highest cell of a map.
struct Cell {
  int x = 0;
  int y = 0;
  float value = 0;  ///< finite, above 0; 0: no cell is
};

/// Of every part, into `cells`, which has as many elements as there are parts. Of equals the first row-wise.
void find_highest(const Maps& maps, std::span<Cell> cells);

/// A quarter of a cell towards the higher neighbour, for each axis on which the cell has two (Xiao et al. 2018, "Simple
/// Baselines for Human Pose Estimation and Tracking"). In cells; a whole number is the cell itself.
Point quarter_offset(const Maps& maps, std::size_t part, const Cell& cell);

/// DARK (Zhang et al. 2020, "Distribution-Aware Coordinate Representation for Human Pose Estimation", section 3.1):
/// smooths the map by a Gaussian, beyond whose edges it is 0, and takes one Newton step on the logarithm from the
/// highest cell to the top. Of the map only the 5x5 cells that the step looks at are smoothed.
class DarkStep {
 public:
  static constexpr int kMostTaps = 31;  ///< of the Gaussian

  /// `taps`: odd, from 3 to kMostTaps. The Gaussian's deviation follows from them as in OpenCV's getGaussianKernel,
  /// which the authors' code uses: 0.3 * ((taps - 1) / 2 - 1) + 0.8 cells.
  explicit DarkStep(int taps);

  /// In cells as quarter_offset(). Stays on the cell where it is within two of the edge, the top is not a maximum, or
  /// the step would leave the cells that were looked at.
  Point refine(const Maps& maps, std::size_t part, const Cell& cell);

 private:
  static constexpr int kReach = 2;  // cells on each side that second differences over two cells look at
  static constexpr int kSide = 2 * kReach + 1;
  void smooth(const Maps& maps, std::size_t part, const Cell& cell);
  /// Of the cell so far right of the peak and below it.
  float log_at(std::ptrdiff_t dx, std::ptrdiff_t dy) const {
    return smoothed_[static_cast<std::size_t>((dy + kReach) * kSide + dx + kReach)];
  }

  std::vector<float> taps_;
  std::vector<float> lines_;     // rows of kSide that are smoothed along themselves, kSide + taps - 1 of them
  std::vector<float> smoothed_;  // logarithms of kSide x kSide
};

}  // namespace posecam
