#include "postprocess/decode/single/coordinates.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "models/core/stage_log.h"
#include "postprocess/decode/section.h"
#include "postprocess/decode/sigmoid.h"
#include "postprocess/decode/single/one_person.h"

namespace posecam {
namespace {

/// The decoder of one model: its outputs are found, its units are pixels.
struct Plan {
  NamedOutput points;
  std::optional<NamedOutput> scores;
  std::optional<NamedOutput> person;
  std::optional<MapsOutput> maps;
  std::size_t parts = 0;
  std::size_t count = 0;
  Point pixels;      ///< that 1 stands for
  std::string what;  ///< the points are, for messages
};

class CoordinatesPostprocessor final : public Postprocessor {
 public:
  CoordinatesPostprocessor(Plan plan, CoordinatesDecoder decoder, float threshold)
      : plan_(std::move(plan)),
        decoder_(std::move(decoder)),
        values_(static_cast<std::size_t>(decoder_.values)),
        person_(threshold) {}

  Result<void> check(std::span<const TensorView> outputs) const override {
    if (auto fits = check_values(outputs, plan_.points, plan_.count * values_, plan_.what); !fits) return fits;
    if (plan_.scores) {
      if (auto fits = check_values(outputs, *plan_.scores, plan_.count, "a score a point"); !fits) return fits;
    }
    if (plan_.person) {
      if (auto fits = check_values(outputs, *plan_.person, 1, "the person's score"); !fits) return fits;
    }
    return plan_.maps ? plan_.maps->check(outputs) : Result<void>();
  }

  Result<void> run(std::span<const TensorView> outputs, const Letterbox& letterbox, FrameResult& result) override {
    result.clear();
    if (auto fits = check(outputs); !fits) return fits;
    StageLaps laps;
    std::optional<float> flag;
    if (plan_.person) {
      flag = score_of(outputs[plan_.person->index].as<float>()[0], decoder_.person->logit);
      if (!(*flag > 0 && *flag >= decoder_.person->threshold)) return {};  // NaN is nobody, too
    }
    find(outputs, letterbox);
    person_.finish(flag, result);
    laps.lap(Stage::kGrouping);
    return {};
  }

 private:
  static float score_of(float value, bool logit) { return logit ? sigmoid(value) : value; }

  void find(std::span<const TensorView> outputs, const Letterbox& letterbox) {
    const auto values = outputs[plan_.points.index].as<float>();
    const auto scores = plan_.scores ? outputs[plan_.scores->index].as<float>() : std::span<const float>();
    const auto maps = plan_.maps ? std::optional(plan_.maps->maps(outputs)) : std::nullopt;
    person_.clear();
    for (std::size_t part = 0; part < plan_.parts; ++part) {
      const auto point = values.subspan(part * values_, values_);
      Point at{point[static_cast<std::size_t>(decoder_.x)] * plan_.pixels.x,
               point[static_cast<std::size_t>(decoder_.y)] * plan_.pixels.y};
      if (maps) at = refined(*maps, part, at);
      float score = 1;
      if (decoder_.score) {
        const float value = scores.empty() ? point[static_cast<std::size_t>(decoder_.score->value)] : scores[part];
        score = score_of(value, decoder_.score->logit);
      }
      person_.add(part, at, score, letterbox);
    }
  }

  Point refined(const Maps& maps, std::size_t part, Point at) const {
    const auto stride = static_cast<float>(decoder_.refine->maps.stride);
    const auto cell = refined_by_heatmap(maps, part, {at.x / stride, at.y / stride}, decoder_.refine->window);
    return cell ? Point{cell->x * stride, cell->y * stride} : at;
  }

