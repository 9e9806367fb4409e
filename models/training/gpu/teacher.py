"""human-pose-estimation-0001 in PyTorch, to ask it on the device. It is a teacher: the student has none of its weights.

After Osokin, Real-time 2D Multi-Person Pose Estimation on CPU: Lightweight OpenPose (2018): depthwise separable
convolutions to 1/8 of the input, an initial and a refinement stage of dense ones. Batch norm is folded in."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import nn

from ..skeleton import HEATMAPS, PAFS

PIXEL_SCALE, PIXEL_SHIFT = 0.00392151, -0.5019531
BACKBONE = (32, 64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512)  # the first convolution, then the separable ones
SEPARABLE = ((1, 1), (2, 1), (1, 1), (2, 1), (1, 1), (1, 1), (1, 2), (1, 1), (1, 1), (1, 1), (1, 1))  # stride, dilation
WIDTH = 128  # behind the backbone
BLOCKS = 5  # of the refinement
HIDDEN = 512  # channels of the initial stage's heads


def conv(
    inputs: int, outputs: int, side: int = 3, stride: int = 1, dilation: int = 1, groups: int = 1, unit: type = nn.ReLU
) -> nn.Module:
    padding = dilation * (side // 2)
    return nn.Sequential(nn.Conv2d(inputs, outputs, side, stride, padding, dilation, groups), unit(inplace=True))


class Bridge(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.narrow = conv(BACKBONE[-1], WIDTH, 1, unit=nn.ELU)
        self.trunk = nn.Sequential(conv(WIDTH, WIDTH, 1, unit=nn.ELU))
        for _ in range(3):
            self.trunk.append(conv(WIDTH, WIDTH, 3, groups=WIDTH, unit=nn.ELU))
            self.trunk.append(conv(WIDTH, WIDTH, 1, unit=nn.ELU))
        self.mix = conv(WIDTH, WIDTH)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.narrow(x)
        return self.mix(x + self.trunk(x))


class Heads(nn.Module):
    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.pafs = nn.Sequential(conv(WIDTH, hidden, 1), nn.Conv2d(hidden, PAFS, 1))
        self.heatmaps = nn.Sequential(conv(WIDTH, hidden, 1), nn.Conv2d(hidden, HEATMAPS, 1))

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return self.pafs(x), self.heatmaps(x)


class RefinementBlock(nn.Module):
    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.narrow = conv(inputs, WIDTH, 1)
        self.look = nn.Sequential(conv(WIDTH, WIDTH), conv(WIDTH, WIDTH, dilation=2))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.narrow(x)
        return x + self.look(x)


class TeacherNet(nn.Module):
    """Pixels (BGR, 0..255) to the 57 channels, heatmaps first."""

    def __init__(self) -> None:
        super().__init__()
        layers = [conv(3, BACKBONE[0], stride=2)]
        for inputs, outputs, (stride, dilation) in zip(BACKBONE, BACKBONE[1:], SEPARABLE, strict=False):
            layers += [conv(inputs, inputs, 3, stride, dilation, groups=inputs), conv(inputs, outputs, 1)]
        self.backbone = nn.Sequential(*layers)
        self.bridge = Bridge()
        self.look = nn.Sequential(*(conv(WIDTH, WIDTH) for _ in range(3)))
        self.initial = Heads(HIDDEN)
        inputs = [PAFS + HEATMAPS + WIDTH] + [WIDTH] * (BLOCKS - 1)
        self.refinement = nn.Sequential(*(RefinementBlock(i) for i in inputs))
        self.final = Heads(WIDTH)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        features = self.bridge(self.backbone(pixels * PIXEL_SCALE + PIXEL_SHIFT))
        first = self.initial(self.look(features))
        pafs, heatmaps = self.final(self.refinement(torch.cat([*first, features], 1)))
        return torch.cat([heatmaps, pafs], 1)


@torch.no_grad()
def teacher_of(file: Path) -> TeacherNet:
    """With the weights of the ONNX, whose convolutions come in the order of the modules here, biases behind them."""
    import onnx
    from onnx import numpy_helper

    graph = onnx.load(str(file)).graph
    stored = {t.name: torch.from_numpy(np.array(numpy_helper.to_array(t))) for t in graph.initializer}
    biases = {n.input[0]: stored[n.input[1]] for n in graph.node if n.op_type == "Add" and n.input[1] in stored}
    network = TeacherNet()
    layers = [m for m in network.modules() if isinstance(m, nn.Conv2d)]
    nodes = [n for n in graph.node if n.op_type == "Conv"]
    for layer, node in zip(layers, nodes, strict=True):
        layer.weight.copy_(stored[node.input[1]].view_as(layer.weight))
        layer.bias.copy_(biases[node.output[0]].reshape(-1))
    return network.eval().requires_grad_(False)
