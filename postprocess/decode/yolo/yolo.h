#pragma once
// YOLO without anchors or objectness: YOLOv8, YOLOv9, YOLO11, YOLO12 and what else a list of boxes with class scores
// leaves; and those that suppress themselves (YOLOv10, YOLO26, exports "end to end").

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "models/spec/json_reader.h"
#include "postprocess/decode/boxes/box_rules.h"
#include "postprocess/decode/decoder.h"

namespace posecam {

/// How the list of boxes lies in its tensor. Pixels are those of the network's input, sigmoids are applied.
/// `v` values a box, N boxes: as many as the tensor has.
enum class YoloForm : std::uint8_t {
  kChannelsFirst,  ///< 1 x v x N: centre x, y, width, height in pixels, then scores: what these networks export
  kChannelsLast,   ///< 1 x N x v: the same, transposed
  kEndToEnd,       ///< 1 x N x v: x0, y0, x1, y1 in pixels, score, label; suppressed in the network
};

/// A box as the tensor gives it: `step` values lie between one of its values and the next.
struct YoloRow {
  std::span<const float> values;  ///< from its first value on
  std::size_t step = 1;           ///< 1, or N for channels first
  float operator[](std::size_t i) const { return values[i * step]; }
};

/// The box of one row, in pixels.
inline Corners yolo_box(const YoloRow& row, YoloForm form) {
  return form == YoloForm::kEndToEnd ? Corners{row[0], row[1], row[2], row[3]} : around(row[0], row[1], row[2], row[3]);
}

/// The rows of a list of `width` values each.
class YoloRows {
 public:
  YoloRows(const TensorView& tensor, YoloForm form)
      : values_(tensor.as<float>()),
        count_(static_cast<std::size_t>(tensor.shape[form == YoloForm::kChannelsFirst ? 2 : 1])),
        width_(static_cast<std::size_t>(tensor.shape[form == YoloForm::kChannelsFirst ? 1 : 2])),
        form_(form) {}
  std::size_t count() const { return count_; }
  /// Row n < count().
  YoloRow operator[](std::size_t n) const {
    if (form_ == YoloForm::kChannelsFirst) return {values_.subspan(n), count_};
    return {values_.subspan(n * width_, width_), 1};
  }

 private:
  std::span<const float> values_;
  std::size_t count_;
  std::size_t width_;
  YoloForm form_;
};

/// kModel unless output `index` is such a list with `width` values a box.
Result<void> expect_yolo_list(std::span<const TensorView> outputs, std::size_t index, YoloForm form, std::size_t width,
                              std::string_view kind, std::string_view remedy);

/// Lists of 4 + labels values (end to end: 6). One label a box, the best. Boxes are suppressed at nms_threshold, which
/// is 1 (not at all) where the network does it.
struct YoloDecoder final : Decoder {
  std::string output;  ///< name of the list
  YoloForm form = YoloForm::kChannelsFirst;
  BoxRules rules{.threshold = 0.25F, .nms_threshold = 0.7F};  ///< Ultralytics' defaults of prediction

  /// As DecoderKind::read.
  static std::shared_ptr<const Decoder> read(const JsonNode& section, std::span<const std::string> outputs);
  std::string describe() const override;
  /// kModel: unknown output, no labels. kUsage: thresholds outside [0,1].
  Result<std::unique_ptr<Postprocessor>> make(const ModelSpec& spec, const DecodeOptions& options) const override;
};

/// Words of "form" in descriptors.
inline constexpr std::pair<std::string_view, YoloForm> kYoloForms[] = {{"channels-first", YoloForm::kChannelsFirst},
                                                                       {"channels-last", YoloForm::kChannelsLast},
                                                                       {"end-to-end", YoloForm::kEndToEnd}};
std::string_view to_string(YoloForm form);

}  // namespace posecam
