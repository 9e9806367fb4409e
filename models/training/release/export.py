"""Writes a checkpoint's averaged weights as ONNX, with a descriptor: python -m training.release.export --help"""

from __future__ import annotations

import argparse
import copy
import json
from pathlib import Path

import numpy as np
import onnx
import openvino as ov
import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from .. import config
from ..figures.scene import scene
from ..student import state
from ..student.batches import Batches
from ..student.network import ConvBlock, PoseNet, giga_flops
from ..student.validate import refresh_statistics
from .descriptor import HEIGHT, NAME, WIDTH, descriptor

OPERATORS = {"Conv", "Relu", "Add", "Concat"}
TOLERANCE = 1e-3  # between PyTorch and OpenVINO in float32


def folded(network: PoseNet) -> PoseNet:
    """The same network with batch norm inside the convolutions; its statistics must be fresh."""
    plain = copy.deepcopy(network).eval()
    for block in [m for m in plain.modules() if isinstance(m, ConvBlock)]:
        block[0] = fuse_conv_bn_eval(block[0], block[1])
        block[1] = nn.Identity()
    return plain


def write_onnx(network: PoseNet, file: Path, dynamic: bool) -> None:
    axes = {n: {2: f"{n}_h", 3: f"{n}_w"} for n in ("data", "heatmaps", "pafs")} if dynamic else None
    torch.onnx.export(
        network,
        (torch.zeros(1, 3, HEIGHT, WIDTH),),
        str(file),
        input_names=["data"],
        output_names=["heatmaps", "pafs"],
        opset_version=13,
        dynamo=False,
        dynamic_axes=axes,
    )
    used = {node.op_type for node in onnx.load(str(file)).graph.node}
    if not used <= OPERATORS:
        raise SystemExit(f"{file}: operators that not every runtime takes: {sorted(used - OPERATORS)}")


def largest_difference(network: PoseNet, file: Path) -> float:
    pixels = torch.full((1, 3, HEIGHT, WIDTH), 128.0)
    drawn = scene(np.random.default_rng(1), HEIGHT).image
    pixels[0, :, :, :HEIGHT] = torch.from_numpy(drawn).permute(2, 0, 1)
    with torch.no_grad():
        expected = network(pixels)
    compiled = ov.Core().compile_model(file, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    results = compiled(pixels.numpy())
    return max(float(abs(results[n] - e.numpy()).max()) for n, e in zip(("heatmaps", "pafs"), expected, strict=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True, help="folder of the shards, for batch norm's statistics")
    parser.add_argument("--out", type=Path, required=True, help="gets openpose-lite.json and openpose-lite/*.onnx")
    parser.add_argument("--config", type=Path, default=config.DEFAULT)
    options = parser.parse_args()
    settings = config.load(options.config)
    run = state.fresh(settings, torch.device("cpu"))
    state.load(run, options.checkpoint)
    refresh_statistics(run.average, Batches(options.data, settings["train"], settings["seed"]), torch.device("cpu"))
    network = folded(run.average)
    folder = options.out / NAME
    folder.mkdir(parents=True, exist_ok=True)
    static, dynamic = folder / f"{NAME}-{WIDTH}x{HEIGHT}.onnx", folder / f"{NAME}.onnx"
    write_onnx(network, static, dynamic=False)
    write_onnx(network, dynamic, dynamic=True)
    difference = largest_difference(network, dynamic)
    if difference > TOLERANCE:
        raise SystemExit(f"ONNX differs from PyTorch by {difference:.2g}")
    weights = {backend: ("f32", [dynamic]) for backend in ("openvino", "opencv")}
    (options.out / f"{NAME}.json").write_text(json.dumps(descriptor(weights), indent=2) + "\n")
    parameters = sum(p.numel() for p in network.parameters())
    print(
        f"step {run.step}, {int(run.progress['images'])} images: {parameters / 1e6:.2f} M parameters, "
        f"{giga_flops(network, HEIGHT, WIDTH):.2f} GFLOP at {WIDTH}x{HEIGHT}, ONNX within {difference:.1g} of PyTorch"
    )


if __name__ == "__main__":
    main()
