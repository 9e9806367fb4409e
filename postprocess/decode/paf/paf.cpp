#include "postprocess/decode/paf/paf.h"

#include <algorithm>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "postprocess/decode/paf/paf_decoder.h"

namespace posecam {
namespace {

/// One of the two channel ranges: which output, from which channel, how many.
struct Channels {
  std::size_t output = 0;
  int first = 0;
  int count = 0;
  std::string name;
};

Error wrong_shape(const Channels& channels, const TensorView& tensor) {
  return {Errc::kModel,
          fmt::format("output '{}' is {} {}, expected f32 1x(at least {})xHxW for channels {} to {}; "
                      "check the model's decoder entry",
                      channels.name, to_string(tensor.shape), to_string(tensor.dtype), channels.first + channels.count,
                      channels.first, channels.first + channels.count - 1)};
}

Result<TensorView> checked(const Channels& channels, std::span<const TensorView> outputs) {
  if (channels.output >= outputs.size()) {
    return Error{Errc::kModel, fmt::format("output '{}' is number {}, but the device gave {} outputs", channels.name,
                                           channels.output, outputs.size())};
  }
  const TensorView& tensor = outputs[channels.output];
  constexpr std::int64_t kMaxExtent = 8192;
  const bool fits = tensor.dtype == DType::kF32 && tensor.shape.rank() == 4 && tensor.shape[0] == 1 &&
                    tensor.shape[1] >= channels.first + channels.count && tensor.shape[2] >= 0 &&
                    tensor.shape[2] <= kMaxExtent && tensor.shape[3] >= 0 && tensor.shape[3] <= kMaxExtent &&
                    (tensor.data != nullptr || tensor.shape.elements() == 0);
  if (!fits) return wrong_shape(channels, tensor);
  return tensor;
}

template <class Decoder>
class PafPostprocessor final : public Postprocessor {
 public:
  PafPostprocessor(const Skeleton& skeleton, const PafOptions& options, Channels heatmaps, Channels pafs, int stride,
                   int max_people)
      : skeleton_(skeleton),
        decoder_(skeleton, options),
        heatmaps_(std::move(heatmaps)),
        pafs_(std::move(pafs)),
        stride_(static_cast<float>(stride)),
        max_people_(static_cast<std::size_t>(max_people)) {}

  Result<void> check(std::span<const TensorView> outputs) const override {
    const auto heatmaps = checked(heatmaps_, outputs);
    if (!heatmaps) return heatmaps.error();
    const auto pafs = checked(pafs_, outputs);
    if (!pafs) return pafs.error();
    if (heatmaps->shape[2] != pafs->shape[2] || heatmaps->shape[3] != pafs->shape[3]) {
      return Error{Errc::kModel,
                   fmt::format("heatmaps '{}' are {}, but PAFs '{}' are {}; both need the same height "
                               "and width",
                               heatmaps_.name, to_string(heatmaps->shape), pafs_.name, to_string(pafs->shape))};
    }
    return {};
  }

  Result<void> run(std::span<const TensorView> outputs, const Letterbox& letterbox, FrameResult& result) override {
    result.clear();
    if (auto fits = check(outputs); !fits) return fits;
    const TensorView& heatmaps = outputs[heatmaps_.output];
    const TensorView& pafs = outputs[pafs_.output];
    if (heatmaps.shape.elements() == 0) return {};
    PafMaps maps;
    maps.width = static_cast<int>(heatmaps.shape[3]);
    maps.height = static_cast<int>(heatmaps.shape[2]);
    maps.heatmaps = heatmaps.as<float>().data() + heatmaps_.first * maps.plane();
    maps.pafs = pafs.as<float>().data() + pafs_.first * maps.plane();
    place(decoder_.decode(maps), letterbox, result.poses);
    return {};
  }

 private:
  void place(std::span<const GroupedPerson> people, const Letterbox& letterbox, std::vector<Pose>& poses) const {
    for (const GroupedPerson& person : people) {
      Pose pose;
      bool anywhere = false;
      for (std::size_t part = 0; part < skeleton_.parts.size(); ++part) {
        if (!person.peaks[part]) continue;
        pose.keypoints[part] = keypoint(decoder_.peaks().of(part)[*person.peaks[part]], letterbox);
        anywhere |= pose.keypoints[part].has_value();
      }
      if (!anywhere) continue;
      pose.score = std::clamp(0.5F * person.score(), 0.0F, 1.0F);
      poses.push_back(pose);
    }
    std::sort(poses.begin(), poses.end(), [](const Pose& a, const Pose& b) { return a.score > b.score; });
    if (poses.size() > max_people_) poses.resize(max_people_);
  }

  std::optional<Keypoint> keypoint(const Peak& peak, const Letterbox& letterbox) const {
    const float scale = stride_ / Decoder::kPixelsPerCell;
    const Point at = letterbox.to_image({(peak.x + 0.5F) * scale, (peak.y + 0.5F) * scale});
    const float slack_x = 0.5F * stride_ / letterbox.content.x;
    const float slack_y = 0.5F * stride_ / letterbox.content.y;
    const bool inside = at.x >= -slack_x && at.x <= 1 + slack_x && at.y >= -slack_y && at.y <= 1 + slack_y;
    if (!inside || !(peak.score > 0)) return std::nullopt;
    return Keypoint{std::clamp(at.x, 0.0F, 1.0F), std::clamp(at.y, 0.0F, 1.0F), std::min(peak.score, 1.0F)};
  }

