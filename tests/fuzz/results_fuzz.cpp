// Results of any content, as a tracker or another process might make them, into every writer and onto every frame.

#include <cmath>
#include <memory>

#include "tests/fuzz/fuzz_input.h"
#include "tests/fuzz/result_checks.h"

namespace posecam::fuzz {
namespace {

/// Near the image more often than not, else anything.
float coordinate(Input& input) {
  const std::uint8_t b = input.byte();
  return b < 224 ? (static_cast<float>(b) - 40) / 128 : input.bits();
}

std::optional<std::int64_t> read_id(Input& input) {
  if (input.flag()) return std::nullopt;
  return static_cast<std::int64_t>(std::uint64_t{input.word()} << 32U | input.word());
}

Pose read_pose(Input& input) {
  Pose pose;
  const std::uint32_t found = input.word();
  for (std::size_t k = 0; k < 32; ++k) {
    if (found >> k & 1U) pose.keypoints[k] = Keypoint{coordinate(input), coordinate(input), input.fraction()};
  }
  pose.score = input.fraction();
  pose.id = read_id(input);
  return pose;
}

Detection read_detection(Input& input) {
  Detection detection;
  detection.box = {coordinate(input), coordinate(input), coordinate(input), coordinate(input)};
  detection.score = input.fraction();
  detection.label_id = input.flag() ? static_cast<int>(input.word()) : input.below(0, 3);
  detection.id = read_id(input);
  return detection;
}

std::shared_ptr<const ModelSpec> read_model(Input& input) {
  auto model = std::make_shared<ModelSpec>();
  static constexpr std::string_view kSkeletons[] = {"", "coco-18", "body-25", "coco-17", "mpii-16"};
  model->skeleton = find_skeleton(kSkeletons[input.below(0, 4)]);
  model->name = input.text(20);
  for (int i = input.below(0, 3); i > 0; --i) model->labels.push_back(input.text(60));
  return model;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input input(data, size);
  FrameResult result;
  result.model = read_model(input);
  if (input.flag()) result.detector = read_model(input);
  result.status = static_cast<FrameStatus>(input.below(0, 2));
  result.times = {input.fraction(), input.fraction(), input.fraction(), input.fraction()};
  for (int i = input.below(0, 5); i > 0; --i) result.poses.push_back(read_pose(input));
  for (int i = input.below(0, 5); i > 0; --i) result.detections.push_back(read_detection(input));
  check_writers(result, input);
  check_drawing(result, input);
  return 0;
}

}  // namespace posecam::fuzz
