#include "models/spec/decoder_reader.h"

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace posecam {
namespace {

std::string read_output(const JsonNode& node, const std::vector<std::string>& outputs) {
  std::string name = node.text(1, 256);
  if (std::find(outputs.begin(), outputs.end(), name) == outputs.end()) {
    node.mismatch(fmt::format("one of the outputs \"{}\"", fmt::join(outputs, "\", \"")));
  }
  return name;
}

ChannelRange read_range(const JsonNode& node, const std::vector<std::string>& outputs) {
  node.expect_keys({"output", "first"});
  return {read_output(node.at("output"), outputs), static_cast<int>(node.at("first").integer(0, 4096))};
}

void read_share(const JsonNode& node, std::string_view key, float& value) {
  if (node.has(key)) value = node.at(key).number(0, 1);
}

void read_count(const JsonNode& node, std::string_view key, int& value) {
  if (node.has(key)) value = static_cast<int>(node.at(key).integer(1, 1000));
}

PafDecoder read_paf(const JsonNode& node, const std::vector<std::string>& outputs) {
  node.expect_keys({"kind", "heatmaps", "pafs", "stride", "threshold", "paf_threshold", "taps", "max_people"});
  PafDecoder paf;
  paf.heatmaps = read_range(node.at("heatmaps"), outputs);
  paf.pafs = read_range(node.at("pafs"), outputs);
  paf.stride = static_cast<int>(node.at("stride").integer(1, 256));
  read_share(node, "threshold", paf.threshold);
  read_share(node, "paf_threshold", paf.paf_threshold);
  read_count(node, "max_people", paf.max_people);
  if (node.has("taps")) paf.taps = static_cast<int>(node.at("taps").integer(1, 99));
  return paf;
}

YoloxDecoder read_yolox(const JsonNode& node, const std::vector<std::string>& outputs) {
  node.expect_keys({"kind", "output", "boxes", "strides", "threshold", "nms_threshold", "max_detections"});
  YoloxDecoder yolox;
  yolox.output = read_output(node.at("output"), outputs);
  if (node.has("boxes")) {
    using Boxes = YoloxDecoder::Boxes;
    static constexpr std::pair<std::string_view, Boxes> kBoxes[]{{"cells", Boxes::kCells}, {"pixels", Boxes::kPixels}};
    yolox.boxes = node.at("boxes").one_of(kBoxes);
  }
  yolox.strides.clear();
  for (const JsonNode& item : node.at("strides").items(1, 8)) {
    yolox.strides.push_back(static_cast<int>(item.integer(1, 256)));
  }
  read_share(node, "threshold", yolox.threshold);
  read_share(node, "nms_threshold", yolox.nms_threshold);
  read_count(node, "max_detections", yolox.max_detections);
  return yolox;
}

SsdDecoder read_ssd(const JsonNode& node, const std::vector<std::string>& outputs) {
  node.expect_keys({"kind", "output", "threshold", "nms_threshold", "max_detections"});
  SsdDecoder ssd;
  ssd.output = read_output(node.at("output"), outputs);
  read_share(node, "threshold", ssd.threshold);
  read_share(node, "nms_threshold", ssd.nms_threshold);
  read_count(node, "max_detections", ssd.max_detections);
  return ssd;
}

ClassDecoder read_classes(const JsonNode& node, const std::vector<std::string>& outputs) {
  using Values = ClassDecoder::Values;
  static constexpr std::pair<std::string_view, Values> kValues[]{{"logits", Values::kLogits},
                                                                 {"probabilities", Values::kProbabilities}};
  node.expect_keys({"kind", "scores", "values", "scale", "threshold", "top"});
  ClassDecoder classes;
  classes.scores = read_range(node.at("scores"), outputs);
  classes.values = node.at("values").one_of(kValues);
  if (node.has("scale") && classes.values != Values::kLogits) {
    node.at("scale").problem(R"(only with "values": "logits"; probabilities are taken as they are)");
  }
  if (node.has("scale")) classes.scale = node.at("scale").number(1e-6, 1000);
  read_share(node, "threshold", classes.threshold);
  read_count(node, "top", classes.top);
  return classes;
}

enum class Kind : std::uint8_t { kPaf, kYolox, kSsd, kClasses };

Kind read_kind(const JsonNode& node, Task task) {
  static constexpr std::pair<std::string_view, Kind> kPose[] = {{"paf", Kind::kPaf}};
  static constexpr std::pair<std::string_view, Kind> kDetection[] = {{"yolox", Kind::kYolox}, {"ssd", Kind::kSsd}};
  static constexpr std::pair<std::string_view, Kind> kClassification[] = {{"classes", Kind::kClasses}};
  switch (task) {
    case Task::kPose: return node.one_of(kPose);
    case Task::kDetection: return node.one_of(kDetection);
    case Task::kClassification: break;
  }
  return node.one_of(kClassification);
}

}  // namespace

DecoderSpec read_decoder(const JsonNode& node, Task task, const std::vector<std::string>& outputs) {
  switch (read_kind(node.at("kind"), task)) {
    case Kind::kPaf: return read_paf(node, outputs);
    case Kind::kYolox: return read_yolox(node, outputs);
    case Kind::kSsd: return read_ssd(node, outputs);
    case Kind::kClasses: break;
  }
  return read_classes(node, outputs);
}

}  // namespace posecam