  const Skeleton& skeleton_;
  Decoder decoder_;
  Channels heatmaps_;
  Channels pafs_;
  float stride_;
  std::size_t max_people_;
};

int paf_channels(const Skeleton& skeleton) {
  int last = -1;
  for (const Limb& limb : skeleton.limbs) last = std::max({last, int{limb.paf_x}, int{limb.paf_y}});
  return last + 1;
}

Result<Channels> find_channels(const ModelSpec& spec, const ChannelRange& range, int count) {
  const auto index = spec.output_index(range.output);
  if (!index) return index.error();
  if (range.first < 0) {
    return Error{Errc::kModel, fmt::format("model '{}': output '{}': first channel is {}, expected 0 or more",
                                           spec.name, range.output, range.first)};
  }
  return Channels{*index, range.first, count, range.output};
}

// Not !(0 <= v <= 1) by De Morgan: NaN must fail too.
bool is_fraction(float v) { return v >= 0 && v <= 1; }

Result<PafOptions> merge(const PafDecoder& decoder, const DecodeOptions& options) {
  PafOptions merged;
  merged.threshold = options.threshold.value_or(decoder.threshold);
  merged.paf_threshold = options.paf_threshold.value_or(decoder.paf_threshold);
  // The reference is tf-pose's own, whatever suits the network.
  if (options.mode == DecodeOptions::Mode::kFast) merged.taps = decoder.taps;
  if (options.smoothing_taps != 0) merged.taps = options.smoothing_taps;
  if (!is_fraction(merged.threshold)) {
    return Error{Errc::kUsage, fmt::format("threshold is {}, expected 0 to 1", merged.threshold)};
  }
  if (!is_fraction(merged.paf_threshold)) {
    return Error{Errc::kUsage, fmt::format("PAF threshold is {}, expected 0 to 1", merged.paf_threshold)};
  }
  if (merged.taps < 1 || merged.taps > kMaxTaps) {
    return Error{Errc::kUsage, fmt::format("smoothing taps are {}, expected 1 to {}, or 0 for the default",
                                           options.smoothing_taps, kMaxTaps)};
  }
  return merged;
}

}  // namespace

std::shared_ptr<const Decoder> PafDecoder::read(const JsonNode& section, std::span<const std::string> outputs) {
  section.expect_keys({"kind", "heatmaps", "pafs", "stride", "threshold", "paf_threshold", "taps", "max_people"});
  auto paf = std::make_shared<PafDecoder>();
  paf->heatmaps = read_range(section.at("heatmaps"), outputs);
  paf->pafs = read_range(section.at("pafs"), outputs);
  paf->stride = static_cast<int>(section.at("stride").integer(1, 256));
  read_share(section, "threshold", paf->threshold);
  read_share(section, "paf_threshold", paf->paf_threshold);
  read_count(section, "max_people", paf->max_people);
  if (section.has("taps")) paf->taps = static_cast<int>(section.at("taps").integer(1, 99));
  return paf;
}

std::string PafDecoder::describe() const {
  return fmt::format("paf: heatmaps {} from channel {}, PAFs {} from channel {}, stride {}, threshold {}",
                     heatmaps.output, heatmaps.first, pafs.output, pafs.first, stride, threshold);
}

Result<std::unique_ptr<Postprocessor>> PafDecoder::make(const ModelSpec& spec, const DecodeOptions& options) const {
  const int channels = spec.skeleton != nullptr ? paf_channels(*spec.skeleton) : 0;
  if (channels < 2) {
    return Error{Errc::kModel, fmt::format("model '{}': a PAF decoder needs a skeleton with PAF channels: coco-18, "
                                           "body-25 or one of the descriptor's own",
                                           spec.name)};
  }
  if (spec.skeleton->parts.size() > kMaxPafParts || spec.skeleton->limbs.size() > kMaxLimbs) {
    return Error{Errc::kModel,
                 fmt::format("model '{}': skeleton {} has {} parts and {} limbs; a PAF decoder takes {} and {}",
                             spec.name, spec.skeleton->name, spec.skeleton->parts.size(), spec.skeleton->limbs.size(),
                             kMaxPafParts, kMaxLimbs)};
  }
  if (stride < 1) {
    return Error{Errc::kModel, fmt::format("model '{}': decoder stride is {}, expected 1 or more", spec.name, stride)};
  }
  const int most = options.max_people.value_or(max_people);
  if (most < 1) return Error{Errc::kUsage, fmt::format("max people is {}, expected 1 or more", most)};
  auto merged = merge(*this, options);
  if (!merged) return merged.error();
  auto heatmap_channels = find_channels(spec, heatmaps, static_cast<int>(spec.skeleton->parts.size()));
  if (!heatmap_channels) return heatmap_channels.error();
  auto paf_range = find_channels(spec, pafs, channels);
  if (!paf_range) return paf_range.error();
  std::unique_ptr<Postprocessor> made;
  if (options.mode == DecodeOptions::Mode::kReference) {
    made = std::make_unique<PafPostprocessor<ReferencePafDecoder>>(*spec.skeleton, *merged, *heatmap_channels,
                                                                   *paf_range, stride, most);
  } else {
    made = std::make_unique<PafPostprocessor<FastPafDecoder>>(*spec.skeleton, *merged, *heatmap_channels, *paf_range,
                                                              stride, most);
  }
  return made;
}

}  // namespace posecam
