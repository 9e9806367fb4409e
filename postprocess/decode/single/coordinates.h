#pragma once
// Networks that put out the coordinates of one person's parts: MoveNet, BlazePose, and regression in general.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "models/spec/json_reader.h"
#include "postprocess/decode/decoder.h"
#include "postprocess/decode/single/maps.h"

namespace posecam {

/// Reads `count` points of `values` values each, in a tensor of any rank; the first of them are the parts of the
/// skeleton. At most one person; places outside the image as OnePerson::add says.
struct CoordinatesDecoder final : Decoder {
  /// What 1 is in a coordinate.
  enum class Unit : std::uint8_t {
    kPixels,  ///< a pixel of the network input
    kInput,   ///< the width or height of the network input
    kGiven,   ///< `pixels` of them
  };
  /// A value that says how sure the network is.
  struct Score {
    std::string output;  ///< with one value a point; empty: the score is among the values of its point
    int value = 0;       ///< which of them; otherwise unused
    bool logit = false;  ///< still wants a sigmoid
  };
  /// An output of one value for the person as a whole.
  struct Flag {
    std::string output;
    bool logit = false;      ///< still wants a sigmoid
    float threshold = 0.5F;  ///< below it nobody is there; MediaPipe's for BlazePose
  };
  /// BlazePose's heatmaps of logits around the points.
  struct Refinement {
    MapsSection maps;
    int window = 7;  ///< cells on each axis, odd; MediaPipe's for BlazePose
  };

  std::string output;          ///< of the points
  int count = 0;               ///< points; 0: as many as the skeleton has parts
  int values = 2;              ///< of each point
  int x = 0;                   ///< which of them is x
  int y = 1;                   ///< which is y
  Unit unit = Unit::kPixels;   ///< of both
  Point pixels{1, 1};          ///< kGiven: input pixels that 1 stands for, in x and in y
  std::optional<Score> score;  ///< of a point; without it 1
  std::optional<Flag> person;  ///< its value is the person's score; without it the mean of the parts' that are found
  std::optional<Refinement> refine;  ///< refined_by_heatmap()
  float threshold = 0;               ///< least score of a keypoint

  /// As DecoderKind::read.
  static std::shared_ptr<const Decoder> read(const JsonNode& section, std::span<const std::string> outputs);
  std::string describe() const override;
  /// kModel: no skeleton, one with more parts than points, an unknown output, a stride of the heatmaps that does not
  /// divide the input. kUsage: a threshold outside [0,1], max_people below 1.
  Result<std::unique_ptr<Postprocessor>> make(const ModelSpec& spec, const DecodeOptions& options) const override;
};

/// The mean of the cells of a window around `at`, weighted by the sigmoids of their values, in cells: where MediaPipe's
/// RefineLandmarksFromHeatMap (refine_landmarks_from_heatmap_calculator.cc) moves a landmark. Nothing if `at` (in
/// cells) is outside the map or not finite, or no cell of the window reaches 0.5 (min_confidence_to_refine). The window
/// ends at the edges of the map.
std::optional<Point> refined_by_heatmap(const Maps& maps, std::size_t part, Point at, int window);

}  // namespace posecam
