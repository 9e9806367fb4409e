#!/usr/bin/env python3
"""Makes tiny_pose.onnx and tiny_pose.json: an OpenPose-shaped network of a few hundred bytes for tests.

Heatmaps and PAFs at 1/8 of the input, each a fixed weighting of the mean colour of its 8x8 cell. Needs the package onnx.
"""
import hashlib
import json
import pathlib

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

here = pathlib.Path(__file__).parent
rng = np.random.default_rng(1)
heat = (rng.uniform(0, 1 / 255 / 3, (19, 3, 1, 1))).astype(np.float32)
paf = (rng.uniform(-1 / 255 / 3, 1 / 255 / 3, (38, 3, 1, 1))).astype(np.float32)

graph = helper.make_graph(
    [
        helper.make_node("AveragePool", ["data"], ["cells"], kernel_shape=[8, 8], strides=[8, 8]),
        helper.make_node("Conv", ["cells", "heat_weights"], ["heatmaps"], kernel_shape=[1, 1]),
        helper.make_node("Conv", ["cells", "paf_weights"], ["pafs"], kernel_shape=[1, 1]),
    ],
    "tiny_pose",
    [helper.make_tensor_value_info("data", TensorProto.FLOAT, [1, 3, 32, 64])],
    [
        helper.make_tensor_value_info("heatmaps", TensorProto.FLOAT, [1, 19, 4, 8]),
        helper.make_tensor_value_info("pafs", TensorProto.FLOAT, [1, 38, 4, 8]),
    ],
    [numpy_helper.from_array(heat, "heat_weights"), numpy_helper.from_array(paf, "paf_weights")],
)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)])
model.ir_version = 6
onnx.checker.check_model(model)
data = model.SerializeToString()
(here / "tiny_pose.onnx").write_bytes(data)

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
    "source": "tests/data/make_tiny_pose.py",
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
