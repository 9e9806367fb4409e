#include "postprocess/decode/single/one_person.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "postprocess/decode/boxes/detection_collector.h"

namespace posecam {

void OnePerson::add(std::size_t part, Point at, float score, const Letterbox& letterbox) {
  if (!(score > 0 && score >= threshold_) || !std::isfinite(score)) return;
  const Point place = letterbox.to_image(at);
  // NaN and infinities fail this.
  const auto near = [](float v) { return v >= -kMostOutside && v <= 1 + kMostOutside; };
  if (!near(place.x) || !near(place.y)) return;
  pose_.keypoints[part] = {place.x, place.y, std::min(score, 1.F)};
}

void OnePerson::finish(std::optional<float> score, FrameResult& result) const {
  float sum = 0;
  int found = 0;
  for (const auto& keypoint : pose_.keypoints) {
    if (!keypoint) continue;
    sum += keypoint->score;
    ++found;
  }
  if (found == 0) return;
  result.poses.push_back(pose_);
  result.poses.back().score = std::clamp(score.value_or(sum / static_cast<float>(found)), 0.F, 1.F);
}

Result<NamedOutput> find_output(const ModelSpec& spec, std::string_view name) {
  const auto index = spec.output_index(name);
  if (!index) return index.error();
  return NamedOutput{std::string(name), *index};
}

Result<void> check_values(std::span<const TensorView> outputs, const NamedOutput& output, std::size_t values,
                          std::string_view what) {
  if (outputs.size() <= output.index) {
    return Error{Errc::kModel, fmt::format("output '{}' is number {}, but the device gave {} outputs", output.name,
                                           output.index, outputs.size())};
  }
  const TensorView& tensor = outputs[output.index];
  if (tensor.dtype == DType::kF32 && tensor.shape.elements() == values) return {};
  return Error{Errc::kModel, fmt::format("output '{}' is {} {}, expected f32 of {} values ({}); check the input size "
                                         "and the decoder entry of the descriptor",
                                         output.name, to_string(tensor.shape), to_string(tensor.dtype), values, what)};
}

Result<std::size_t> parts_of(const ModelSpec& spec, std::string_view kind) {
  if (spec.skeleton) return spec.skeleton->parts.size();
  return Error{Errc::kModel, fmt::format("model '{}': {} need a skeleton", spec.name, kind)};
}

Result<float> keypoint_threshold(const DecodeOptions& options, float model) {
  if (options.max_people && *options.max_people < 1) {
    return Error{Errc::kUsage, fmt::format("max people is {}, expected 1 or more", *options.max_people)};
  }
  return threshold_or(options.threshold, model, "threshold");
}

}  // namespace posecam
