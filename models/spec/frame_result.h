#pragma once
// What was seen in one frame. Written by one worker, published as shared_ptr<const FrameResult>, read by anybody.

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "models/core/geometry.h"
#include "models/core/skeleton.h"
#include "models/spec/model_spec.h"

namespace posecam {

/// Normalised image coordinates: [0,1] across the image as it is stored, whatever the shape of its pixels, 0 = left/top
/// edge. Networks that look at one person place some a little outside (OnePerson in postprocess/decode/single). Score
/// in (0,1], the heatmap's peak.
struct Keypoint {
  float x = 0;
  float y = 0;
  float score = 0;
};

/// One person. Keypoints in the order of the model's skeleton; those not found are empty.
struct Pose {
  std::array<std::optional<Keypoint>, kMaxKeypoints> keypoints;  ///< by the index of their part
  float score = 0;                 ///< confidence in the person, comparable within one model; higher is better
  std::optional<std::int64_t> id;  ///< set by a tracker
  std::optional<Box> own_box;      ///< where the network itself, or the detector before it, gave one

  /// A keypoint by its number in COCO-17 (below 17); empty if the skeleton, which is the model's, lacks it.
  std::optional<Keypoint> coco17(const Skeleton& skeleton, std::size_t part) const {
    const auto index = skeleton.to_coco17[part];
    return index ? keypoints[*index] : std::nullopt;
  }

  /// The person's own box, else the smallest one around the keypoints that were found; empty if none was.
  Box box() const {
    if (own_box) return *own_box;
    Box b;
    bool first = true;
    for (const auto& k : keypoints) {
      if (!k) continue;
      if (first) b = {k->x, k->y, 0, 0};
      first = false;
      const float x1 = std::max(b.x + b.width, k->x);
      const float y1 = std::max(b.y + b.height, k->y);
      b.x = std::min(b.x, k->x);
      b.y = std::min(b.y, k->y);
      b.width = x1 - b.x;
      b.height = y1 - b.y;
    }
    return b;
  }
};

/// One object. Box in normalised image coordinates, clipped to the image.
struct Detection {
  Box box;
  float score = 0;                 ///< (0,1]; what it means is up to the network
  int label_id = 0;                ///< index into the model's labels
  std::optional<std::int64_t> id;  ///< set by a tracker
};

/// What the whole image shows.
struct Classification {
  float score = 0;   ///< probability, (0,1]
  int label_id = 0;  ///< index into the model's labels
};

/// What became of a frame.
enum class FrameStatus : std::uint8_t {
  kAnalysed,    ///< the network saw it; empty lists mean nobody is there
  kSkipped,     ///< left out on purpose (interval, quality of service, gap)
  kUnanalysed,  ///< could not be analysed (device error, corrupted frame): silence is not a result
};

/// Wall time spent on this frame, in milliseconds.
struct FrameTimes {
  float preprocess = 0;  ///< scaling and packing into its row
  float queue = 0;       ///< from commit of its row to the start of its batch
  float infer = 0;       ///< of its whole batch
  float post = 0;        ///< decoding of its row
};

/// Everything that is known about one frame. Whoever has one that is published may read it on any thread.
struct FrameResult {
  FrameStatus status = FrameStatus::kAnalysed;  ///< what became of the frame
  std::vector<Pose> poses;                      ///< best score first
  std::vector<Detection> detections;            ///< best score first
  std::vector<Classification> classes;          ///< best score first
  bool repeated = false;                   ///< the detections are those of an earlier frame: this one was not searched
  std::uint32_t left_out = 0;              ///< people a detector found at whom the model of the poses did not look
  FrameTimes times;                        ///< 0 for stages that it did not go through
  std::shared_ptr<const ModelSpec> model;  ///< of the poses, where people were looked for; never null once published
  std::shared_ptr<const ModelSpec> detector;    ///< of the detections, where it is another one; else null
  std::shared_ptr<const ModelSpec> classifier;  ///< of the classes, where it is another one; else null

  /// Nothing is found; lists keep their capacity, the other fields their values.
  void clear() {
    poses.clear();
    detections.clear();
    classes.clear();
  }

  /// The network that did it; null if none did.
  std::shared_ptr<const ModelSpec> model_for(Task task) const {
    for (const auto* candidate : {&model, &detector, &classifier}) {
      if (*candidate && (*candidate)->task == task) return *candidate;
    }
    return nullptr;
  }

  /// Empty where the network has no name for it.
  std::string_view label_of(const Detection& found) const { return label(detector, found.label_id); }
  std::string_view label_of(const Classification& found) const { return label(classifier, found.label_id); }

 private:
  std::string_view label(const std::shared_ptr<const ModelSpec>& of, int id) const {
    const ModelSpec* named = of ? of.get() : model.get();
    const auto index = static_cast<std::size_t>(id);  // a negative one is beyond every list
    return named && index < named->labels.size() ? std::string_view(named->labels[index]) : std::string_view();
  }
};

}  // namespace posecam
