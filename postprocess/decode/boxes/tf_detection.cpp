#include "postprocess/decode/boxes/tf_detection.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "postprocess/decode/section.h"

namespace posecam {
namespace {

/// Indices of the outputs.
struct TfOutputs {
  std::size_t boxes = 0;
  std::size_t classes = 0;
  std::size_t scores = 0;
  std::size_t count = 0;
};

class TfDetectionPostprocessor final : public BoxPostprocessor {
 public:
  TfDetectionPostprocessor(TfOutputs at, int first_class, BoxFinder finder)
      : BoxPostprocessor(std::move(finder)), at_(at), first_class_(static_cast<float>(first_class)) {}

  Result<void> check(std::span<const TensorView> outputs) const override {
    constexpr std::string_view kRemedy = "check which output is which in the descriptor";
    auto fits = expect_output(outputs, at_.boxes, {1, -1, 4}, "tf-detection", kRemedy);
    if (!fits) return fits;
    const std::int64_t rows = outputs[at_.boxes].shape[1];
    for (const std::size_t list : {at_.classes, at_.scores}) {
      fits = expect_output(outputs, list, {1, rows}, "tf-detection", kRemedy);
      if (!fits) return fits;
    }
    return expect_output(outputs, at_.count, {1}, "tf-detection", kRemedy);
  }

 protected:
  void find(std::span<const TensorView> outputs, const Letterbox& letterbox, BoxFinder& finder) override {
    const auto boxes = outputs[at_.boxes].as<float>();
    const auto classes = outputs[at_.classes].as<float>();
    const auto scores = outputs[at_.scores].as<float>();
    const float count = outputs[at_.count].as<float>()[0];
    const auto width = static_cast<float>(letterbox.input.width);
    const auto height = static_cast<float>(letterbox.input.height);
    // A count that is NaN ends it at once.
    for (std::size_t n = 0; n < scores.size() && static_cast<float>(n) < count; ++n) {
      const float label = classes[n] - first_class_;
      if (!finder.takes(label, scores[n])) continue;
      const auto box = boxes.subspan(4 * n, 4);
      finder.collector.add({box[1] * width, box[0] * height, box[3] * width, box[2] * height}, scores[n],
                           static_cast<int>(label), letterbox);
    }
  }

 private:
  TfOutputs at_;
  float first_class_;
};

}  // namespace

std::shared_ptr<const Decoder> TfDetectionDecoder::read(const JsonNode& section, std::span<const std::string> outputs) {
  section.expect_keys({"kind", "boxes", "classes", "scores", "count", "first_class", "threshold", "nms_threshold",
                       "max_detections", "nms_across_labels"});
  auto tf = std::make_shared<TfDetectionDecoder>();
  tf->boxes = read_named(section, "boxes", outputs);
  tf->classes = read_named(section, "classes", outputs);
  tf->scores = read_named(section, "scores", outputs);
  tf->count = read_named(section, "count", outputs);
  if (section.has("first_class")) tf->first_class = static_cast<int>(section.at("first_class").integer(0, 1));
  read_box_rules(section, tf->rules);
  return tf;
}

std::string TfDetectionDecoder::describe() const {
  return fmt::format("tf-detection: boxes {}, classes {} from {}, scores {}, count {}, {}", boxes, classes, first_class,
                     scores, count, posecam::describe(rules));
}

Result<std::unique_ptr<Postprocessor>> TfDetectionDecoder::make(const ModelSpec& spec,
                                                                const DecodeOptions& options) const {
  TfOutputs at;
  for (const auto& [name, index] : {std::pair{&boxes, &at.boxes}, std::pair{&classes, &at.classes},
                                    std::pair{&scores, &at.scores}, std::pair{&count, &at.count}}) {
    const auto found = spec.output_index(*name);
    if (!found) return found.error();
    *index = *found;
  }
  auto finder = make_box_finder("tf-detection", spec, options, rules);
  if (!finder) return finder.error();
  return std::unique_ptr<Postprocessor>(
      std::make_unique<TfDetectionPostprocessor>(at, first_class, std::move(*finder)));
}

}  // namespace posecam
