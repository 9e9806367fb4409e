#include "postprocess/decode/multipose/multipose.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "models/core/stage_log.h"
#include "postprocess/decode/boxes/detection_collector.h"
#include "postprocess/decode/multipose/best_few.h"
#include "postprocess/decode/section.h"

namespace posecam {
namespace {

constexpr std::size_t kBoxAndScore = 5;      // behind the keypoints of a baked row
constexpr std::int64_t kMostRows = 100'000;  // far more than any network gives: bounds the time
constexpr float kBakedStride = 4;            // of MoveNet's maps, which its baked rows come from

/// What is kept of a person, and how.
struct Limits {
  float threshold = 0;
  float keypoint_threshold = 0;
  float slack = 0;  ///< input pixels
  std::size_t most_people = 1;
};

std::optional<Keypoint> keypoint(Point input_pixels, float score, const Letterbox& letterbox, const Limits& limits) {
  if (!(score > 0 && score >= limits.keypoint_threshold)) return std::nullopt;
  const Point at = letterbox.to_image(input_pixels);
  const float slack_x = limits.slack / letterbox.content.x;
  const float slack_y = limits.slack / letterbox.content.y;
  // False for what is not finite, too.
  const bool inside = at.x >= -slack_x && at.x <= 1 + slack_x && at.y >= -slack_y && at.y <= 1 + slack_y;
  if (!inside) return std::nullopt;
  return Keypoint{std::clamp(at.x, 0.0F, 1.0F), std::clamp(at.y, 0.0F, 1.0F), std::min(score, 1.0F)};
}

/// Adds the person if anything of it was found. `part(i)` is the place of keypoint i in input pixels, and its score.
template <class Part>
void add_pose(float score, std::size_t parts, Part&& part, const std::optional<Box>& box, const Letterbox& letterbox,
              const Limits& limits, std::vector<Pose>& poses) {
  if (!(score > 0 && score >= limits.threshold)) return;
  Pose pose;
  bool anywhere = false;
  for (std::size_t i = 0; i < parts; ++i) {
    const auto [at, part_score] = part(i);
    pose.keypoints[i] = keypoint(at, part_score, letterbox, limits);
    anywhere |= pose.keypoints[i].has_value();
  }
  if (!anywhere) return;
  pose.score = std::min(score, 1.0F);
  pose.own_box = box;
  poses.push_back(pose);
}

class BakedPostprocessor final : public Postprocessor {
 public:
  BakedPostprocessor(std::size_t output, std::string name, std::size_t parts, const Limits& limits)
      : output_(output),
        name_(std::move(name)),
        parts_(parts),
        values_(3 * parts + kBoxAndScore),
        limits_(limits),
        best_(limits.most_people) {}

  Result<void> check(std::span<const TensorView> outputs) const override {
    if (outputs.size() <= output_) {
      return Error{Errc::kModel,
                   fmt::format("multipose: {} outputs, '{}' is output {}", outputs.size(), name_, output_)};
    }
    const TensorView& tensor = outputs[output_];
    const Shape& shape = tensor.shape;
    if (tensor.dtype != DType::kF32 || shape.rank() != 3 || shape[0] != 1 || shape[1] < 0 || shape[1] > kMostRows ||
        shape[2] != static_cast<std::int64_t>(values_)) {
      return Error{Errc::kModel, fmt::format("multipose: output '{}' is {} {}, expected f32 1xPEOPLEx{} for {} "
                                             "keypoints; check the skeleton of the descriptor and its decoder",
                                             name_, to_string(shape), to_string(tensor.dtype), values_, parts_)};
    }
    return {};
  }

  Result<void> run(std::span<const TensorView> outputs, const Letterbox& letterbox, FrameResult& result) override {
    result.clear();
    if (auto fits = check(outputs); !fits) return fits;
    StageLaps laps;
    const auto values = outputs[output_].as<float>();
    best_.clear();
    for (std::size_t row = 0; row < values.size() / values_; ++row) {
      const float score = values[(row + 1) * values_ - 1];
      if (score > 0 && score >= limits_.threshold) best_.add({score, static_cast<std::uint32_t>(row)});
    }
    for (const Ranked& person : best_.finish()) {
      add(values.subspan(person.index * values_, values_), letterbox, result.poses);
    }
    laps.lap(Stage::kGrouping);
    return {};
  }

 private:
  void add(std::span<const float> row, const Letterbox& letterbox, std::vector<Pose>& poses) const {
    const auto width = static_cast<float>(letterbox.input.width);
    const auto height = static_cast<float>(letterbox.input.height);
    const auto part = [&](std::size_t i) {
      return std::pair(Point{row[3 * i + 1] * width, row[3 * i] * height}, row[3 * i + 2]);
    };
    const auto edges = row.subspan(3 * parts_);  // ymin, xmin, ymax, xmax
    const Corners box{edges[1] * width, edges[0] * height, edges[3] * width, edges[2] * height};
    add_pose(row.back(), parts_, part, visible_box(box, letterbox), letterbox, limits_, poses);
  }

