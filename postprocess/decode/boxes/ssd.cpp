#include "postprocess/decode/boxes/ssd.h"

#include <span>
#include <utility>

#include <fmt/format.h>

#include "postprocess/decode/section.h"

namespace posecam {
namespace {

constexpr std::size_t kRowValues = 7;

class SsdPostprocessor final : public BoxPostprocessor {
 public:
  SsdPostprocessor(std::size_t output, BoxFinder finder) : BoxPostprocessor(std::move(finder)), output_(output) {}

  Result<void> check(std::span<const TensorView> outputs) const override {
    return expect_output(outputs, output_, {1, 1, -1, kRowValues}, "SSD", "check outputs of the descriptor");
  }

 protected:
  void find(std::span<const TensorView> outputs, const Letterbox& letterbox, BoxFinder& finder) override {
    auto values = outputs[output_].as<float>();
    const auto width = static_cast<float>(letterbox.input.width);
    const auto height = static_cast<float>(letterbox.input.height);
    for (; values.size() >= kRowValues; values = values.subspan(kRowValues)) {
      const float image = values[0];
      const float label = values[1];
      const float score = values[2];
      if (image < 0) break;
      // Written so that NaN fails.
      if (image != 0 || !finder.takes(label, score)) continue;
      const Corners box{values[3] * width, values[4] * height, values[5] * width, values[6] * height};
      finder.collector.add(box, score, static_cast<int>(label), letterbox);
    }
  }

 private:
  std::size_t output_;
};

}  // namespace

std::shared_ptr<const Decoder> SsdDecoder::read(const JsonNode& section, std::span<const std::string> outputs) {
  section.expect_keys({"kind", "output", "threshold", "nms_threshold", "max_detections", "nms_across_labels"});
  auto ssd = std::make_shared<SsdDecoder>();
  ssd->output = read_output(section, outputs);
  read_box_rules(section, ssd->rules);
  return ssd;
}

std::string SsdDecoder::describe() const { return fmt::format("ssd: {}, {}", output, posecam::describe(rules)); }

Result<std::unique_ptr<Postprocessor>> SsdDecoder::make(const ModelSpec& spec, const DecodeOptions& options) const {
  const auto index = spec.output_index(output);
  if (!index) return index.error();
  if (spec.input.batch != 1) {
    return Error{Errc::kModel,
                 fmt::format("model '{}': batch {}, but DetectionOutput joins the images of a batch in one "
                             "list; set batch to 1",
                             spec.name, spec.input.batch)};
  }
  auto finder = make_box_finder("SSD", spec, options, rules);
  if (!finder) return finder.error();
  return std::unique_ptr<Postprocessor>(std::make_unique<SsdPostprocessor>(*index, std::move(*finder)));
}

}  // namespace posecam
