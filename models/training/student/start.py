"""Begins a run from a network that is there already, the shipped one: python -m training.student.start --help

An ONNX holds convolutions with their biases, training wants batch norm behind them. Any mean and any variance may be
put there, as long as scale and shift take them back; those of real pictures make a network that answers as before and
whose norms do their work from the first step. So may any length of the filters, of which nothing depends: they get
the one, 1, that training at a constant rate would give them, so that a step turns all of them by the same angle."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import nn

from .. import config
from . import state
from .batches import Batches
from .network import ConvBlock, PoseNet

BATCHES = 12
TOLERANCE = 2e-3


def weights_of(file: Path) -> dict[str, torch.Tensor]:
    stored = onnx.load(str(file)).graph.initializer
    return {t.name: torch.from_numpy(np.array(numpy_helper.to_array(t))) for t in stored}


def neutral_norms(network: nn.Module) -> None:
    for norm in (m for m in network.modules() if isinstance(m, nn.BatchNorm2d)):
        norm.reset_running_stats()
        nn.init.constant_(norm.weight, (1 + norm.eps) ** 0.5)


def unit_filters(block: ConvBlock) -> None:
    """Filters of length 1, and a norm that gives them back what they had."""
    filters, norm = block[0].weight.data, block[1]
    lengths = filters.flatten(1).norm(dim=1).clamp_min(1e-6)
    filters.div_(lengths[:, None, None, None])
    norm.weight.data.mul_(lengths)


def load_plain(network: PoseNet, weights: dict[str, torch.Tensor]) -> None:
    """Biases of convolutions become shifts of the norms behind them."""
    neutral_norms(network)
    for name, block in network.named_modules():
        if isinstance(block, ConvBlock):
            weights[f"{name}.1.bias"] = weights.pop(f"{name}.0.bias")
    missing, surplus = network.load_state_dict(weights, strict=False)
    for block in network.modules():
        if isinstance(block, ConvBlock):
            unit_filters(block)
    left_out = [m for m in missing if not m.endswith((".1.weight", "running_mean", "running_var", "tracked"))]
    if left_out or surplus:
        raise SystemExit(f"not the same network: lacks {left_out}, has {surplus}")


@torch.no_grad()
def measure_norms(network: PoseNet, pictures: list[torch.Tensor]) -> None:
    """Statistics of these pictures, with scales and shifts that take them back: answers stay as they are."""
    blocks = [m for m in network.modules() if isinstance(m, ConvBlock)]
    sums: dict[nn.Module, torch.Tensor] = {}

    def note(layer: nn.Module, _: object, output: torch.Tensor) -> None:
        moments = torch.stack([output.mean((0, 2, 3)), (output**2).mean((0, 2, 3))])
        sums[layer] = sums.get(layer, 0) + moments / len(pictures)

    handles = [b[0].register_forward_hook(note) for b in blocks]
    network.eval()
    for pixels in pictures:
        network(pixels)
    for handle in handles:
        handle.remove()
    for block in blocks:
        norm, (mean, square) = block[1], sums[block[0]]
        slope = norm.weight / (1 + norm.eps) ** 0.5
        norm.running_mean, norm.running_var = mean, (square - mean**2).clamp_min(1e-6)
        norm.bias += slope * mean
        norm.weight.copy_(slope * (norm.running_var + norm.eps).sqrt())


@torch.no_grad()
def largest_difference(network: PoseNet, file: Path, pixels: torch.Tensor) -> float:
    import openvino as ov

    compiled = ov.Core().compile_model(file, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    network.eval()
    expected = network(pixels)
    results = compiled(pixels.contiguous().numpy())
    return max(float(abs(results[n] - e.numpy()).max()) for n, e in zip(("heatmaps", "pafs"), expected, strict=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--onnx", type=Path, required=True, help="the shipped network, sizes left open")
    parser.add_argument("--data", type=Path, required=True, help="folder of the shards, for batch norm's statistics")
    parser.add_argument("--run", type=Path, required=True, help="folder of the run, which must not have begun")
    parser.add_argument("--config", type=Path, default=config.DEFAULT)
    options = parser.parse_args()
    newest = options.run / "newest.pt"
    if newest.exists():
        raise SystemExit(f"{newest} is there already")
    settings = config.load(options.config)
    run = state.fresh(settings, torch.device("cpu"))
    batches = Batches(options.data, settings["train"], settings["seed"])
    pictures = [batches.batch(10**9 + n)[0] for n in range(BATCHES)]
    load_plain(run.network, weights_of(options.onnx))
    measure_norms(run.network, pictures)
    difference = largest_difference(run.network, options.onnx, pictures[0][:1])
    if difference > TOLERANCE:
        raise SystemExit(f"differs from {options.onnx} by {difference:.2g}")
    run.average.load_state_dict(run.network.state_dict())
    options.run.mkdir(parents=True, exist_ok=True)
    state.save(run, newest)
    print(f"{newest}: answers as {options.onnx} does, within {difference:.1g}")


if __name__ == "__main__":
    main()
