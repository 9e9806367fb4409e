#pragma once
// Good decoder sections of every kind, one for each of its forms, for a network of 64x32 with the outputs "heat" and
// "paf" and the labels "person" and "dog": what the list of decoders, the schema and bad documents are tested with.

#include <string_view>

namespace posecam::test {

struct DecoderSection {
  std::string_view kind;
  std::string_view task;  ///< of the model that has it
  std::string_view json;
  std::string_view described;  ///< what `posecam models show` says
};

inline constexpr DecoderSection kDecoderSections[] = {
    {"paf", "pose",
     R"({"kind": "paf", "heatmaps": {"output": "heat", "first": 0}, "pafs": {"output": "paf", "first": 19},
         "stride": 4, "threshold": 0.25, "paf_threshold": 0.125, "taps": 13, "max_people": 9})",
     "paf: heatmaps heat from channel 0, PAFs paf from channel 19, stride 4, threshold 0.25"},
    {"coordinates", "pose",
     R"({"kind": "coordinates", "threshold": 0.25,
         "points": {"output": "heat", "count": 39, "values": 5, "x": 1, "y": 0, "unit": "input"},
         "score": {"value": 3, "logit": true}, "person": {"output": "paf", "threshold": 0.75},
         "heatmaps": {"output": "paf", "first": 0, "layout": "nhwc", "stride": 4, "window": 7}})",
     "coordinates: heat, 5 values a point, person by paf from 0.75, refined by paf, threshold 0.25"},
    {"heatmaps", "pose",
     R"({"kind": "heatmaps", "maps": {"output": "heat", "first": 1, "layout": "nchw", "stride": 4}, "refine": "dark",
         "taps": 17, "cell_offset": 0.5, "threshold": 0.25})",
     "heatmaps: heat from channel 1, stride 4, refine dark, threshold 0.25"},
    {"simcc", "pose",
     R"({"kind": "simcc", "x": {"output": "heat"}, "y": {"output": "paf"}, "ratio": 2, "score": "mean"})",
     "simcc: heat and paf, 2 bins a pixel, mean score, threshold 0.3"},
    {"multipose", "pose",
     R"({"kind": "multipose", "form": "baked", "output": "heat", "threshold": 0.25, "keypoint_threshold": 0.125,
         "max_people": 9})",
     "multipose: rows of people in heat, threshold 0.25, keypoints from 0.125"},
    {"yolo-pose", "pose", R"({"kind": "yolo-pose", "output": "heat", "keypoints": {"output": "paf"}, "max_people": 9})",
     "yolo-pose: heat, keypoints paf, threshold 0.25, of keypoints 0.5, NMS at IoU 0.7"},
    {"yolo-pose", "pose", R"({"kind": "yolo-pose", "output": "heat", "form": "channels-last"})",
     "yolo-pose: heat, channels-last, threshold 0.25, of keypoints 0.5, NMS at IoU 0.7"},
    {"yolo-pose", "pose", R"({"kind": "yolo-pose", "output": "heat", "form": "end-to-end"})",  // the network suppresses
     "yolo-pose: heat, end-to-end, threshold 0.25, of keypoints 0.5"},
    {"yolo-pose", "pose", R"({"kind": "yolo-pose", "output": "heat", "form": "end-to-end", "nms_threshold": 0.5})",
     "yolo-pose: heat, end-to-end, threshold 0.25, of keypoints 0.5, NMS at IoU 0.5"},
    {"yolo", "detection", R"({"kind": "yolo", "output": "heat", "form": "end-to-end"})",
     "yolo: heat, end-to-end, threshold 0.25"},
    {"yolo", "detection", R"({"kind": "yolo", "output": "heat", "form": "end-to-end", "nms_threshold": 0.5})",
     "yolo: heat, end-to-end, threshold 0.25, NMS at IoU 0.5"},
    {"yolo", "detection", R"({"kind": "yolo", "output": "heat", "form": "channels-last", "nms_across_labels": true})",
     "yolo: heat, channels-last, threshold 0.25, NMS at IoU 0.7 across labels"},
    {"ssd-raw", "detection",
     R"({"kind": "ssd-raw", "boxes": {"output": "heat"}, "scores": {"output": "paf", "first": 1}, "values": "logits",
         "anchors": {"strides": [16, 32], "min_scale": 0.1, "max_scale": 0.9, "aspect_ratios": [1, 2],
                     "reduce_lowest": false},
         "box_scales": [10, 10, 5, 5]})",
     "ssd-raw: boxes heat, scores paf from value 1, threshold 0.3, NMS at IoU 0.6"},
    {"tf-detection", "detection",
     R"({"kind": "tf-detection", "boxes": {"output": "heat"}, "classes": {"output": "paf"},
         "scores": {"output": "paf"}, "count": {"output": "paf"}, "first_class": 0})",
     "tf-detection: boxes heat, classes paf from 0, scores paf, count paf, threshold 0.3"},
    {"centernet", "detection",
     R"({"kind": "centernet", "heatmap": {"output": "heat"}, "size": {"output": "paf"}, "offset": {"output": "paf"}})",
     "centernet: heatmap heat, size paf, offset paf, threshold 0.3"},
    {"centernet", "detection", R"({"kind": "centernet", "output": "heat", "threshold": 0.5})",
     "centernet: heat, threshold 0.5"},
    {"nanodet", "detection",
     R"({"kind": "nanodet", "levels": [{"stride": 8, "scores": {"output": "heat"}, "distances": {"output": "paf"}}],
         "reg_max": 10})",
     "nanodet: outputs by stride, strides 8, reg_max 10, threshold 0.4, NMS at IoU 0.6"},
    {"nanodet", "detection", R"({"kind": "nanodet", "output": "heat", "strides": [8, 16], "reg_max": 7, "centre": 0})",
     "nanodet: heat, strides 8/16, reg_max 7, threshold 0.4, NMS at IoU 0.6"},
    {"fastestdet", "detection", R"({"kind": "fastestdet", "output": "heat"})",
     "fastestdet: heat, threshold 0.65, NMS at IoU 0.45"},
    {"yolox", "detection", R"({"kind": "yolox", "output": "heat", "strides": [8, 16], "nms_across_labels": true})",
     "yolox: heat, strides 8/16, threshold 0.3, NMS at IoU 0.45 across labels"},
    {"ssd", "detection", R"({"kind": "ssd", "output": "paf", "max_detections": 3, "nms_across_labels": true})",
     "ssd: paf, threshold 0.5, NMS at IoU 0.45 across labels"},
    {"classes", "classification",
     R"({"kind": "classes", "scores": {"output": "heat", "first": 1}, "values": "logits", "scale": 0.5, "top": 3})",
     "classes: heat from value 1, logits, the best 3"},
};

}  // namespace posecam::test
