#include "postprocess/decode/classes.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "models/core/stage_log.h"
#include "postprocess/decode/boxes/detection_collector.h"

namespace posecam {
namespace {

/// exp(value) / sum of all exp(value) of scale * values; those that are not finite do not count and stay as they are.
/// The highest is taken off first, as exp() of 89 is beyond a float.
void softmax(std::span<float> values, double scale) {
  float highest = std::numeric_limits<float>::lowest();
  for (const float value : values) {
    if (std::isfinite(value)) highest = std::max(highest, value);
  }
  double sum = 0;
  for (float& value : values) {
    if (!std::isfinite(value)) continue;
    value = static_cast<float>(std::exp(scale * (double{value} - highest)));
    sum += value;
  }
  for (float& value : values) {
    if (std::isfinite(value)) value = static_cast<float>(value / sum);
  }
}

class ClassPostprocessor final : public Postprocessor {
 public:
  ClassPostprocessor(std::size_t output, ClassDecoder decoder, std::vector<std::uint8_t> wanted, float threshold)
      : output_(output),
        decoder_(std::move(decoder)),
        labels_(wanted.size()),
        wanted_(std::move(wanted)),
        threshold_(threshold) {
    scores_.reserve(labels_);
    found_.reserve(labels_);
  }

  Result<void> check(std::span<const TensorView> outputs) const override {
    const auto first = static_cast<std::size_t>(decoder_.scores.first);
    if (outputs.size() <= output_) {
      return Error{Errc::kModel, fmt::format("classes: {} outputs, the scores are output {}", outputs.size(), output_)};
    }
    const TensorView& tensor = outputs[output_];
    if (tensor.dtype != DType::kF32 || tensor.shape.elements() != first + labels_) {
      return Error{Errc::kModel,
                   fmt::format("classes: output is {} {}, expected f32 of {} values ({} labels from {})",
                               to_string(tensor.shape), to_string(tensor.dtype), first + labels_, labels_, first)};
    }
    return {};
  }

  Result<void> run(std::span<const TensorView> outputs, const Letterbox& /*letterbox*/, FrameResult& result) override {
    result.clear();
    if (auto fits = check(outputs); !fits) return fits;
    StageLaps laps;
    find(outputs[output_].as<float>(), static_cast<std::size_t>(decoder_.scores.first));
    const auto better = [](const Classification& a, const Classification& b) {
      return a.score > b.score || (a.score == b.score && a.label_id < b.label_id);
    };
    result.classes.resize(std::min(found_.size(), static_cast<std::size_t>(decoder_.top)));
    std::ranges::partial_sort_copy(found_, result.classes, better);
    laps.lap(Stage::kGrouping);
    return {};
  }

 private:
  /// All labels whose probability is high enough. Softmax is over all values, those without a label too.
  void find(std::span<const float> values, std::size_t first) {
    scores_.assign(values.begin(), values.end());
    if (decoder_.values == ClassDecoder::Values::kLogits) softmax(scores_, decoder_.scale);
    found_.clear();
    for (std::size_t label = 0; label < labels_; ++label) {
      const float score = scores_[first + label];
      // NaN and infinity fail this.
      if (wanted_[label] != 0 && score > 0 && score >= threshold_ && std::isfinite(score)) {
        found_.push_back({std::min(score, 1.F), static_cast<int>(label)});
      }
    }
  }

  std::size_t output_;
  ClassDecoder decoder_;
  std::size_t labels_;
  std::vector<std::uint8_t> wanted_;  ///< for each label
  float threshold_;
  std::vector<float> scores_;
  std::vector<Classification> found_;
};

}  // namespace

std::shared_ptr<const Decoder> ClassDecoder::read(const JsonNode& section, std::span<const std::string> outputs) {
  static constexpr std::pair<std::string_view, Values> kValues[]{{"logits", Values::kLogits},
                                                                 {"probabilities", Values::kProbabilities}};
  section.expect_keys({"kind", "scores", "values", "scale", "threshold", "top"});
  auto classes = std::make_shared<ClassDecoder>();
  classes->scores = read_range(section.at("scores"), outputs);
  classes->values = section.at("values").one_of(kValues);
  if (section.has("scale") && classes->values != Values::kLogits) {
    section.at("scale").problem(R"(only with "values": "logits"; probabilities are taken as they are)");
  }
  if (section.has("scale")) classes->scale = section.at("scale").number(1e-6, 1000);
  read_share(section, "threshold", classes->threshold);
  read_count(section, "top", classes->top);
  return classes;
}

std::string ClassDecoder::describe() const {
  return fmt::format("classes: {} from value {}, {}, the best {}", scores.output, scores.first,
                     values == Values::kLogits ? "logits" : "probabilities", top);
}

Result<std::unique_ptr<Postprocessor>> ClassDecoder::make(const ModelSpec& spec, const DecodeOptions& options) const {
  const auto output = spec.output_index(scores.output);
  if (!output) return output.error();
  if (spec.labels.empty()) return Error{Errc::kModel, fmt::format("model '{}': classes need labels", spec.name)};
  const auto least = threshold_or(options.threshold, threshold, "threshold");
  if (!least) return least.error();
  return std::unique_ptr<Postprocessor>(
      std::make_unique<ClassPostprocessor>(*output, *this, wanted_labels(spec, options), *least));
}

}  // namespace posecam
