#include "postprocess/decode/boxes/box_rules.h"

#include <algorithm>
#include <bit>

#include <fmt/format.h>

#include "models/core/stage_log.h"
#include "models/spec/labels.h"
#include "postprocess/decode/section.h"

namespace posecam {

void read_box_rules(const JsonNode& section, BoxRules& rules) {
  read_share(section, "threshold", rules.threshold);
  read_share(section, "nms_threshold", rules.nms_threshold);
  read_count(section, "max_detections", rules.max_detections);
  if (section.has("nms_across_labels")) rules.nms_across_labels = section.at("nms_across_labels").boolean();
}

std::string describe(const BoxRules& rules) {
  std::string text = fmt::format("threshold {}", rules.threshold);
  if (rules.nms_threshold < 1) text += fmt::format(", NMS at IoU {}", rules.nms_threshold);
  if (rules.nms_across_labels) text += " across labels";
  return text;
}

Result<BoxFinder> make_box_finder(std::string_view kind, const ModelSpec& spec, const DecodeOptions& options,
                                  const BoxRules& rules) {
  if (spec.labels.empty()) return Error{Errc::kModel, fmt::format("model '{}': {} needs labels", spec.name, kind)};
  const auto least = threshold_or(options.threshold, rules.threshold, "threshold");
  if (!least) return least.error();
  const auto overlap = threshold_or(options.nms_threshold, rules.nms_threshold, "nms-threshold");
  if (!overlap) return overlap.error();
  return BoxFinder{*least, wanted_labels(spec, options),
                   DetectionCollector(*overlap, rules.max_detections, rules.nms_across_labels)};
}

// Comparisons with NaN are false: a NaN never wins.
BestLabel best_label(std::span<const float> scores) {
  BestLabel best;
  for (std::size_t label = 0; label < scores.size(); ++label) {
    if (scores[label] > best.score) best = {static_cast<int>(label), scores[label]};
  }
  return best;
}

// The choice is made with masks: compilers take several places at once then, and none does with a branch.
void BestLabels::find(std::span<const float> scores, std::size_t labels, std::size_t step, std::size_t places) {
  scores_.fill(0);
  labels_.fill(0);
  for (std::size_t label = 0; label < labels; ++label) {
    const float* const plane = scores.subspan(label * step, places).data();
    for (std::size_t place = 0; place < places; ++place) {
      const float best = scores_[place];
      const float score = plane[place];
      const std::uint32_t better = 0U - static_cast<std::uint32_t>(score > best);
      labels_[place] = (static_cast<std::uint32_t>(label) & better) | (labels_[place] & ~better);
      scores_[place] = std::bit_cast<float>((std::bit_cast<std::uint32_t>(score) & better) |
                                            (std::bit_cast<std::uint32_t>(best) & ~better));
    }
  }
}

Result<void> BoxPostprocessor::run(std::span<const TensorView> outputs, const Letterbox& letterbox,
                                   FrameResult& result) {
  result.clear();
  if (auto fits = check(outputs); !fits) return fits;
  StageLaps laps;
  finder_.collector.clear();
  find(outputs, letterbox, finder_);
  finder_.collector.finish(result.detections);
  laps.lap(Stage::kGrouping);
  return {};
}

Result<void> expect_output(std::span<const TensorView> outputs, std::size_t index,
                           std::initializer_list<std::int64_t> expected, std::string_view kind,
                           std::string_view remedy) {
  if (outputs.size() <= index) {
    return Error{Errc::kModel, fmt::format("{}: {} outputs, output {} is read", kind, outputs.size(), index)};
  }
  const TensorView& tensor = outputs[index];
  bool fits = tensor.dtype == DType::kF32 && tensor.shape.rank() == expected.size();
  for (std::size_t i = 0; fits && i < expected.size(); ++i) {
    fits = expected.begin()[i] < 0 || tensor.shape[i] == expected.begin()[i];
  }
  if (fits) return {};
  std::string shape;
  for (const std::int64_t extent : expected) {
    shape += fmt::format("{}{}", shape.empty() ? "" : "x", extent < 0 ? "N" : std::to_string(extent));
  }
  return Error{Errc::kModel, fmt::format("{}: output {} is {} {}, expected {} f32; {}", kind, index,
                                         to_string(tensor.shape), to_string(tensor.dtype), shape, remedy)};
}

}  // namespace posecam
