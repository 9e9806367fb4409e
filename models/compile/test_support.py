"""What the tests share: small models, their descriptor, a folder."""

from __future__ import annotations

import importlib.util
import tempfile
import unittest
from pathlib import Path
from typing import Any

MISSING = [m for m in ("numpy", "google.protobuf", "onnx", "jax") if importlib.util.find_spec(m.split(".")[0]) is None]
RANDOM: Any = None
if not MISSING:
    import numpy as np
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    from . import onnx_file

    RANDOM = np.random.default_rng(3)
needs_packages = unittest.skipIf(MISSING, f"not installed: {', '.join(MISSING)}; see compile/requirements.txt")

MODELS = Path(__file__).resolve().parent.parent
SIDE = 16


def weights(*shape: int) -> np.ndarray:
    return RANDOM.standard_normal(shape).astype(np.float32)


def ints(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


def model(nodes: list[onnx.NodeProto], constants: dict[str, np.ndarray], outputs: list[str], *, opset: int = 13,
          shape: tuple[Any, ...] = (1, 3, SIDE, SIDE), kind: int = 1) -> onnx.ModelProto:  # fmt: skip
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("image", kind, shape)],
        [helper.make_tensor_value_info(o, TensorProto.FLOAT, None) for o in outputs],
        [numpy_helper.from_array(v, n) for n, v in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def node(op: str, inputs: list[str], output: str = "y", **attributes: Any) -> onnx.NodeProto:
    return helper.make_node(op, inputs, [output], name=f"{op}_here", **attributes)


def pose_model() -> onnx.ModelProto:
    """Scaling of pixels, one convolution a map at 1/8, their join; the same each time."""
    random = np.random.default_rng(5)
    shapes = {"m": (1, 3, 1, 1), "wh": (19, 3, 8, 8), "wp": (38, 3, 8, 8)}
    constants = {n: random.standard_normal(s).astype(np.float32) for n, s in shapes.items()}
    constants["k"] = np.array(1 / 255, np.float32)
    stride = {"strides": [8, 8], "kernel_shape": [8, 8]}
    nodes = [
        helper.make_node("Mul", ["image", "k"], ["scaled"], name="scale"),
        helper.make_node("Sub", ["scaled", "m"], ["centred"], name="centre"),
        helper.make_node("Conv", ["centred", "wp"], ["pafs"], name="pafs", **stride),
        helper.make_node("Conv", ["centred", "wh"], ["heat"], name="heat", **stride),
        helper.make_node("Concat", ["pafs", "heat"], ["maps"], name="join", axis=1),
    ]
    return model(nodes, constants, ["maps"], shape=("n", 3, "h", "w"))


def pose_descriptor(**changes: Any) -> dict[str, Any]:
    first = {
        "name": "image", "dtype": "f32", "layout": "nchw", "color": "bgr", "size": {"width": 32, "height": 16},
        "batch": 1, "multiple_of": 8, "mean": [0, 0, 0], "scale": [1, 1, 1], "resize": "stretch",
    }  # fmt: skip
    document = {
        "schema_version": 1, "name": "tiny", "description": "A test", "task": "pose", "license": "Apache-2.0",
        "source": "here", "weights": {"openvino": {"precision": "f32", "files": []}}, "inputs": [{**first, **changes}],
        "outputs": ["maps"], "skeleton": "coco-18",
        "decoder": {
            "kind": "paf", "heatmaps": {"output": "maps", "first": 38}, "pafs": {"output": "maps", "first": 0},
            "stride": 8,
        },
    }  # fmt: skip
    return document


@needs_packages
class Folder(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def load(self, made: onnx.ModelProto) -> Any:
        file = self.folder / "tiny.onnx"
        file.write_bytes(made.SerializeToString())
        return onnx_file.load(file)
