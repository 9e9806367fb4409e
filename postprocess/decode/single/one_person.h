#pragma once
// What every decoder of networks that look at one person does once it knows where a part is: judge, map, publish.

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "models/core/geometry.h"
#include "models/core/result.h"
#include "models/core/tensor.h"
#include "models/spec/frame_result.h"
#include "models/spec/model_spec.h"
#include "postprocess/decode/postprocessor.h"

namespace posecam {

/// Collects the keypoints of one frame's one person. A fixed number of bytes.
class OnePerson {
 public:
  /// Such a network sees a crop, and a hand that it places beyond the edge of the crop may well be in the frame: so a
  /// keypoint outside the image is kept as it is, unless it is further away than this, in extents of the image.
  static constexpr float kMostOutside = 0.5F;

  /// `threshold`: least score of a keypoint.
  explicit OnePerson(float threshold) : threshold_(threshold) {}

  void clear() { pose_ = {}; }  ///< before each frame

  /// A part of the skeleton at a place in network input pixels. Not found is one whose score is below the threshold, 0
  /// or less, or whose score or place is not finite, or that is too far outside. Scores are limited to 1.
  void add(std::size_t part, Point at, float score, const Letterbox& letterbox);

  /// The person into `result`, whose poses are empty, unless no keypoint was found. Its score is `score` limited to 1,
  /// or without one the mean of the scores of the keypoints that were found.
  void finish(std::optional<float> score, FrameResult& result) const;

 private:
  float threshold_;
  Pose pose_;
};

/// An output that a decoder reads.
struct NamedOutput {
  std::string name;
  std::size_t index = 0;  ///< in ModelSpec::outputs
};

/// The output of that name; kModel as ModelSpec::output_index.
Result<NamedOutput> find_output(const ModelSpec& spec, std::string_view name);

/// kModel unless the output is there, f32 and of so many values, in any shape; `what` says what they are: "17 scores".
Result<void> check_values(std::span<const TensorView> outputs, const NamedOutput& output, std::size_t values,
                          std::string_view what);

/// The parts of the model's skeleton; kModel without one. `kind`: the decoder that needs it.
Result<std::size_t> parts_of(const ModelSpec& spec, std::string_view kind);

/// The least score of a keypoint: the user's, else the model's. kUsage if it is not from 0 to 1, or if fewer than one
/// person is asked for.
Result<float> keypoint_threshold(const DecodeOptions& options, float model);

}  // namespace posecam
