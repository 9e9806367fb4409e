#include "postprocess/decode/boxes/ssd_raw.h"

#include <algorithm>
#include <cmath>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "postprocess/decode/section.h"
#include "postprocess/decode/sigmoid.h"

namespace posecam {
namespace {

// SSD512 has 24,564 anchors. A descriptor must not ask for gigabytes of them.
constexpr std::size_t kMostAnchors = 1'000'000;

class SsdRawPostprocessor final : public BoxPostprocessor {
 public:
  SsdRawPostprocessor(std::size_t boxes, std::size_t scores, const SsdRawDecoder& decoder, Size input, BoxFinder finder)
      : BoxPostprocessor(std::move(finder)),
        boxes_(boxes),
        scores_(scores),
        first_(static_cast<std::size_t>(decoder.scores.first)),
        logits_(decoder.values == SsdRawDecoder::Values::kLogits),
        scales_(decoder.box_scales),
        anchors_(ssd_anchors(decoder.anchors, input)) {}

  Result<void> check(std::span<const TensorView> outputs) const override {
    constexpr std::string_view kRemedy = "check input size, anchors and labels of the descriptor";
    const auto anchors = static_cast<std::int64_t>(anchors_.size());
    auto fits = expect_output(outputs, boxes_, {1, anchors, 4}, "ssd-raw", kRemedy);
    if (!fits) return fits;
    return expect_output(outputs, scores_, {1, anchors, static_cast<std::int64_t>(first_ + labels())}, "ssd-raw",
                         kRemedy);
  }

 protected:
  void find(std::span<const TensorView> outputs, const Letterbox& letterbox, BoxFinder& finder) override {
    const auto boxes = outputs[boxes_].as<float>();
    const auto scores = outputs[scores_].as<float>();
    const std::size_t values = first_ + labels();
    for (std::size_t n = 0; n < anchors_.size(); ++n) {
      const BestLabel best = best_of(scores.subspan(n * values + first_, labels()));
      if (!finder.takes(best.label, best.score)) continue;
      finder.collector.add(decode(boxes.subspan(4 * n, 4), anchors_[n], letterbox.input), best.score, best.label,
                           letterbox);
    }
  }

 private:
  /// The sigmoid rises with its argument, so one of them is enough. A logit of NaN or -infinity never wins, and where
  /// +infinity does nothing is found.
  BestLabel best_of(std::span<const float> scores) const {
    if (!logits_) return best_label(scores);
    BestLabel best{0, -INFINITY};
    for (std::size_t label = 0; label < scores.size(); ++label) {
      if (scores[label] > best.score) best = {static_cast<int>(label), scores[label]};
    }
    best.score = sigmoid(best.score);
    return best;
  }

  Corners decode(std::span<const float> box, const Anchor& anchor, Size input) const {
    const auto width = static_cast<float>(input.width);
    const auto height = static_cast<float>(input.height);
    return around((box[1] / scales_[1] * anchor.width + anchor.x) * width,
                  (box[0] / scales_[0] * anchor.height + anchor.y) * height,
                  std::exp(std::min(box[3] / scales_[3], kMaxLogExtent)) * anchor.width * width,
                  std::exp(std::min(box[2] / scales_[2], kMaxLogExtent)) * anchor.height * height);
  }

  std::size_t boxes_;
  std::size_t scores_;
  std::size_t first_;
  bool logits_;
  std::array<float, 4> scales_;
  std::vector<Anchor> anchors_;
};

SsdAnchorRule read_anchors(const JsonNode& node) {
  node.expect_keys({"strides", "min_scale", "max_scale", "aspect_ratios", "reduce_lowest"});
  SsdAnchorRule rule;
  if (node.has("strides")) {
    rule.strides.clear();
    for (const JsonNode& item : node.at("strides").items(1, 16)) {
      rule.strides.push_back(static_cast<int>(item.integer(1, 4096)));
    }
  }
  read_share(node, "min_scale", rule.min_scale);
  read_share(node, "max_scale", rule.max_scale);
  if (node.has("aspect_ratios")) {
    rule.aspect_ratios.clear();
    for (const JsonNode& item : node.at("aspect_ratios").items(1, 16)) {
      rule.aspect_ratios.push_back(item.number(0.01, 100));
    }
  }
  if (node.has("reduce_lowest")) rule.reduce_lowest = node.at("reduce_lowest").boolean();
  return rule;
}

}  // namespace

std::shared_ptr<const Decoder> SsdRawDecoder::read(const JsonNode& section, std::span<const std::string> outputs) {
  static constexpr std::pair<std::string_view, Values> kValues[]{{"logits", Values::kLogits},
                                                                 {"probabilities", Values::kProbabilities}};
  section.expect_keys({"kind", "boxes", "scores", "values", "anchors", "box_scales", "threshold", "nms_threshold",
                       "max_detections", "nms_across_labels"});
  auto ssd = std::make_shared<SsdRawDecoder>();
  ssd->boxes = read_named(section, "boxes", outputs);
  ssd->scores = read_range(section.at("scores"), outputs);
  ssd->values = section.at("values").one_of(kValues);
  if (section.has("anchors")) ssd->anchors = read_anchors(section.at("anchors"));
  if (section.has("box_scales")) {
    const auto items = section.at("box_scales").items(4, 4);
    for (std::size_t i = 0; i < items.size(); ++i) ssd->box_scales[i] = items[i].number(0.01, 1000);
  }
  read_box_rules(section, ssd->rules);
  return ssd;
}

std::string SsdRawDecoder::describe() const {
  return fmt::format("ssd-raw: boxes {}, scores {} from value {}, {}", boxes, scores.output, scores.first,
                     posecam::describe(rules));
}

Result<std::unique_ptr<Postprocessor>> SsdRawDecoder::make(const ModelSpec& spec, const DecodeOptions& options) const {
  const auto box_index = spec.output_index(boxes);
  if (!box_index) return box_index.error();
  const auto score_index = spec.output_index(scores.output);
  if (!score_index) return score_index.error();
  if (ssd_anchor_count(anchors, spec.input.size) > kMostAnchors) {
    return Error{Errc::kModel, fmt::format("model '{}': {} anchors, more than {}; give larger strides", spec.name,
                                           ssd_anchor_count(anchors, spec.input.size), kMostAnchors)};
  }
  auto finder = make_box_finder("ssd-raw", spec, options, rules);
  if (!finder) return finder.error();
  return std::unique_ptr<Postprocessor>(
      std::make_unique<SsdRawPostprocessor>(*box_index, *score_index, *this, spec.input.size, std::move(*finder)));
}

}  // namespace posecam