  std::size_t output_;
  std::string name_;
  std::size_t parts_;
  std::size_t values_;
  Limits limits_;
  BestFew best_;
};

/// One of the maps: which output, and how many channels it must have.
struct MapOutput {
  std::size_t output = 0;
  std::string name;
  std::int64_t channels = 0;
  HeadMap Heads::*map = nullptr;
};

class HeadsPostprocessor final : public Postprocessor {
 public:
  HeadsPostprocessor(std::vector<MapOutput> maps, const MultiposeDecoder& decoder, std::size_t parts, Size cells,
                     const Limits& limits)
      : maps_(std::move(maps)),
        layout_(decoder.layout),
        stride_(static_cast<float>(decoder.stride)),
        parts_(parts),
        cells_(cells),
        limits_(limits),
        // No person scores more than its centre.
        heads_(decoder.people, parts, limits.threshold, limits.most_people) {}

  Result<void> check(std::span<const TensorView> outputs) const override {
    for (const MapOutput& map : maps_) {
      if (map.output >= outputs.size()) {
        return Error{Errc::kModel, fmt::format("output '{}' is number {}, but the device gave {} outputs", map.name,
                                               map.output, outputs.size())};
      }
      const TensorView& tensor = outputs[map.output];
      const Shape wanted = layout_ == Layout::kNchw ? Shape{1, map.channels, cells_.height, cells_.width}
                                                    : Shape{1, cells_.height, cells_.width, map.channels};
      if (tensor.dtype != DType::kF32 || tensor.shape != wanted) {
        return Error{Errc::kModel,
                     fmt::format("output '{}' is {} {}, expected f32 {}; check layout, stride and "
                                 "skeleton of the descriptor",
                                 map.name, to_string(tensor.shape), to_string(tensor.dtype), to_string(wanted))};
      }
    }
    return {};
  }

  Result<void> run(std::span<const TensorView> outputs, const Letterbox& letterbox, FrameResult& result) override {
    result.clear();
    if (auto fits = check(outputs); !fits) return fits;
    StageLaps laps;
    Heads heads;
    heads.width = cells_.width;
    heads.height = cells_.height;
    const std::size_t cells = static_cast<std::size_t>(cells_.width) * cells_.height;
    for (const MapOutput& map : maps_) {
      const bool planes = layout_ == Layout::kNchw;
      heads.*map.map = {outputs[map.output].as<float>().data(), planes ? 1 : static_cast<std::size_t>(map.channels),
                        planes ? cells : 1};
    }
    for (const HeadPerson& person : heads_.decode(heads)) {
      const auto part = [&](std::size_t i) {
        const HeadPart& found = person.parts[i];
        return std::pair(in_pixels(found.at), found.score);
      };
      const Point from = in_pixels(person.box_from);
      const Point to = in_pixels(person.box_to);
      const auto box = visible_box({from.x, from.y, to.x, to.y}, letterbox);
      add_pose(person.score, parts_, part, box, letterbox, limits_, result.poses);
    }
    std::sort(result.poses.begin(), result.poses.end(), [](const Pose& a, const Pose& b) { return a.score > b.score; });
    laps.lap(Stage::kGrouping);
    return {};
  }

 private:
  Point in_pixels(HeadPoint cell) const { return {cell.x * stride_, cell.y * stride_}; }

