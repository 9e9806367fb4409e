#include "postprocess/decode/yolo/yolo.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "postprocess/decode/section.h"

namespace posecam {
namespace {

constexpr std::size_t kBox = 4;
constexpr std::size_t kEndToEndValues = 6;  // box, score, label

class YoloPostprocessor final : public BoxPostprocessor {
 public:
  YoloPostprocessor(std::size_t output, YoloForm form, BoxFinder finder)
      : BoxPostprocessor(std::move(finder)), output_(output), form_(form) {}

  Result<void> check(std::span<const TensorView> outputs) const override {
    return expect_yolo_list(outputs, output_, form_, form_ == YoloForm::kEndToEnd ? kEndToEndValues : kBox + labels(),
                            "yolo", "check form and labels of the descriptor");
  }

 protected:
  void find(std::span<const TensorView> outputs, const Letterbox& letterbox, BoxFinder& finder) override {
    const YoloRows rows(outputs[output_], form_);
    for (std::size_t n = 0; n < rows.count(); ++n) {
      const YoloRow row = rows[n];
      if (form_ == YoloForm::kEndToEnd) {
        if (!finder.takes(row[kBox + 1], row[kBox])) continue;
        finder.collector.add(yolo_box(row, form_), row[kBox], static_cast<int>(row[kBox + 1]), letterbox);
        continue;
      }
      const BestLabel best = best_of(row, n, rows.count());
      if (finder.takes(best.label, best.score)) {
        finder.collector.add(yolo_box(row, form_), best.score, best.label, letterbox);
      }
    }
  }

 private:
  /// Of row n; rows are asked for one after the other.
  BestLabel best_of(const YoloRow& row, std::size_t n, std::size_t count) {
    if (form_ == YoloForm::kChannelsLast) return best_label(row.values.subspan(kBox));
    const std::size_t place = n % BestLabels::kPlaces;
    if (place == 0) {
      best_.find(row.values.subspan(kBox * row.step), labels(), row.step, std::min(BestLabels::kPlaces, count - n));
    }
    return best_[place];
  }

  std::size_t output_;
  YoloForm form_;
  BestLabels best_;  ///< of the rows around the last that was asked for
};

}  // namespace

Result<void> expect_yolo_list(std::span<const TensorView> outputs, std::size_t index, YoloForm form, std::size_t width,
                              std::string_view kind, std::string_view remedy) {
  const auto values = static_cast<std::int64_t>(width);
  if (form == YoloForm::kChannelsFirst) return expect_output(outputs, index, {1, values, -1}, kind, remedy);
  return expect_output(outputs, index, {1, -1, values}, kind, remedy);
}

std::string_view to_string(YoloForm form) {
  for (const auto& [word, value] : kYoloForms) {
    if (value == form) return word;
  }
  return "";
}

std::shared_ptr<const Decoder> YoloDecoder::read(const JsonNode& section, std::span<const std::string> outputs) {
  section.expect_keys({"kind", "output", "form", "threshold", "nms_threshold", "max_detections", "nms_across_labels"});
  auto yolo = std::make_shared<YoloDecoder>();
  yolo->output = read_output(section, outputs);
  if (section.has("form")) yolo->form = section.at("form").one_of(kYoloForms);
  if (yolo->form == YoloForm::kEndToEnd) yolo->rules.nms_threshold = 1;
  read_box_rules(section, yolo->rules);
  return yolo;
}

std::string YoloDecoder::describe() const {
  return fmt::format("yolo: {}, {}, {}", output, to_string(form), posecam::describe(rules));
}

Result<std::unique_ptr<Postprocessor>> YoloDecoder::make(const ModelSpec& spec, const DecodeOptions& options) const {
  const auto index = spec.output_index(output);
  if (!index) return index.error();
  auto finder = make_box_finder("yolo", spec, options, rules);
  if (!finder) return finder.error();
  return std::unique_ptr<Postprocessor>(std::make_unique<YoloPostprocessor>(*index, form, std::move(*finder)));
}

}  // namespace posecam