  Plan plan_;
  CoordinatesDecoder decoder_;
  std::size_t values_;
  OnePerson person_;
};

Point pixels_of(const CoordinatesDecoder& decoder, Size input) {
  switch (decoder.unit) {
    case CoordinatesDecoder::Unit::kPixels: return Point{1, 1};
    case CoordinatesDecoder::Unit::kInput:
      return Point{static_cast<float>(input.width), static_cast<float>(input.height)};
    case CoordinatesDecoder::Unit::kGiven: break;
  }
  return decoder.pixels;
}

/// Of an output that may be none.
Result<void> find_if_named(const ModelSpec& spec, std::string_view name, std::optional<NamedOutput>& found) {
  if (name.empty()) return {};
  auto output = find_output(spec, name);
  if (!output) return output.error();
  found = *std::move(output);
  return {};
}

Result<Plan> plan_of(const CoordinatesDecoder& decoder, const ModelSpec& spec) {
  const auto parts = parts_of(spec, "coordinates");
  if (!parts) return parts.error();
  Plan plan;
  plan.parts = *parts;
  plan.count = decoder.count == 0 ? *parts : static_cast<std::size_t>(decoder.count);
  if (plan.count < plan.parts) {
    return Error{Errc::kModel, fmt::format("model '{}': its skeleton has {} parts, but the decoder reads {} points",
                                           spec.name, plan.parts, plan.count)};
  }
  plan.what = fmt::format("{} points of {}", plan.count, decoder.values);
  auto points = find_output(spec, decoder.output);
  if (!points) return points.error();
  plan.points = *std::move(points);
  if (decoder.score) {
    if (auto found = find_if_named(spec, decoder.score->output, plan.scores); !found) return found.error();
  }
  if (decoder.person) {
    if (auto found = find_if_named(spec, decoder.person->output, plan.person); !found) return found.error();
  }
  if (decoder.refine) {
    auto maps = MapsOutput::make(spec, decoder.refine->maps, plan.parts);
    if (!maps) return maps.error();
    plan.maps = *std::move(maps);
  }
  plan.pixels = pixels_of(decoder, spec.input.size);
  return plan;
}

void read_points(const JsonNode& node, std::span<const std::string> outputs, CoordinatesDecoder& decoder) {
  using Unit = CoordinatesDecoder::Unit;
  static constexpr std::pair<std::string_view, Unit> kUnits[]{{"pixels", Unit::kPixels}, {"input", Unit::kInput}};
  node.expect_keys({"output", "count", "values", "x", "y", "unit"});
  decoder.output = read_output(node, outputs);
  read_count(node, "count", decoder.count);
  decoder.values = static_cast<int>(node.at("values").integer(2, 64));
  decoder.x = static_cast<int>(node.at("x").integer(0, decoder.values - 1));
  decoder.y = static_cast<int>(node.at("y").integer(0, decoder.values - 1));
  if (decoder.x == decoder.y) node.at("y").mismatch("another value than x");
  const JsonNode unit = node.at("unit");
  if (unit.is_text()) {
    decoder.unit = unit.one_of(kUnits);
    return;
  }
  unit.expect_keys({"x", "y"});
  decoder.unit = Unit::kGiven;
  decoder.pixels = {unit.at("x").number(1e-6, 1e6), unit.at("y").number(1e-6, 1e6)};
}

CoordinatesDecoder::Score read_score(const JsonNode& node, std::span<const std::string> outputs, int values) {
  CoordinatesDecoder::Score score;
  node.expect_keys({"value", "output", "logit"});
  if (node.has("output")) {
    score.output = read_output(node, outputs);
    if (node.has("value")) node.at("value").problem("not with an output of the scores");
  } else {
    score.value = static_cast<int>(node.at("value").integer(0, values - 1));
  }
  if (node.has("logit")) score.logit = node.at("logit").boolean();
  return score;
}

CoordinatesDecoder::Flag read_flag(const JsonNode& node, std::span<const std::string> outputs) {
  CoordinatesDecoder::Flag flag;
  node.expect_keys({"output", "logit", "threshold"});
  flag.output = read_output(node, outputs);
  if (node.has("logit")) flag.logit = node.at("logit").boolean();
  read_share(node, "threshold", flag.threshold);
  return flag;
}

CoordinatesDecoder::Refinement read_refinement(const JsonNode& node, std::span<const std::string> outputs) {
  CoordinatesDecoder::Refinement refinement;
  node.expect_keys({"output", "first", "layout", "stride", "window"});
  refinement.maps = MapsSection::read(node, outputs);
  if (node.has("window")) {
    refinement.window = static_cast<int>(node.at("window").integer(1, 31));
    if (refinement.window % 2 == 0) node.at("window").mismatch("an odd number");
  }
  return refinement;
}

}  // namespace

std::optional<Point> refined_by_heatmap(const Maps& maps, std::size_t part, Point at, int window) {
  // NaN fails this. Towards 0 as MediaPipe has it: what is less than a cell outside on the left or above is inside.
  if (!(at.x > -1 && at.x < static_cast<float>(maps.width) && at.y > -1 && at.y < static_cast<float>(maps.height))) {
    return std::nullopt;
  }
  constexpr float kLeastConfidence = 0.5F;  // min_confidence_to_refine, by default
  const int reach = (window - 1) / 2;
  const auto column = static_cast<int>(at.x);
  const auto row = static_cast<int>(at.y);
  float sum = 0;
  float most = 0;
  Point weighted;
  for (int y = std::max(0, row - reach); y < std::min(maps.height, row + reach + 1); ++y) {
    for (int x = std::max(0, column - reach); x < std::min(maps.width, column + reach + 1); ++x) {
      const float confidence = sigmoid(maps.at(part, x, y));
      sum += confidence;
      most = std::max(most, confidence);
      weighted.x += static_cast<float>(x) * confidence;
      weighted.y += static_cast<float>(y) * confidence;
    }
  }
  if (most < kLeastConfidence) return std::nullopt;
  return Point{weighted.x / sum, weighted.y / sum};
}

std::shared_ptr<const Decoder> CoordinatesDecoder::read(const JsonNode& section, std::span<const std::string> outputs) {
  section.expect_keys({"kind", "points", "score", "person", "heatmaps", "threshold"});
  auto coordinates = std::make_shared<CoordinatesDecoder>();
  read_points(section.at("points"), outputs, *coordinates);
  if (section.has("score")) coordinates->score = read_score(section.at("score"), outputs, coordinates->values);
  if (section.has("person")) coordinates->person = read_flag(section.at("person"), outputs);
  if (section.has("heatmaps")) coordinates->refine = read_refinement(section.at("heatmaps"), outputs);
  read_share(section, "threshold", coordinates->threshold);
  return coordinates;
}

std::string CoordinatesDecoder::describe() const {
  std::string text = fmt::format("coordinates: {}, {} values a point", output, values);
  if (person) text += fmt::format(", person by {} from {}", person->output, person->threshold);
  if (refine) text += fmt::format(", refined by {}", refine->maps.channels.output);
  return text + fmt::format(", threshold {}", threshold);
}

Result<std::unique_ptr<Postprocessor>> CoordinatesDecoder::make(const ModelSpec& spec,
                                                                const DecodeOptions& options) const {
  auto plan = plan_of(*this, spec);
  if (!plan) return plan.error();
  const auto least = keypoint_threshold(options, threshold);
  if (!least) return least.error();
  return std::unique_ptr<Postprocessor>(std::make_unique<CoordinatesPostprocessor>(*std::move(plan), *this, *least));
}

}  // namespace posecam
