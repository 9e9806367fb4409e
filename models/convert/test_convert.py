"""A graph model made here, run by OpenVINO after its conversion, against its definition; and what is refused."""

from __future__ import annotations

import base64
import importlib.util
import json
import tempfile
import unittest
from pathlib import Path
from typing import Any

MISSING = [name for name in ("numpy", "openvino", "google") if importlib.util.find_spec(name) is None]
if not MISSING:
    import numpy as np
    import openvino as ov

    from .__main__ import convert
    from .tfjs import ConvertError, frozen


def text(value: str) -> str:
    return base64.b64encode(value.encode()).decode()


def sizes(*values: int) -> dict[str, Any]:
    return {"dim": [{"size": str(v)} for v in values]}


def constant(name: str, *shape: int) -> dict[str, Any]:
    kind = "DT_FLOAT"
    empty = {"tensor": {"dtype": kind, "tensorShape": sizes(*shape)}}
    return {"name": name, "op": "Const", "attr": {"dtype": {"type": kind}, "value": empty}}


@unittest.skipIf(MISSING, f"not installed: {', '.join(MISSING)}; see convert/requirements.txt")
class Convert(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.weights = np.array([[[[0.5], [-1], [2]]]], np.float16)  # one pixel, three channels, one map
        self.bias = np.array([-3], np.float32)

    def written(self, activation: str = "Relu6", content: bytes = b"") -> Path:
        """Pixels -> a convolution of 1x1 with bias and activation."""
        fused = [text("BiasAdd"), text(activation)]
        shape = sizes(1, 2, 2, 3)
        nodes = [
            {"name": "pixels", "op": "Placeholder", "attr": {"dtype": {"type": "DT_FLOAT"}, "shape": {"shape": shape}}},
            constant("weights", 1, 1, 3, 1),
            constant("bias", 1),
            {
                "name": "maps", "op": "_FusedConv2D", "input": ["pixels", "weights", "bias"],
                "attr": {
                    "T": {"type": "DT_FLOAT"}, "strides": {"list": {"i": ["1", "1", "1", "1"]}},
                    "padding": {"s": text("SAME")}, "data_format": {"s": text("NHWC")},
                    "dilations": {"list": {"i": ["1", "1", "1", "1"]}}, "explicit_paddings": {"list": {}},
                    "num_args": {"i": "1"}, "epsilon": {"f": 0}, "fused_ops": {"list": {"s": fused}},
                },
            },
        ]  # fmt: skip
        half = {"dtype": "float16", "original_dtype": "float32"}
        manifest = [
            {"name": "weights", "shape": [1, 1, 3, 1], "dtype": "float32", "quantization": half},
            {"name": "bias", "shape": [1], "dtype": "float32"},
        ]
        file = self.folder / "tiny.json"
        document = {"modelTopology": {"node": nodes, "library": {}, "versions": {}}}
        file.write_text(json.dumps({**document, "weightsManifest": [{"paths": ["tiny.bin"], "weights": manifest}]}))
        (self.folder / "tiny.bin").write_bytes(content or self.weights.tobytes() + self.bias.tobytes())
        return file

    def test_the_network_computes_what_it_is_defined_as(self) -> None:
        graph, constants = convert(self.written(), self.folder / "mirror")
        self.assertEqual((graph.name, constants.name), ("tiny.xml", "tiny.bin"))
        pixels = np.arange(12, dtype=np.float32).reshape(1, 2, 2, 3)
        result = ov.Core().compile_model(graph, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})(pixels)["maps:0"]
        wanted = np.clip(pixels @ self.weights[0, 0].astype(np.float32) + self.bias, 0, 6)
        np.testing.assert_allclose(result, wanted, atol=1e-5)

    def test_the_same_model_gives_the_same_bytes(self) -> None:
        file = self.written()
        self.assertEqual(frozen(file), frozen(file))

    def test_what_is_not_known_is_named_in_a_line(self) -> None:
        with self.assertRaisesRegex(ConvertError, r"maps \(_FusedConv2D\) is fused from BiasAdd Elu, which"):
            frozen(self.written("Elu"))
        with self.assertRaisesRegex(ConvertError, "tiny.bin: 12 bytes, the manifest speaks of 10"):
            frozen(self.written(content=bytes(12)))
        (self.folder / "text.json").write_text("{}")
        with self.assertRaisesRegex(ConvertError, "text.json: not a graph model of TensorFlow.js"):
            frozen(self.folder / "text.json")


if __name__ == "__main__":
    unittest.main()
