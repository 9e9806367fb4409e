#include "postprocess/decode/boxes/ssd.h"

#include <span>
#include <utility>

#include <fmt/format.h>

#include "models/core/stage_log.h"
#include "postprocess/decode/boxes/detection_collector.h"
#include "postprocess/decode/section.h"

namespace posecam {
namespace {

constexpr std::size_t kRowValues = 7;

class SsdPostprocessor final : public Postprocessor {
 public:
  SsdPostprocessor(std::size_t output, std::size_t labels, float threshold, DetectionCollector collector)
      : output_(output), labels_(static_cast<float>(labels)), threshold_(threshold), collector_(std::move(collector)) {}

  Result<void> check(std::span<const TensorView> outputs) const override {
    if (outputs.size() <= output_) {
      return Error{Errc::kModel, fmt::format("SSD: {} outputs, the boxes are output {}", outputs.size(), output_)};
    }
    const TensorView& tensor = outputs[output_];
    const Shape& shape = tensor.shape;
    if (tensor.dtype != DType::kF32 || shape.rank() == 0 || shape[shape.rank() - 1] != kRowValues) {
      return Error{Errc::kModel, fmt::format("SSD: output is {} {}, expected 1x1xNx7 f32", to_string(shape),
                                             to_string(tensor.dtype))};
    }
    return {};
  }

  Result<void> run(std::span<const TensorView> outputs, const Letterbox& letterbox, FrameResult& result) override {
    result.clear();
    if (auto fits = check(outputs); !fits) return fits;
    StageLaps laps;
    decode(outputs[output_].as<float>(), letterbox);
    collector_.finish(result.detections);
    laps.lap(Stage::kGrouping);
    return {};
  }

 private:
  void decode(std::span<const float> values, const Letterbox& letterbox) {
    collector_.clear();
    const auto width = static_cast<float>(letterbox.input.width);
    const auto height = static_cast<float>(letterbox.input.height);
    for (; values.size() >= kRowValues; values = values.subspan(kRowValues)) {
      const float image = values[0];
      const float label = values[1];
      const float score = values[2];
      if (image < 0) break;
      // Written so that NaN fails each of them.
      if (image != 0 || !(label >= 0 && label < labels_) || !(score > 0 && score >= threshold_)) continue;
      const Corners box{values[3] * width, values[4] * height, values[5] * width, values[6] * height};
      collector_.add(box, score, static_cast<int>(label), letterbox);
    }
  }

  std::size_t output_;
  float labels_;
  float threshold_;
  DetectionCollector collector_;
};

}  // namespace

std::shared_ptr<const Decoder> SsdDecoder::read(const JsonNode& section, std::span<const std::string> outputs) {
  section.expect_keys({"kind", "output", "threshold", "nms_threshold", "max_detections"});
  auto ssd = std::make_shared<SsdDecoder>();
  ssd->output = read_output(section, outputs);
  read_share(section, "threshold", ssd->threshold);
  read_share(section, "nms_threshold", ssd->nms_threshold);
  read_count(section, "max_detections", ssd->max_detections);
  return ssd;
}

std::string SsdDecoder::describe() const {
  return fmt::format("ssd: {}, threshold {}, NMS at IoU {}", output, threshold, nms_threshold);
}

Result<std::unique_ptr<Postprocessor>> SsdDecoder::make(const ModelSpec& spec, const DecodeOptions& options) const {
  const auto index = spec.output_index(output);
  if (!index) return index.error();
  if (spec.labels.empty()) return Error{Errc::kModel, fmt::format("model '{}': SSD needs labels", spec.name)};
  if (spec.input.batch != 1) {
    return Error{Errc::kModel,
                 fmt::format("model '{}': batch {}, but DetectionOutput joins the images of a batch in one "
                             "list; set batch to 1",
                             spec.name, spec.input.batch)};
  }
  const auto least = threshold_or(options.threshold, threshold, "threshold");
  if (!least) return least.error();
  const auto overlap = threshold_or(options.nms_threshold, nms_threshold, "nms-threshold");
  if (!overlap) return overlap.error();
  return std::unique_ptr<Postprocessor>(std::make_unique<SsdPostprocessor>(
      *index, spec.labels.size(), *least, DetectionCollector(*overlap, max_detections)));
}

}  // namespace posecam
