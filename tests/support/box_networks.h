#pragma once
// A model of every kind that finds boxes, with the shapes of its outputs: what all of them must keep is tested on each.

#include <cstdint>
#include <string>
#include <vector>

#include "models/core/skeleton.h"
#include "models/spec/model_spec.h"
#include "postprocess/decode/boxes/centernet.h"
#include "postprocess/decode/boxes/fastestdet.h"
#include "postprocess/decode/boxes/nanodet.h"
#include "postprocess/decode/boxes/ssd.h"
#include "postprocess/decode/boxes/ssd_raw.h"
#include "postprocess/decode/boxes/tf_detection.h"
#include "postprocess/decode/boxes/yolox.h"
#include "postprocess/decode/yolo/yolo.h"
#include "postprocess/decode/yolo/yolo_pose.h"
#include "tests/support/decoder_of.h"

namespace posecam::test {

struct BoxNetwork {
  std::string name;
  ModelSpec spec;
  std::vector<Shape> shapes;  ///< of the outputs, batch 1
  float nms_threshold = 1;    ///< the decoder's own
};

inline ModelSpec detector_spec(Size input, int labels, std::vector<std::string> outputs) {
  ModelSpec spec;
  spec.name = "boxes";
  spec.task = Task::kDetection;
  spec.input.size = input;
  spec.outputs = std::move(outputs);
  for (int i = 0; i < labels; ++i) spec.labels.push_back("label " + std::to_string(i));
  return spec;
}

template <class Kind>
BoxNetwork box_network(std::string name, ModelSpec spec, const Kind& decoder, std::vector<Shape> shapes) {
  set_decoder(spec, decoder);
  BoxNetwork network{std::move(name), std::move(spec), std::move(shapes)};
  if constexpr (requires { decoder.rules; }) {
    network.nms_threshold = decoder.rules.nms_threshold;
  } else {
    network.nms_threshold = decoder.nms_threshold;
  }
  return network;
}

inline std::int64_t cells_of(Size input, int stride) {
  return std::int64_t{(input.width + stride - 1) / stride} * ((input.height + stride - 1) / stride);
}

/// Lists of `rows` boxes, grids over an input whose sides are multiples of 32.
inline std::vector<BoxNetwork> yolo_networks(Size input, int labels, int rows) {
  std::vector<BoxNetwork> all;
  const auto spec = [&](std::vector<std::string> outputs) { return detector_spec(input, labels, std::move(outputs)); };
  std::int64_t cells = 0;
  for (const int stride : {8, 16, 32}) cells += cells_of(input, stride);
  YoloxDecoder yolox;
  yolox.output = "a";
  yolox.boxes = YoloxDecoder::Boxes::kPixels;
  all.push_back(box_network("yolox", spec({"a"}), yolox, {Shape{1, cells, 5 + labels}}));
  for (const auto& [word, form] : kYoloForms) {
    YoloDecoder yolo;
    yolo.output = "a";
    yolo.form = form;
    Shape shape{1, rows, 4 + labels};
    if (form == YoloForm::kChannelsFirst) shape = Shape{1, 4 + labels, rows};
    if (form == YoloForm::kEndToEnd) shape = Shape{1, rows, 6};
    all.push_back(box_network("yolo " + std::string(word), spec({"a"}), yolo, {shape}));
  }
  return all;
}

inline std::vector<BoxNetwork> pose_networks(Size input, int rows) {
  std::vector<BoxNetwork> all;
  const auto people = [&](std::vector<std::string> outputs) {
    ModelSpec spec = detector_spec(input, 0, std::move(outputs));
    spec.task = Task::kPose;
    spec.skeleton = find_skeleton("coco-17");
    return spec;
  };
  for (const auto& [word, form] : kYoloForms) {
    YoloPoseDecoder yolo;
    yolo.output = "a";
    yolo.form = form;
    Shape shape{1, rows, 56};
    if (form == YoloForm::kChannelsFirst) shape = Shape{1, 56, rows};
    if (form == YoloForm::kEndToEnd) shape = Shape{1, rows, 57};
    all.push_back(box_network("yolo-pose " + std::string(word), people({"a"}), yolo, {shape}));
  }
  YoloPoseDecoder rtmo;
  rtmo.output = "a";
  rtmo.keypoints = "b";
  rtmo.form = YoloForm::kEndToEnd;
  all.push_back(
      box_network("yolo-pose of two outputs", people({"a", "b"}), rtmo, {Shape{1, rows, 5}, Shape{1, rows, 17, 3}}));
  return all;
}

inline std::vector<BoxNetwork> other_box_networks(Size input, int labels, int rows) {
  std::vector<BoxNetwork> all;
  const auto spec = [&](std::vector<std::string> outputs) { return detector_spec(input, labels, std::move(outputs)); };
  SsdDecoder ssd;
  ssd.output = "a";
  all.push_back(box_network("ssd", spec({"a"}), ssd, {Shape{1, 1, rows, 7}}));
  SsdRawDecoder raw;
  raw.boxes = "a";
  raw.scores = {"b", 1};
  raw.rules.nms_across_labels = true;
  const auto anchors = static_cast<std::int64_t>(ssd_anchor_count(raw.anchors, input));
  for (const auto values : {SsdRawDecoder::Values::kLogits, SsdRawDecoder::Values::kProbabilities}) {
    raw.values = values;
    all.push_back(box_network("ssd-raw", spec({"a", "b"}), raw, {Shape{1, anchors, 4}, Shape{1, anchors, 1 + labels}}));
  }
  TfDetectionDecoder tf;
  tf.boxes = "a";
  tf.classes = "b";
  tf.scores = "c";
  tf.count = "d";
  all.push_back(box_network("tf-detection", spec({"a", "b", "c", "d"}), tf,
                            {Shape{1, rows, 4}, Shape{1, rows}, Shape{1, rows}, Shape{1}}));
  CenterNetDecoder centernet;
  centernet.detections = "a";
  all.push_back(box_network("centernet", spec({"a"}), centernet, {Shape{1, rows, 6}}));
  centernet.maps = CenterNetDecoder::Maps{"a", "b", "c"};
  const std::int64_t h = input.height / 4;
  const std::int64_t w = input.width / 4;
  all.push_back(box_network("centernet maps", spec({"a", "b", "c"}), centernet,
                            {Shape{1, labels, h, w}, Shape{1, 2, h, w}, Shape{1, 2, h, w}}));
  NanoDetDecoder nanodet;
  nanodet.levels = {{8, "a", "b"}, {32, "c", "d"}};
  all.push_back(box_network("nanodet", spec({"a", "b", "c", "d"}), nanodet,
                            {Shape{1, cells_of(input, 8), labels}, Shape{1, cells_of(input, 8), 32},
                             Shape{1, cells_of(input, 32), labels}, Shape{1, cells_of(input, 32), 32}}));
  nanodet.levels = {{8, "a", "a"}, {32, "a", "a"}};
  nanodet.joined = true;
  all.push_back(box_network("nanodet plus", spec({"a"}), nanodet,
                            {Shape{1, cells_of(input, 8) + cells_of(input, 32), labels + 32}}));
  FastestDetDecoder fastest;
  fastest.output = "a";
  all.push_back(
      box_network("fastestdet", spec({"a"}), fastest, {Shape{1, 5 + labels, input.height / 16, input.width / 16}}));
  return all;
}

inline std::vector<BoxNetwork> box_networks(Size input, int labels, int rows) {
  auto all = yolo_networks(input, labels, rows);
  for (auto& network : pose_networks(input, rows)) all.push_back(std::move(network));
  for (auto& network : other_box_networks(input, labels, rows)) all.push_back(std::move(network));
  return all;
}

/// Tensors of one frame, in the order of the outputs.
struct Frame {
  std::vector<std::vector<float>> values;
  std::vector<TensorView> views;
};

/// `fill` gives each value.
template <class Fill>
Frame frame_of(const BoxNetwork& network, Fill&& fill) {
  Frame frame;
  for (const Shape& shape : network.shapes) {
    frame.values.emplace_back(shape.elements());
    for (float& v : frame.values.back()) v = fill();
  }
  for (std::size_t i = 0; i < network.shapes.size(); ++i) {
    frame.views.push_back({reinterpret_cast<const std::byte*>(frame.values[i].data()), DType::kF32, network.shapes[i]});
  }
  return frame;
}

/// Puts in what a list says beside boxes and scores, so that its rows count: the image, labels of the model in turn,
/// the number of rows.
inline void make_plausible(const BoxNetwork& network, Frame& frame) {
  const std::size_t labels = network.spec.labels.size();
  const auto fill = [&](std::size_t output, std::size_t column, std::size_t width, std::size_t first) {
    auto& values = frame.values[output];
    for (std::size_t row = 0; row < values.size() / width; ++row) {
      values[row * width + column] = static_cast<float>(first + row % labels);
    }
  };
  if (network.name == "ssd") {
    for (std::size_t i = 0; i < frame.values[0].size(); i += 7) frame.values[0][i] = 0;
    fill(0, 1, 7, 0);
  }
  if (network.name == "tf-detection") {
    fill(1, 0, 1, 1);
    frame.values[3][0] = static_cast<float>(frame.values[2].size());
  }
  if (network.name == "centernet" || network.name.starts_with("yolo end-to-end")) fill(0, 5, 6, 0);
}

}  // namespace posecam::test
