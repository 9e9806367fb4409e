#include "postprocess/decode/boxes/fastestdet.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "postprocess/decode/section.h"
#include "postprocess/decode/sigmoid.h"

namespace posecam {
namespace {

constexpr std::size_t kFirstLabel = 5;  // behind objectness and box
constexpr float kObjectnessPower = 0.6F;
constexpr float kLabelPower = 0.4F;

class FastestDetPostprocessor final : public BoxPostprocessor {
 public:
  FastestDetPostprocessor(std::size_t output, BoxFinder finder)
      : BoxPostprocessor(std::move(finder)), output_(output) {}

  Result<void> check(std::span<const TensorView> outputs) const override {
    return expect_output(outputs, output_, {1, static_cast<std::int64_t>(kFirstLabel + labels()), -1, -1}, "fastestdet",
                         "check the labels of the descriptor");
  }

 protected:
  void find(std::span<const TensorView> outputs, const Letterbox& letterbox, BoxFinder& finder) override {
    const Shape& shape = outputs[output_].shape;
    const auto values = outputs[output_].as<float>();
    const auto columns = static_cast<std::size_t>(shape[3]);
    const std::size_t cells = static_cast<std::size_t>(shape[2]) * columns;
    const float across = static_cast<float>(letterbox.input.width) / static_cast<float>(shape[3]);
    const float down = static_cast<float>(letterbox.input.height) / static_cast<float>(shape[2]);
    for (std::size_t cell = 0; cell < cells; ++cell) {
      const auto channel = values.subspan(cell);
      const std::size_t place = cell % BestLabels::kPlaces;
      if (place == 0) {
        labels_.find(channel.subspan(kFirstLabel * cells), labels(), cells,
                     std::min(BestLabels::kPlaces, cells - cell));
      }
      const BestLabel best = labels_[place];
      const float score = std::pow(channel[0], kObjectnessPower) * std::pow(best.score, kLabelPower);
      if (!finder.takes(best.label, score)) continue;
      const std::size_t row = cell / columns;
      finder.collector.add(around((static_cast<float>(cell % columns) + std::tanh(channel[cells])) * across,
                                  (static_cast<float>(row) + std::tanh(channel[2 * cells])) * down,
                                  sigmoid(channel[3 * cells]) * static_cast<float>(letterbox.input.width),
                                  sigmoid(channel[4 * cells]) * static_cast<float>(letterbox.input.height)),
                           score, best.label, letterbox);
    }
  }

 private:
  std::size_t output_;
  BestLabels labels_;
};

}  // namespace

std::shared_ptr<const Decoder> FastestDetDecoder::read(const JsonNode& section, std::span<const std::string> outputs) {
  section.expect_keys({"kind", "output", "threshold", "nms_threshold", "max_detections", "nms_across_labels"});
  auto fastest = std::make_shared<FastestDetDecoder>();
  fastest->output = read_output(section, outputs);
  read_box_rules(section, fastest->rules);
  return fastest;
}

std::string FastestDetDecoder::describe() const {
  return fmt::format("fastestdet: {}, {}", output, posecam::describe(rules));
}

Result<std::unique_ptr<Postprocessor>> FastestDetDecoder::make(const ModelSpec& spec,
                                                               const DecodeOptions& options) const {
  const auto index = spec.output_index(output);
  if (!index) return index.error();
  auto finder = make_box_finder("fastestdet", spec, options, rules);
  if (!finder) return finder.error();
  return std::unique_ptr<Postprocessor>(std::make_unique<FastestDetPostprocessor>(*index, std::move(*finder)));
}

}  // namespace posecam