  std::vector<MapOutput> maps_;
  Layout layout_;
  float stride_;
  std::size_t parts_;
  Size cells_;
  Limits limits_;
  HeadDecoder heads_;
};

/// Where each map is named: in the descriptor, in the decoder and in Heads.
struct MapName {
  std::string_view key;
  std::string HeadOutputs::*name;
  HeadMap Heads::*map;
  bool per_part;  ///< `channels` for each part, else in all
  int channels;
  bool of_many;  ///< networks of one person lack it
};
constexpr std::array<MapName, 6> kMaps{{
    {"centers", &HeadOutputs::centers, &Heads::centers, false, 1, false},
    {"regressions", &HeadOutputs::regressions, &Heads::regressions, true, 2, false},
    {"heatmaps", &HeadOutputs::heatmaps, &Heads::heatmaps, true, 1, false},
    {"offsets", &HeadOutputs::offsets, &Heads::offsets, true, 2, false},
    {"box_sizes", &HeadOutputs::box_sizes, &Heads::box_sizes, false, 2, true},
    {"box_offsets", &HeadOutputs::box_offsets, &Heads::box_offsets, false, 2, true},
}};

Result<std::vector<MapOutput>> find_maps(const MultiposeDecoder& decoder, const ModelSpec& spec, std::size_t parts) {
  std::vector<MapOutput> maps;
  for (const MapName& map : kMaps) {
    if (map.of_many && decoder.people == HeadPeople::kOne) continue;
    const std::string& name = decoder.heads.*map.name;
    const auto index = spec.output_index(name);
    if (!index) return index.error();
    const auto channels = map.channels * (map.per_part ? static_cast<std::int64_t>(parts) : 1);
    maps.push_back({*index, name, channels, map.map});
  }
  return maps;
}

void read_heads(const JsonNode& section, std::span<const std::string> outputs, MultiposeDecoder& decoder) {
  static constexpr std::pair<std::string_view, HeadPeople> kPeople[]{{"many", HeadPeople::kMany},
                                                                     {"one", HeadPeople::kOne}};
  static constexpr std::pair<std::string_view, Layout> kLayouts[]{{"nchw", Layout::kNchw}, {"nhwc", Layout::kNhwc}};
  decoder.people = section.at("people").one_of(kPeople);
  if (decoder.people == HeadPeople::kMany) {
    section.expect_keys({"kind", "form", "people", "layout", "stride", "centers", "regressions", "heatmaps", "offsets",
                         "box_sizes", "box_offsets", "threshold", "keypoint_threshold", "max_people"});
  } else {
    section.expect_keys({"kind", "form", "people", "layout", "stride", "centers", "regressions", "heatmaps", "offsets",
                         "threshold", "keypoint_threshold"});
    decoder.max_people = 1;
  }
  decoder.layout = section.at("layout").one_of(kLayouts);
  decoder.stride = static_cast<int>(section.at("stride").integer(1, 256));
  for (const MapName& map : kMaps) {
    if (map.of_many && decoder.people == HeadPeople::kOne) continue;
    const JsonNode entry = section.at(map.key);
    entry.expect_keys({"output"});
    decoder.heads.*map.name = read_output(entry, outputs);
  }
}

}  // namespace

std::shared_ptr<const Decoder> MultiposeDecoder::read(const JsonNode& section, std::span<const std::string> outputs) {
  static constexpr std::pair<std::string_view, Form> kForms[]{{"baked", Form::kBaked}, {"heads", Form::kHeads}};
  auto decoder = std::make_shared<MultiposeDecoder>();
  decoder->form = section.at("form").one_of(kForms);
  if (decoder->form == Form::kBaked) {
    section.expect_keys({"kind", "form", "output", "threshold", "keypoint_threshold", "max_people"});
    decoder->output = read_output(section, outputs);
  } else {
    read_heads(section, outputs, *decoder);
  }
  read_share(section, "threshold", decoder->threshold);
  read_share(section, "keypoint_threshold", decoder->keypoint_threshold);
  if (decoder->people == HeadPeople::kMany) read_count(section, "max_people", decoder->max_people);
  return decoder;
}

std::string MultiposeDecoder::describe() const {
  if (form == Form::kBaked) {
    return fmt::format("multipose: rows of people in {}, threshold {}, keypoints from {}", output, threshold,
                       keypoint_threshold);
  }
  return fmt::format("multipose: maps of {}, stride {}, threshold {}, keypoints from {}",
                     people == HeadPeople::kMany ? "people" : "one person", stride, threshold, keypoint_threshold);
}

Result<std::unique_ptr<Postprocessor>> MultiposeDecoder::make(const ModelSpec& spec,
                                                              const DecodeOptions& options) const {
  if (spec.skeleton == nullptr) {
    return Error{Errc::kModel, fmt::format("model '{}': a multipose decoder needs a skeleton", spec.name)};
  }
  const std::size_t parts = spec.skeleton->parts.size();
  const auto least = threshold_or(options.threshold, threshold, "threshold");
  if (!least) return least.error();
  const int most = options.max_people.value_or(max_people);
  if (most < 1) return Error{Errc::kUsage, fmt::format("max people is {}, expected 1 or more", most)};
  Limits limits{*least, keypoint_threshold, kBakedStride, static_cast<std::size_t>(most)};
  if (form == Form::kBaked) {
    const auto index = spec.output_index(output);
    if (!index) return index.error();
    return std::unique_ptr<Postprocessor>(std::make_unique<BakedPostprocessor>(*index, output, parts, limits));
  }
  const Size size = spec.input.size;
  if (stride < 1 || size.width % stride != 0 || size.height % stride != 0) {
    return Error{Errc::kModel, fmt::format("model '{}': stride {} does not divide the input of {}x{}", spec.name,
                                           stride, size.width, size.height)};
  }
  auto maps = find_maps(*this, spec, parts);
  if (!maps) return maps.error();
  limits.slack = static_cast<float>(stride);
  if (people == HeadPeople::kOne) limits.most_people = 1;
  return std::unique_ptr<Postprocessor>(std::make_unique<HeadsPostprocessor>(
      *std::move(maps), *this, parts, Size{size.width / stride, size.height / stride}, limits));
}

}  // namespace posecam
