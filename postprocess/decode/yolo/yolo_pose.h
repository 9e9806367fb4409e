#pragma once
// People found by YOLO: a box and keypoints in one row (YOLOv8-pose, YOLO11-pose and their end-to-end exports), and
// RTMO (Lu et al. 2024), whose keypoints are an output of their own.

#include <memory>
#include <optional>
#include <span>
#include <string>

#include "models/spec/json_reader.h"
#include "postprocess/decode/decoder.h"
#include "postprocess/decode/yolo/yolo.h"

namespace posecam {

/// Reads a list of boxes, in input pixels, sigmoids applied, with K keypoints of the model's skeleton each:
///   channels first or last: 4 (centre, extent) + 1 (score) + 3K (x, y, visibility) values a box;
///   end to end: 4 (corners) + score + label + 3K, suppressed in the network;
///   with an output for the keypoints (RTMO): 1 x N x 5 (corners, score), and 1 x N x K x 3 for `keypoints`. N is
///   fixed: exports whose own suppression leaves as many rows as it finds run on no device.
/// A person's score is the box's, which stays as Pose::own_box. Keypoints below `keypoint_threshold` or outside the
/// image are empty; whoever has none left is nobody. The label is not looked at: these networks know people only.
struct YoloPoseDecoder final : Decoder {
  std::string output;                    ///< name of the list
  std::optional<std::string> keypoints;  ///< name of their output, where they have one; `form` says nothing then
  YoloForm form = YoloForm::kChannelsFirst;
  float threshold = 0.25F;          ///< least score of a box (Ultralytics' default of prediction)
  float keypoint_threshold = 0.5F;  ///< least visibility (Ultralytics draws from there on)
  float nms_threshold = 0.7F;       ///< most IoU of two people's boxes; 1 where the network suppresses
  int max_people = 100;             ///< in a frame

  /// As DecoderKind::read.
  static std::shared_ptr<const Decoder> read(const JsonNode& section, std::span<const std::string> outputs);
  std::string describe() const override;
  /// kModel: unknown output, no skeleton. kUsage: thresholds outside [0,1], max_people below 1.
  Result<std::unique_ptr<Postprocessor>> make(const ModelSpec& spec, const DecodeOptions& options) const override;
};

}  // namespace posecam
