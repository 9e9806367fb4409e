"""What posecam must know to run the network: its descriptor."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

NAME = "openpose-lite"
HEIGHT, WIDTH = 256, 456


def described(file: Path) -> dict[str, Any]:
    content = file.read_bytes()
    return {"name": file.name, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def descriptor(weights: dict[str, tuple[str, list[Path]]]) -> dict[str, Any]:
    """What posecam must know to run it; weights: backend -> (precision, files)."""
    return {
        "schema_version": 1,
        "name": NAME,
        "description": "posecam's own small network, which comes with the program: 18 keypoints of everybody in view, "
        "1.47 million parameters, heatmaps and part affinity fields at 1/8 of the input. Any input size whose sides "
        "are multiples of 8. How it was trained, what it reaches and what it cannot do: "
        "models/zoo/openpose-lite/README.md.",
        "task": "pose",
        "license": "Apache-2.0",
        "source": "models/training",
        "weights": {b: {"precision": p, "files": [described(f) for f in files]} for b, (p, files) in weights.items()},
        "inputs": [
            {
                "name": "data", "dtype": "f32", "layout": "nchw", "color": "bgr",
                "size": {"width": WIDTH, "height": HEIGHT}, "batch": 1, "multiple_of": 8,
                "mean": [0, 0, 0], "scale": [1, 1, 1], "resize": "letterbox",
                "anchor": "top-left", "pad_value": 128,
            }
        ],
        "outputs": ["heatmaps", "pafs"],
        "decoder": {
            "kind": "paf", "heatmaps": {"output": "heatmaps", "first": 0}, "pafs": {"output": "pafs", "first": 0},
            "stride": 8, "threshold": 0.1, "paf_threshold": 0.05, "taps": 9, "max_people": 127,
        },
        "skeleton": "coco-18",
    }  # fmt: skip
