#include "postprocess/decode/single/simcc.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "models/core/stage_log.h"
#include "postprocess/decode/section.h"
#include "postprocess/decode/single/one_person.h"

namespace posecam {
namespace {

/// One of the two outputs.
struct Axis {
  NamedOutput output;
  std::size_t bins = 0;  ///< of each part
  std::string what;      ///< for messages, which come from where nothing is allocated
};

struct Bin {
  std::size_t index = 0;
  float value = std::numeric_limits<float>::lowest();  ///< finite
};

/// The first of the highest; what is not finite does not count.
Bin highest(std::span<const float> bins) {
  Bin best;
  for (std::size_t i = 0; i < bins.size(); ++i) {
    if (bins[i] > best.value && std::isfinite(bins[i])) best = {i, bins[i]};
  }
  return best;
}

class SimccPostprocessor final : public Postprocessor {
 public:
  SimccPostprocessor(Axis x, Axis y, std::size_t parts, const SimccDecoder& decoder, float threshold)
      : x_(std::move(x)),
        y_(std::move(y)),
        parts_(parts),
        ratio_(decoder.ratio),
        score_(decoder.score),
        person_(threshold) {}

  Result<void> check(std::span<const TensorView> outputs) const override {
    for (const Axis* axis : {&x_, &y_}) {
      if (auto fits = check_values(outputs, axis->output, parts_ * axis->bins, axis->what); !fits) return fits;
    }
    return {};
  }

  Result<void> run(std::span<const TensorView> outputs, const Letterbox& letterbox, FrameResult& result) override {
    result.clear();
    if (auto fits = check(outputs); !fits) return fits;
    StageLaps laps;
    const auto columns = outputs[x_.output.index].as<float>();
    const auto rows = outputs[y_.output.index].as<float>();
    person_.clear();
    for (std::size_t part = 0; part < parts_; ++part) {
      const Bin x = highest(columns.subspan(part * x_.bins, x_.bins));
      const Bin y = highest(rows.subspan(part * y_.bins, y_.bins));
      const Point at{static_cast<float>(x.index) / ratio_, static_cast<float>(y.index) / ratio_};
      person_.add(part, at, score(x.value, y.value), letterbox);
    }
    person_.finish({}, result);
    laps.lap(Stage::kGrouping);
    return {};
  }

 private:
  float score(float x, float y) const {
    return score_ == SimccDecoder::Score::kSmaller ? std::min(x, y) : x / 2 + y / 2;  // the sum may be beyond a float
  }

  Axis x_;
  Axis y_;
  std::size_t parts_;
  float ratio_;
  SimccDecoder::Score score_;
  OnePerson person_;
};

Result<Axis> find_axis(const ModelSpec& spec, const std::string& name, std::size_t parts, int pixels, float ratio) {
  auto output = find_output(spec, name);
  if (!output) return output.error();
  const auto bins = std::lround(static_cast<float>(pixels) * ratio);
  if (bins < 1) {
    return Error{Errc::kModel, fmt::format("model '{}': {} bins a pixel of {} make none", spec.name, ratio, pixels)};
  }
  return Axis{*std::move(output), static_cast<std::size_t>(bins), fmt::format("{} parts of {} bins", parts, bins)};
}

std::string read_axis(const JsonNode& node, std::span<const std::string> outputs) {
  node.expect_keys({"output"});
  return read_output(node, outputs);
}

}  // namespace

std::shared_ptr<const Decoder> SimccDecoder::read(const JsonNode& section, std::span<const std::string> outputs) {
  static constexpr std::pair<std::string_view, Score> kScores[]{{"smaller", Score::kSmaller}, {"mean", Score::kMean}};
  section.expect_keys({"kind", "x", "y", "ratio", "score", "threshold"});
  auto simcc = std::make_shared<SimccDecoder>();
  simcc->x = read_axis(section.at("x"), outputs);
  simcc->y = read_axis(section.at("y"), outputs);
  if (section.has("ratio")) simcc->ratio = section.at("ratio").number(0.25, 16);
  if (section.has("score")) simcc->score = section.at("score").one_of(kScores);
  read_share(section, "threshold", simcc->threshold);
  return simcc;
}

std::string SimccDecoder::describe() const {
  return fmt::format("simcc: {} and {}, {} bins a pixel, {} score, threshold {}", x, y, ratio,
                     score == Score::kSmaller ? "smaller" : "mean", threshold);
}

Result<std::unique_ptr<Postprocessor>> SimccDecoder::make(const ModelSpec& spec, const DecodeOptions& options) const {
  const auto parts = parts_of(spec, "SimCC's bins");
  if (!parts) return parts.error();
  auto columns = find_axis(spec, x, *parts, spec.input.size.width, ratio);
  if (!columns) return columns.error();
  auto rows = find_axis(spec, y, *parts, spec.input.size.height, ratio);
  if (!rows) return rows.error();
  const auto least = keypoint_threshold(options, threshold);
  if (!least) return least.error();
  return std::unique_ptr<Postprocessor>(
      std::make_unique<SimccPostprocessor>(*std::move(columns), *std::move(rows), *parts, *this, *least));
}

}  // namespace posecam
