#!/usr/bin/env python3
"""Makes the networks of the tests, a kilobyte each. Needs the package onnx; other versions of it may give other bytes.

tiny_pose.onnx, tiny_pose.json  OpenPose-shaped: heatmaps and PAFs at 1/8 of the input, each a fixed weighting of the mean
                                colour of its 8x8 cell
tiny.onnx                       easy to calculate by hand: "image" 1x3xHxW -> "sum" 1x1xHxW, 1*b + 2*g + 3*r of every pixel,
                                and "mean" 1x2x(H/8)x(W/8), the averages of b and of r over 8x8 pixels
traced_pose.onnx                tiny_pose as torch_neuronx would trace a network of two stages: "input0" -> "output0" and
                                "output1" (heatmaps and PAFs that nobody is meant to read), "output2" and "output3" (those
                                of tiny_pose)
four_outputs.onnx               what TensorFlow's Object Detection API exports, for any picture of 8x8: two boxes, of classes 1
                                and 3, whose scores are the means of blue and of red / 255, and a row of padding
tiny_pose.xml, tiny_pose.bin    tiny_pose.onnx as OpenVINO's IR; needs the package openvino
"""
import hashlib
import json
import pathlib

import numpy as np
import onnx
import openvino
from onnx import TensorProto, helper, numpy_helper

here = pathlib.Path(__file__).parent

def make(name, nodes, inputs, outputs, weights):
    """Writes NAME.onnx of float tensors ({name: shape}, {name: array}); returns its bytes."""
    def infos(shapes):
        return [helper.make_tensor_value_info(key, TensorProto.FLOAT, shape) for key, shape in shapes.items()]

    graph = helper.make_graph(nodes, name, infos(inputs), infos(outputs),
                              [numpy_helper.from_array(array, key) for key, array in weights.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], ir_version=6)
    onnx.checker.check_model(model)
    (here / f"{name}.onnx").write_bytes(model.SerializeToString())
    return model.SerializeToString()


mean_weights = np.zeros((2, 3, 8, 8), np.float32)
mean_weights[0, 0] = mean_weights[1, 2] = 1 / 64
make("tiny",
     [helper.make_node("Conv", ["image", "sum_w"], ["sum"], kernel_shape=[1, 1]),
      helper.make_node("Conv", ["image", "mean_w"], ["mean"], kernel_shape=[8, 8], strides=[8, 8])],
     {"image": [1, 3, 16, 24]}, {"sum": [1, 1, 16, 24], "mean": [1, 2, 2, 3]},
     {"sum_w": np.array([1, 2, 3], np.float32).reshape(1, 3, 1, 1), "mean_w": mean_weights})

def told(name, values, blue=0, red=0):
    """Nodes and weights of an output: fixed values, in which one of blue and one of red stand for means of colours."""
    weights = np.zeros((len(values), 3, 1, 1), np.float32)
    for place, channel in ((blue, 0), (red, 2)):
        if place:
            weights[place - 1, channel] = 1 / 255
    return ([helper.make_node("Conv", ["means", name + "_w", name + "_b"], [name + "_map"], kernel_shape=[1, 1]),
             helper.make_node("Reshape", [name + "_map", name + "_shape"], [name])],
            {name + "_w": weights, name + "_b": np.array(values, np.float32)})


parts = {"num_detections": told("num_detections", [2]),
         "detection_scores": told("detection_scores", [0, 0, 0.9], blue=1, red=2),
         "detection_boxes": told("detection_boxes", [0.25, 0.125, 0.75, 0.5, 0.5, 0.5, 1, 1, 0, 0, 1, 1]),
         "detection_classes": told("detection_classes", [1, 3, 1])}
shapes = {"num_detections": [1], "detection_scores": [1, 3], "detection_boxes": [1, 3, 4], "detection_classes": [1, 3]}
make("four_outputs",
     [helper.make_node("AveragePool", ["image_tensor"], ["means"], kernel_shape=[8, 8], strides=[8, 8])]
     + [node for nodes, _ in parts.values() for node in nodes],
     {"image_tensor": [1, 3, 8, 8]}, shapes,
     {key: array for _, weights in parts.values() for key, array in weights.items()}
     | {name + "_shape": np.array(shape, np.int64) for name, shape in shapes.items()})

rng = np.random.default_rng(1)
heat = (rng.uniform(0, 1 / 255 / 3, (19, 3, 1, 1))).astype(np.float32)
paf = (rng.uniform(-1 / 255 / 3, 1 / 255 / 3, (38, 3, 1, 1))).astype(np.float32)
data = make("tiny_pose",
    [
        helper.make_node("AveragePool", ["data"], ["cells"], kernel_shape=[8, 8], strides=[8, 8]),
        helper.make_node("Conv", ["cells", "heat_weights"], ["heatmaps"], kernel_shape=[1, 1]),
        helper.make_node("Conv", ["cells", "paf_weights"], ["pafs"], kernel_shape=[1, 1]),
    ],
    {"data": [1, 3, 32, 64]}, {"heatmaps": [1, 19, 4, 8], "pafs": [1, 38, 4, 8]},
    {"heat_weights": heat, "paf_weights": paf})

make("traced_pose",
    [helper.make_node("AveragePool", ["input0"], ["cells"], kernel_shape=[8, 8], strides=[8, 8])]
    + [helper.make_node("Conv", ["cells", f"weights{i}"], [f"output{i}"], kernel_shape=[1, 1]) for i in range(4)],
    {"input0": [1, 3, 32, 64]}, {f"output{i}": [1, (19, 38)[i % 2], 4, 8] for i in range(4)},
    {"weights0": heat[::-1].copy(), "weights1": paf[::-1].copy(), "weights2": heat, "weights3": paf})
openvino.save_model(openvino.convert_model(here / "tiny_pose.onnx"), here / "tiny_pose.xml", compress_to_fp16=True)

weights = {
    "precision": "f32",
    "files": [{
        "name": "tiny_pose.onnx",
        "mirror_path": "tiny-pose/tiny_pose.onnx",
        "bytes": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
    }],
}
spec = {
    "schema_version": 1,
    "name": "tiny-pose",
    "description": "OpenPose-shaped network for tests; finds nobody worth the name.",
    "task": "pose",
    "license": "Apache-2.0",
    "source": "tests/data/make_networks.py",
    "weights": {"openvino": weights, "opencv": weights},
    "inputs": [{
        "name": "data", "dtype": "f32", "layout": "nchw", "color": "bgr", "size": {"width": 64, "height": 32},
        "batch": 1, "multiple_of": 8, "mean": [0, 0, 0], "scale": [1, 1, 1], "resize": "letterbox",
        "anchor": "top-left", "pad_value": 0,
    }],
    "outputs": ["heatmaps", "pafs"],
    "decoder": {
        "kind": "paf", "heatmaps": {"output": "heatmaps", "first": 0}, "pafs": {"output": "pafs", "first": 0},
        "stride": 8, "threshold": 0.1, "paf_threshold": 0.05, "max_people": 127,
    },
    "skeleton": "coco-18",
}
(here / "tiny_pose.json").write_text(json.dumps(spec, indent=2) + "\n")
