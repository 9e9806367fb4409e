"""INT8 for OpenVINO by post-training quantisation: python -m training.release.quantise --help

Needs NNCF and no PyTorch (requirements-int8.txt), hence an environment of its own. Calibrates on rendered figures,
which anybody can make again, and on canvases of held-back photographs."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

import nncf
import numpy as np
import openvino as ov

from ..canvases import shards
from ..figures.scene import scene
from .descriptor import HEIGHT, NAME, WIDTH, descriptor

SEED = 31


def calibration(data: Path | None, count: int) -> Iterator[np.ndarray]:
    """Pictures as the network gets them: a square canvas at the left, padding at the right."""
    rng = np.random.default_rng(SEED)
    canvases = shards.read(shards.complete(data, "validation")[0]).images if data else []
    for index in range(count):
        drawn = index % 2 == 0 or not len(canvases)
        image = scene(rng, HEIGHT).image if drawn else canvases[rng.integers(len(canvases))]
        pixels = np.full((1, 3, HEIGHT, WIDTH), 128, np.float32)
        pixels[0, :, :, : image.shape[1]] = image.transpose(2, 0, 1)
        yield pixels


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--onnx", type=Path, required=True, help="of training.release.export, with sizes left open")
    parser.add_argument("--data", type=Path, help="folder of shards; without it, figures alone calibrate")
    parser.add_argument(
        "--out", type=Path, required=True, help="gets openpose-lite.json and openpose-lite/*.xml, *.bin"
    )
    parser.add_argument("--pictures", type=int, default=300)
    options = parser.parse_args()
    samples = nncf.Dataset(list(calibration(options.data, options.pictures)))
    model = ov.Core().read_model(options.onnx)
    quantised = nncf.quantize(model, samples, subset_size=options.pictures, preset=nncf.QuantizationPreset.MIXED)
    folder = options.out / NAME
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{NAME}-int8.xml"
    ov.save_model(quantised, file)
    weights = {"openvino": ("int8", [file, file.with_suffix(".bin")])}
    (options.out / f"{NAME}.json").write_text(json.dumps(descriptor(weights), indent=2) + "\n")
    print(f"{file}: {file.with_suffix('.bin').stat().st_size / 1e6:.2f} MB of weights")


if __name__ == "__main__":
    main()
