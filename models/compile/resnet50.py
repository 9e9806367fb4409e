"""Writes a ResNet-50 (v1.5: stride in the 3x3 convolutions) with seeded weights as ONNX, where the shape of a network
counts and its answers do not: python -m compile.resnet50 --help"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import helper, numpy_helper

from . import files
from .__main__ import guarded
from .errors import UsageError

STAGES = ((3, 64, 1), (4, 128, 2), (6, 256, 2), (3, 512, 2))  # blocks, width, stride of the first block
EXPANSION = 4
CLASSES = 1000
EPSILON = 1e-5


class Builder:
    """Weights are drawn in the order of the nodes, as scaled integers: a seed gives the same bytes anywhere."""

    def __init__(self, seed: int) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []
        self.parameters = 0
        self._random = np.random.Generator(np.random.PCG64(seed))

    def weight(self, name: str, values: np.ndarray, trained: bool = True) -> str:
        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(values, "<f4"), name))
        self.parameters += values.size if trained else 0
        return name

    def drawn(self, name: str, shape: tuple[int, ...], variance: float) -> str:
        """Uniform of that variance."""
        bits = self._random.integers(0, 2**24, shape, np.int64)
        return self.weight(name, ((bits + 0.5) * 2.0**-23 - 1.0) * np.sqrt(3 * variance))

    def node(self, op: str, name: str, inputs: list[str], **attributes: object) -> str:
        self.nodes.append(helper.make_node(op, inputs, [name], name=name, **attributes))
        return name

    def conv(self, name: str, x: str, channels: tuple[int, int], kernel: int, stride: int, gain: float = 1.0) -> str:
        """Convolution without bias (He et al. 2015: variance 2 / inputs of a value) and batch normalisation."""
        taken, given = channels
        w = self.drawn(f"{name}.weight", (given, taken, kernel, kernel), 2 / (taken * kernel * kernel))
        pads = [kernel // 2] * 4
        y = self.node("Conv", name, [x, w], kernel_shape=[kernel] * 2, strides=[stride] * 2, pads=pads)
        scale = self.weight(f"{name}.bn.weight", np.full(given, gain))
        bias = self.weight(f"{name}.bn.bias", np.zeros(given))
        mean = self.weight(f"{name}.bn.running_mean", np.zeros(given), trained=False)
        variance = self.weight(f"{name}.bn.running_var", np.ones(given), trained=False)
        return self.node("BatchNormalization", f"{name}.bn", [y, scale, bias, mean, variance], epsilon=EPSILON)

    def relu(self, x: str) -> str:
        return self.node("Relu", f"{x}.relu", [x])

    def block(self, name: str, x: str, taken: int, width: int, stride: int) -> str:
        given = width * EXPANSION
        y = self.relu(self.conv(f"{name}.conv1", x, (taken, width), 1, 1))
        y = self.relu(self.conv(f"{name}.conv2", y, (width, width), 3, stride))
        # The last one of a block counts for little: 16 blocks would otherwise double the activations 16 times.
        y = self.conv(f"{name}.conv3", y, (width, given), 1, 1, gain=0.25)
        if stride != 1 or taken != given:
            x = self.conv(f"{name}.downsample", x, (taken, given), 1, stride, gain=0.5**0.5)
        return self.relu(self.node("Add", f"{name}.add", [y, x]))


def model(seed: int) -> tuple[onnx.ModelProto, int]:
    """The network, and how many parameters it has."""
    b = Builder(seed)
    x = b.relu(b.conv("conv1", "images", (3, 64), 7, 2))
    x = b.node("MaxPool", "maxpool", [x], kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    taken = 64
    for stage, (blocks, width, stride) in enumerate(STAGES, 1):
        for block in range(blocks):
            x = b.block(f"layer{stage}.{block}", x, taken, width, stride if block == 0 else 1)
            taken = width * EXPANSION
    x = b.node("Flatten", "flatten", [b.node("GlobalAveragePool", "avgpool", [x])], axis=1)
    w = b.drawn("fc.weight", (CLASSES, taken), 1 / taken)
    x = b.node("Gemm", "output", [x, w, b.weight("fc.bias", np.zeros(CLASSES))], transB=1)
    image = helper.make_tensor_value_info("images", onnx.TensorProto.FLOAT, ["batch", 3, 224, 224])
    scores = helper.make_tensor_value_info(x, onnx.TensorProto.FLOAT, ["batch", CLASSES])
    graph = helper.make_graph(b.nodes, "resnet50", [image], [scores], b.weights)
    result = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], producer_name="posecam")
    result.ir_version = 8
    return result, b.parameters


def run(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m compile.resnet50", description=__doc__.rsplit(":", 1)[0])
    parser.add_argument("--out", type=Path, required=True, help="the ONNX file")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    if options.seed < 0:
        raise UsageError(f"--seed {options.seed}: 0 or more")
    built, parameters = model(options.seed)
    try:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        files.write(options.out, built.SerializeToString(deterministic=True))
    except OSError as error:
        raise UsageError(f"--out {options.out}: {error.strerror}") from error
    print(f"{options.out}: {parameters} parameters, sha256 {files.described(options.out)['sha256']}")


if __name__ == "__main__":
    sys.exit(guarded("resnet50", run, sys.argv[1:]))
