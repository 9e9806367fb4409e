#include "postprocess/decode/yolo/yolo_pose.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "models/core/stage_log.h"
#include "postprocess/decode/section.h"

namespace posecam {
namespace {

constexpr std::size_t kScore = 4;  // place of the score, behind the box
constexpr std::size_t kKeypointValues = 3;

/// Where a list's values are.
struct PoseLayout {
  std::size_t boxes = 0;                 ///< index of the output
  std::optional<std::size_t> keypoints;  ///< likewise, of their own output
  YoloForm form = YoloForm::kChannelsFirst;
  std::size_t parts = 0;  ///< of the skeleton

  /// Values of a box that are no keypoints.
  std::size_t head() const { return !keypoints && form == YoloForm::kEndToEnd ? kScore + 2 : kScore + 1; }
};

class YoloPosePostprocessor final : public Postprocessor {
 public:
  YoloPosePostprocessor(PoseLayout layout, float threshold, float keypoint_threshold, DetectionCollector collector,
                        int max_people)
      : layout_(layout),
        threshold_(threshold),
        keypoint_threshold_(keypoint_threshold),
        collector_(std::move(collector)) {
    found_.reserve(static_cast<std::size_t>(max_people));
  }

  Result<void> check(std::span<const TensorView> outputs) const override {
    constexpr std::string_view kRemedy = "check form and skeleton of the descriptor";
    const std::size_t width = layout_.head() + (layout_.keypoints ? 0 : kKeypointValues * layout_.parts);
    auto boxes = expect_yolo_list(outputs, layout_.boxes, layout_.form, width, "yolo-pose", kRemedy);
    if (!boxes || !layout_.keypoints) return boxes;
    return expect_output(
        outputs, *layout_.keypoints,
        {1, outputs[layout_.boxes].shape[1], static_cast<std::int64_t>(layout_.parts), kKeypointValues}, "yolo-pose",
        kRemedy);
  }

  Result<void> run(std::span<const TensorView> outputs, const Letterbox& letterbox, FrameResult& result) override {
    result.clear();
    if (auto fits = check(outputs); !fits) return fits;
    StageLaps laps;
    const YoloRows rows(outputs[layout_.boxes], layout_.form);
    collector_.clear();
    for (std::size_t n = 0; n < rows.count(); ++n) {
      const float score = rows[n][kScore];
      // NaN fails this.
      if (!(score > 0 && score >= threshold_)) continue;
      collector_.add(yolo_box(rows[n], layout_.form), score, 0, letterbox, static_cast<std::int64_t>(n));
    }
    collector_.finish(found_);
    for (const Detection& person : found_) {
      add_person(person, keypoints_of(outputs, rows, static_cast<std::size_t>(*person.id)), letterbox, result.poses);
    }
    laps.lap(Stage::kGrouping);
    return {};
  }

 private:
  /// The keypoints of box n, one value after the other.
  YoloRow keypoints_of(std::span<const TensorView> outputs, const YoloRows& rows, std::size_t n) const {
    const std::size_t values = kKeypointValues * layout_.parts;
    if (layout_.keypoints) return {outputs[*layout_.keypoints].as<float>().subspan(n * values, values), 1};
    const YoloRow row = rows[n];
    return {row.values.subspan(layout_.head() * row.step), row.step};
  }

  void add_person(const Detection& box, const YoloRow& values, const Letterbox& letterbox, std::vector<Pose>& poses) {
    Pose pose;
    pose.score = box.score;
    pose.own_box = box.box;
    bool anything = false;
    for (std::size_t part = 0; part < layout_.parts; ++part) {
      const float score = values[kKeypointValues * part + 2];
      const Point p = letterbox.to_image({values[kKeypointValues * part], values[kKeypointValues * part + 1]});
      // Written so that NaN fails each of them.
      if (!(score > 0 && score >= keypoint_threshold_)) continue;
      if (!(p.x >= 0 && p.x <= 1 && p.y >= 0 && p.y <= 1)) continue;
      pose.keypoints[part] = Keypoint{p.x, p.y, std::min(score, 1.F)};
      anything = true;
    }
    if (anything) poses.push_back(pose);
  }

  PoseLayout layout_;
  float threshold_;
  float keypoint_threshold_;
  DetectionCollector collector_;
  std::vector<Detection> found_;  ///< people, their row as id
};

}  // namespace

std::shared_ptr<const Decoder> YoloPoseDecoder::read(const JsonNode& section, std::span<const std::string> outputs) {
  section.expect_keys(
      {"kind", "output", "keypoints", "form", "threshold", "keypoint_threshold", "nms_threshold", "max_people"});
  auto yolo = std::make_shared<YoloPoseDecoder>();
  yolo->output = read_output(section, outputs);
  if (section.has("keypoints")) {
    yolo->keypoints = read_named(section, "keypoints", outputs);
    yolo->form = YoloForm::kEndToEnd;  // corners, a row a box
    if (section.has("form")) section.at("form").problem(R"(not with "keypoints": their outputs have one form)");
  } else if (section.has("form")) {
    yolo->form = section.at("form").one_of(kYoloForms);
    if (yolo->form == YoloForm::kEndToEnd) yolo->nms_threshold = 1;
  }
  read_share(section, "threshold", yolo->threshold);
  read_share(section, "keypoint_threshold", yolo->keypoint_threshold);
  read_share(section, "nms_threshold", yolo->nms_threshold);
  read_count(section, "max_people", yolo->max_people);
  return yolo;
}

std::string YoloPoseDecoder::describe() const {
  const std::string where = keypoints ? fmt::format("keypoints {}", *keypoints) : std::string(to_string(form));
  std::string text =
      fmt::format("yolo-pose: {}, {}, threshold {}, of keypoints {}", output, where, threshold, keypoint_threshold);
  return nms_threshold < 1 ? fmt::format("{}, NMS at IoU {}", text, nms_threshold) : text;
}

Result<std::unique_ptr<Postprocessor>> YoloPoseDecoder::make(const ModelSpec& spec,
                                                             const DecodeOptions& options) const {
  PoseLayout layout;
  layout.form = form;
  const auto boxes = spec.output_index(output);
  if (!boxes) return boxes.error();
  layout.boxes = *boxes;
  if (keypoints) {
    const auto index = spec.output_index(*keypoints);
    if (!index) return index.error();
    layout.keypoints = *index;
  }
  if (!spec.skeleton) return Error{Errc::kModel, fmt::format("model '{}': yolo-pose needs a skeleton", spec.name)};
  layout.parts = spec.skeleton->parts.size();
  const auto least = threshold_or(options.threshold, threshold, "threshold");
  if (!least) return least.error();
  const auto seen = threshold_or({}, keypoint_threshold, "keypoint_threshold");
  if (!seen) return seen.error();
  const auto overlap = threshold_or(options.nms_threshold, nms_threshold, "nms-threshold");
  if (!overlap) return overlap.error();
  const int most = options.max_people.value_or(max_people);
  if (most < 1) return Error{Errc::kUsage, fmt::format("max-people is {}; give 1 or more", most)};
  return std::unique_ptr<Postprocessor>(
      std::make_unique<YoloPosePostprocessor>(layout, *least, *seen, DetectionCollector(*overlap, most), most));
}

}  // namespace posecam
