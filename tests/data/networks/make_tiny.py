#!/usr/bin/env python3
"""Writes tiny.onnx, the network of the backend conformance suite. Needs numpy and onnx, at the exact bytes committed only
for the same version of onnx.

input "image" Nx3xHxW -> "sum" Nx1xHxW: 1*b + 2*g + 3*r of every pixel (1x1 convolution), and
                         "mean" Nx2x(H/8)x(W/8): the averages of b and of r over 8x8 pixels (8x8 convolution, stride 8)
"""
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

sum_weights = np.array([1, 2, 3], np.float32).reshape(1, 3, 1, 1)
mean_weights = np.zeros((2, 3, 8, 8), np.float32)
mean_weights[0, 0] = 1 / 64
mean_weights[1, 2] = 1 / 64
graph = helper.make_graph(
    [helper.make_node("Conv", ["image", "sum_w"], ["sum"], kernel_shape=[1, 1]),
     helper.make_node("Conv", ["image", "mean_w"], ["mean"], kernel_shape=[8, 8], strides=[8, 8])],
    "tiny",
    [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, 16, 24])],
    [helper.make_tensor_value_info("sum", TensorProto.FLOAT, [1, 1, 16, 24]),
     helper.make_tensor_value_info("mean", TensorProto.FLOAT, [1, 2, 2, 3])],
    [numpy_helper.from_array(sum_weights, "sum_w"), numpy_helper.from_array(mean_weights, "mean_w")])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], ir_version=7)
onnx.checker.check_model(model)
onnx.save(model, sys.argv[1])
