"""openpose-lite: a strided stem, a residual backbone at 1/8 of the input, an initial and a refinement stage.

After Osokin, Real-time 2D Multi-Person Pose Estimation on CPU: Lightweight OpenPose (2018), but with dense 3x3
convolutions throughout: vector units and INT8 run them at several times the rate of depthwise ones, so that for the
same time the dense network is the larger one. Dilation gives the sight of a whole person, in place of pooling."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from ..skeleton import CHANNELS, HEATMAPS, PAFS
from .winograd import Conv3x3

MEAN, SPREAD = 128.0, 64.0  # of pixel values; 128 is also the decoder's padding, hence zero inside


class ConvBlock(nn.Sequential):
    def __init__(self, inputs: int, outputs: int, stride: int = 1, dilation: int = 1) -> None:
        super().__init__(
            Conv3x3(inputs, outputs, stride, dilation),
            nn.BatchNorm2d(outputs, momentum=0.01),
            nn.ReLU(inplace=True),
        )


class Residual(nn.Module):
    def __init__(self, width: int, dilation: int) -> None:
        super().__init__()
        self.first = ConvBlock(width, width)
        self.second = ConvBlock(width, width, dilation=dilation)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.second(self.first(x))


class Heads(nn.Module):
    """Heatmaps and PAFs from features, each by a convolution of its own."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.heatmaps = nn.Conv2d(width, HEATMAPS, 1)
        self.pafs = nn.Conv2d(width, PAFS, 1)
        for layer in (self.heatmaps, self.pafs):  # nothing anywhere: close to the truth, and small gradients at first
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return self.heatmaps(x), self.pafs(x)


def pixel_scaling() -> nn.Conv2d:
    """(pixel - MEAN) / SPREAD as a fixed 1x1 convolution: the graph takes pixels and needs no other operator for it."""
    layer = nn.Conv2d(3, 3, 1)
    with torch.no_grad():
        layer.weight.copy_(torch.eye(3)[:, :, None, None] / SPREAD)
        layer.bias.fill_(-MEAN / SPREAD)
    return layer.requires_grad_(False)


class PoseNet(nn.Module):
    """Pixels (BGR, 0..255) to the maps of the initial and of the refinement stage."""

    def __init__(self, settings: dict[str, Any]) -> None:
        super().__init__()
        half, quarter = settings["stem"]
        width = settings["width"]
        self.scaling = pixel_scaling()
        self.stem = nn.Sequential(
            ConvBlock(3, half, 2),
            ConvBlock(half, quarter, 2),
            ConvBlock(quarter, quarter),
            ConvBlock(quarter, width, 2),
        )
        self.backbone = nn.Sequential(*(Residual(width, d) for d in settings["backbone_dilations"]))
        self.initial = Heads(width)
        self.merge = nn.Sequential(nn.Conv2d(width + CHANNELS, width, 1), nn.ReLU(inplace=True))
        self.refinement = nn.Sequential(*(Residual(width, d) for d in settings["refinement_dilations"]))
        self.final = Heads(width)

    def stages(self, pixels: torch.Tensor) -> list[torch.Tensor]:
        """The 57 channels, heatmaps first, of both stages."""
        features = self.backbone(self.stem(self.scaling(pixels)))
        first = torch.cat(self.initial(features), 1)
        return [first, torch.cat(self._refined(features, first), 1)]

    def forward(self, pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        features = self.backbone(self.stem(self.scaling(pixels)))
        return self._refined(features, torch.cat(self.initial(features), 1))

    def _refined(self, features: torch.Tensor, maps: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return self.final(self.refinement(self.merge(torch.cat([features, maps], 1))))


def giga_flops(network: nn.Module, height: int, width: int) -> float:
    """2 x multiply-adds of all convolutions for one picture."""
    total = 0

    def count(layer: nn.Conv2d, _: Any, output: torch.Tensor) -> None:
        nonlocal total
        total += 2 * layer.weight.numel() * output.shape[-1] * output.shape[-2]

    handles = [m.register_forward_hook(count) for m in network.modules() if isinstance(m, nn.Conv2d)]
    with torch.no_grad():
        network(torch.zeros(1, 3, height, width))
    for handle in handles:
        handle.remove()
    return total / 1e9
