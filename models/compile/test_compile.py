"""Checks that need neither weights nor the vendor's compilers: python -m unittest compile.test_compile"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import io
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path
from typing import Any

MISSING = [m for m in ("numpy", "google.protobuf", "onnx", "jax") if importlib.util.find_spec(m.split(".")[0]) is None]
if not MISSING:
    import numpy as np
    import onnx
    from onnx import TensorProto, helper, numpy_helper
    from onnx.reference import ReferenceEvaluator

    from . import cut, graphdef, hlo, onnx_file, plan, resnet50, vendor
    from . import descriptor as descriptors
    from .__main__ import guarded, run
    from .errors import ModelError, UsageError
    from .hlo_proto import Module

    RANDOM = np.random.default_rng(3)
needs_packages = unittest.skipIf(MISSING, f"not installed: {', '.join(MISSING)}; see compile/requirements.txt")

MODELS = Path(__file__).resolve().parent.parent
SIDE = 16

# What the vendor's compiler is told is checked, and a NEFF's header is written: the compiler itself cannot be had here.
FAKE_COMPILER = f"""#!{sys.executable}
import os, pathlib, struct, sys, time
assert sys.argv[1] == "compile" and sys.argv[-2] == "--output", sys.argv
with open(os.environ["FAKE_CALLS"], "a") as calls:
    calls.write(" ".join([os.path.basename(sys.argv[0]), *sys.argv[1:]]) + "\\n")
model, output = pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[-1])
assert model.is_file() and not output.exists()
mode = os.environ.get("FAKE_MODE", "good")
if mode == "fail" or (mode == "fail-b4" and "-b4." in model.name):
    print("[ERROR] [NCC_EVRF001] operator is not supported")
    sys.exit(70)
if mode == "hang":
    output.write_bytes(b"half")
    time.sleep(60)
payload = b"" if mode == "empty" else model.read_bytes()[:99]
header = struct.pack("<QQQ", 2, 1024, len(payload)).ljust(1024, b"\\0")
output.write_bytes((b"x" if mode == "foreign" else header) + payload)
"""


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


# Every operator once or more: (operator, attributes, further inputs, opset).
def cases() -> list[tuple[str, dict[str, Any], list[np.ndarray | None], int]]:
    return [
        ("Conv", {"pads": [1, 1, 1, 1], "strides": [2, 2]}, [weights(5, 3, 3, 3), weights(5)], 13),
        ("Conv", {"group": 3, "dilations": [2, 1], "kernel_shape": [3, 3]}, [weights(6, 1, 3, 3)], 13),
        ("Conv", {"auto_pad": "SAME_UPPER", "strides": [2, 2]}, [weights(4, 3, 3, 3)], 13),
        ("Conv", {"auto_pad": "SAME_LOWER", "strides": [3, 3]}, [weights(4, 3, 2, 2)], 13),
        ("MaxPool", {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1]}, [], 13),
        ("MaxPool", {"kernel_shape": [3, 3], "strides": [2, 2], "ceil_mode": 1}, [], 13),
        ("AveragePool", {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1]}, [], 13),
        ("AveragePool", {"kernel_shape": [3, 3], "pads": [1, 0, 1, 0], "count_include_pad": 1}, [], 13),
        ("GlobalAveragePool", {}, [], 13),
        ("GlobalMaxPool", {}, [], 13),
        ("Relu", {}, [], 13),
        ("LeakyRelu", {"alpha": 0.2}, [], 13),
        ("PRelu", {}, [weights(3, 1, 1)], 13),
        ("Elu", {"alpha": 0.7}, [], 13),
        ("Sigmoid", {}, [], 13),
        ("HardSigmoid", {"alpha": 0.3, "beta": 0.4}, [], 13),
        ("HardSwish", {}, [], 14),
        ("Tanh", {}, [], 13),
        ("Exp", {}, [], 13),
        ("Abs", {}, [], 13),
        ("Neg", {}, [], 13),
        ("Clip", {}, [np.float32(-0.5), np.float32(0.5)], 13),
        ("Clip", {}, [None, np.float32(0.5)], 13),
        ("Clip", {"min": -0.1, "max": 0.2}, [], 10),
        ("Softmax", {"axis": 1}, [], 13),
        ("Softmax", {"axis": 3}, [], 11),
        ("Add", {}, [weights(3, 1, 1)], 13),
        ("Sub", {}, [weights(1, 3, 1, SIDE)], 13),
        ("Mul", {}, [np.float32(3)], 13),
        ("Div", {}, [np.abs(weights(SIDE)) + 1], 13),
        ("Max", {}, [np.float32(0.1)], 13),
        ("Min", {}, [weights(3, 1, 1)], 13),
        ("Identity", {}, [], 13),
        ("Dropout", {}, [], 13),
        ("Cast", {"to": 1}, [], 13),
        ("BatchNormalization", {"epsilon": 1e-3}, [weights(3), weights(3), weights(3), np.abs(weights(3))], 15),
        ("InstanceNormalization", {"epsilon": 1e-3}, [weights(3), weights(3)], 13),
        ("ReduceMean", {"axes": [2, 3], "keepdims": 0}, [], 13),
        ("ReduceSum", {}, [ints(1)], 13),
        ("ReduceMax", {"axes": [-1]}, [], 13),
        ("MatMul", {}, [weights(SIDE, 5)], 13),
        ("Flatten", {"axis": 1}, [], 13),
        ("Reshape", {}, [ints(0, 3, -1)], 13),
        ("Reshape", {}, [ints(-1, 3, SIDE * SIDE)], 13),
        ("Reshape", {"allowzero": 1}, [ints(1, SIDE, 3, SIDE)], 14),
        ("Transpose", {"perm": [0, 2, 3, 1]}, [], 13),
        ("Concat", {"axis": 1}, [weights(1, 2, SIDE, SIDE)], 13),
        ("Slice", {}, [ints(1, 15), ints(3, 0), ints(1, 3), ints(1, -2)], 13),
        ("Slice", {"starts": [2], "ends": [-1], "axes": [2]}, [], 9),
        ("Gather", {"axis": 1}, [ints(2, 0, 1)], 13),
        ("Gather", {"axis": 2}, [np.array(3, np.int64)], 13),
        ("Pad", {}, [ints(0, 0, 1, 2, 0, 0, 3, 0), np.float32(0.5)], 13),
        ("Pad", {"pads": [0, 0, 1, 0, 0, 1, 0, 1], "value": 0.25}, [], 10),
        ("Unsqueeze", {}, [ints(1, -1)], 13),
        ("Resize", {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"},
         [None, np.array([1, 1, 2, 3], np.float32)], 13),
        ("Resize", {"mode": "nearest"}, [None, None, ints(1, 3, 11, 23)], 13),
        ("Resize", {"mode": "linear"}, [None, np.array([1, 1, 2, 0.5], np.float32)], 13),
        ("Resize", {"mode": "linear", "coordinate_transformation_mode": "align_corners"},
         [None, None, ints(1, 3, 9, 31)], 13),
        ("Resize", {"mode": "linear", "coordinate_transformation_mode": "asymmetric"},
         [None, np.array([1, 1, 2, 2], np.float32)], 13),
    ]  # fmt: skip


class Operators(Folder):
    def test_every_operator_is_what_the_standard_says_in_batches_of_one_and_three(self) -> None:
        images = weights(3, 3, SIDE, SIDE)
        for op, attributes, further, opset in cases():
            with self.subTest(op=op, attributes=attributes):
                names = ["" if v is None else f"c{i}" for i, v in enumerate(further)]
                constants = {n: np.asarray(v) for n, v in zip(names, further, strict=True) if n}
                made = model([node(op, ["image", *names], **attributes)], constants, ["y"], opset=opset)
                network = self.load(made)
                reference = ReferenceEvaluator(made)
                expected = np.concatenate([reference.run(None, {"image": i[None]})[0] for i in images])
                for rows in (1, 3):
                    content = hlo.lowered(network, "tiny", (rows, 3, SIDE, SIDE))
                    (result,) = hlo.Executable(content)(images[:rows])
                    np.testing.assert_allclose(result, expected[: len(result)], rtol=1e-5, atol=2e-6)

    def test_several_outputs_of_split_come_in_order(self) -> None:
        split = helper.make_node("Split", ["image", "sizes"], ["a", "b"], name="split", axis=1)
        network = self.load(model([split], {"sizes": ints(1, 2)}, ["b", "a"]))
        images = weights(2, 3, SIDE, SIDE)
        b, a = hlo.Executable(hlo.lowered(network, "tiny", images.shape))(images)
        np.testing.assert_array_equal(b, images[:, 1:])
        np.testing.assert_array_equal(a, images[:, :1])

    def test_shapes_that_the_graph_computes_become_constants(self) -> None:
        nodes = [
            node("Shape", ["image"], "shape"),
            node("Gather", ["shape", "zero"], "rows", axis=0),
            node("Unsqueeze", ["rows", "axis"], "first"),
            node("Concat", ["first", "rest"], "target", axis=0),
            node("Reshape", ["image", "target"], "flat"),
            node("Gemm", ["flat", "w", "b"], "y", transB=1, alpha=0.5),
        ]
        size = 3 * SIDE * SIDE
        constants = {
            "zero": np.array(0, np.int64),
            "axis": ints(0),
            "rest": ints(-1),
            "w": weights(4, size),
            "b": weights(4),
        }
        network = self.load(model(nodes, constants, ["y"], shape=("n", 3, SIDE, SIDE)))
        images = weights(3, 3, SIDE, SIDE)
        (result,) = hlo.Executable(hlo.lowered(network, "tiny", images.shape))(images)
        expected = 0.5 * images.reshape(3, -1) @ constants["w"].T + constants["b"]
        np.testing.assert_allclose(result, expected, rtol=1e-4, atol=1e-4)

    def test_softmax_of_old_models_is_over_everything_behind_its_axis(self) -> None:
        network = self.load(model([node("Softmax", ["image"], axis=2)], {}, ["y"], opset=11))
        images = weights(2, 3, SIDE, SIDE)
        (result,) = hlo.Executable(hlo.lowered(network, "tiny", images.shape))(images)
        powers = np.exp(images)
        np.testing.assert_allclose(result, powers / powers.sum((2, 3), keepdims=True), rtol=1e-5, atol=1e-7)

    def test_the_sigmoid_for_inf1_is_the_same_function(self) -> None:
        network = self.load(model([node("Sigmoid", ["image"])], {}, ["y"]))
        images = 8 * weights(1, 3, SIDE, SIDE)
        content = hlo.lowered(network, "tiny", images.shape, plain=True)
        self.assertNotIn("logistic", hlo.opcodes(content))
        (result,) = hlo.Executable(content)(images)
        np.testing.assert_allclose(result, 1 / (1 + np.exp(-images)), atol=1e-6)


class Refusals(Folder):
    def refused(self, made: onnx.ModelProto, *parts: str, rows: int = 1) -> None:
        with self.assertRaises(ModelError) as caught:
            hlo.output_shapes(self.load(made), (rows, 3, SIDE, SIDE))
        for part in parts:
            self.assertIn(part, str(caught.exception))
        self.assertNotIn("\n", str(caught.exception))

    def test_an_unknown_operator_is_named_with_its_node(self) -> None:
        self.refused(model([node("NonZero", ["image"])], {}, ["y"]), "NonZero_here (NonZero)", "not supported")

    def test_an_unknown_attribute_is_named(self) -> None:
        self.refused(model([node("Relu", ["image"], surprise=1)], {}, ["y"]), "Relu_here (Relu)", "surprise")

    def test_an_unknown_form_is_named(self) -> None:
        scales = np.array([1, 1, 2, 2], np.float32)
        made = model([node("Resize", ["image", "", "s"], mode="cubic")], {"s": scales}, ["y"])
        self.refused(made, "Resize_here (Resize)", "mode=cubic")

    def test_shapes_that_do_not_fit_name_their_node(self) -> None:
        self.refused(model([node("Add", ["image", "c"])], {"c": weights(5)}, ["y"]), "Add_here (Add)")
        self.refused(
            model([node("Conv", ["image", "w"])], {"w": weights(4, 2, 3, 3)}, ["y"]), "Conv_here (Conv)", "channels"
        )
        self.refused(model([node("Reshape", ["image", "s"])], {"s": ints(1, 7)}, ["y"]), "Reshape_here (Reshape)")

    def test_a_shape_that_depends_on_pixels_is_refused(self) -> None:
        nodes = [node("Cast", ["image"], "numbers", to=7), node("Reshape", ["image", "numbers"])]
        self.refused(model(nodes, {}, ["y"]), "Cast_here (Cast)")

    def test_what_mixes_the_images_of_a_batch_compiles_for_one_image_only(self) -> None:
        for op, attributes, constants in [
            ("Softmax", {"axis": 0}, {}),
            ("Transpose", {"perm": [1, 0, 2, 3]}, {}),
            ("Flatten", {"axis": 0}, {}),
            ("Reshape", {}, {"c": ints(3, -1)}),
            ("Concat", {"axis": 0}, {"c": weights(1, 3, SIDE, SIDE)}),
            ("ReduceMean", {"axes": [0]}, {}),
            ("Add", {}, {"c": weights(2, 3, SIDE, SIDE)}),
        ]:
            with self.subTest(op=op):
                made = model([node(op, ["image", *constants], **attributes)], constants, ["y"])
                self.refused(made, f"{op}_here ({op})", "batch", rows=2)
                if op != "Add":
                    hlo.output_shapes(self.load(made), (1, 3, SIDE, SIDE))

    def test_files_that_are_no_such_models_are_refused(self) -> None:
        nodes = [node("Relu", ["image"])]
        for made, part in [
            (model(nodes, {}, ["y"], opset=8), "opset 8"),
            (model(nodes, {}, ["y"], kind=TensorProto.UINT8), "UINT8"),
            (helper.make_model(helper.make_graph([], "empty", [], [])), "without nodes"),
        ]:
            with self.subTest(part=part), self.assertRaisesRegex(ModelError, part):
                self.load(made)
        file = self.folder / "noise.onnx"
        for content in (b"", b"\xff" * 99, json.dumps({}).encode()):
            file.write_bytes(content)
            with self.assertRaisesRegex(ModelError, "not an ONNX model"):
                onnx_file.load(file)

    def test_damaged_models_are_refused(self) -> None:
        def wrong_size(m: onnx.ModelProto) -> None:
            m.graph.initializer[0].dims[:] = [7, 2**33]

        def wrong_type(m: onnx.ModelProto) -> None:
            m.graph.initializer[0].data_type = 99

        def no_stride(m: onnx.ModelProto) -> None:
            next(a for a in m.graph.node[2].attribute if a.name == "strides").ints[:] = [0, 8]

        def renamed(m: onnx.ModelProto) -> None:
            m.graph.node[4].output[0] = "elsewhere"

        def dangling(m: onnx.ModelProto) -> None:
            m.graph.node[2].input[0] = "nowhere"

        def too_few(m: onnx.ModelProto) -> None:
            del m.graph.node[2].input[1]

        for damage, part in [
            (wrong_size, "constant m|bytes of weights"),
            (wrong_type, "type 99"),
            (no_stride, r"pafs \(Conv\)"),
            (renamed, "maps is computed by no node"),
            (dangling, r"pafs \(Conv\): input nowhere"),
            (too_few, r"pafs \(Conv\)"),
        ]:
            made = pose_model()
            damage(made)
            with self.subTest(part=part), self.assertRaisesRegex(ModelError, part):
                hlo.output_shapes(self.load(made), (1, 3, 16, 32))
        content = pose_model().SerializeToString().replace(b"scaled", b"\xff\xfealed")
        (self.folder / "tiny.onnx").write_bytes(content)
        with self.assertRaises(ModelError):
            onnx_file.load(self.folder / "tiny.onnx")

    def test_two_inputs_are_refused(self) -> None:
        made = model([node("Add", ["image", "other"])], {}, ["y"])
        made.graph.input.append(helper.make_tensor_value_info("other", TensorProto.FLOAT, [1]))
        with self.assertRaisesRegex(ModelError, "2 inputs"):
            self.load(made)

    def test_weights_beyond_one_protobuf_message_are_refused_before_they_are_read(self) -> None:
        made = model([node("MatMul", ["image", "w"])], {"w": weights(1)}, ["y"])
        tensor = made.graph.initializer[0]
        tensor.dims[:] = [1 << 15, 1 << 15]
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        tensor.external_data.add(key="location", value="not-there.bin")
        with self.assertRaisesRegex(ModelError, "4294967296 bytes of weights"):
            self.load(made)


class Hlo(Folder):
    def test_ids_fit_the_compilers_of_neuron_and_bytes_repeat(self) -> None:
        network = self.load(pose_model())
        content = hlo.lowered(network, "tiny", (2, 3, 16, 32))
        self.assertEqual(content, hlo.lowered(network, "tiny", (2, 3, 16, 32)))
        module = Module.FromString(content)
        ids = [i.id for c in module.computations for i in c.instructions]
        self.assertEqual(sorted(ids), list(range(1, len(ids) + 1)))
        self.assertIn(module.entry_computation_id, [c.id for c in module.computations])
        self.assertNotIn(str(MODELS).encode(), content)

    def test_one_parameter_goes_in_and_a_tuple_comes_out(self) -> None:
        module = Module.FromString(hlo.lowered(self.load(pose_model()), "tiny", (4, 3, 16, 32)))
        shape = module.host_program_shape
        self.assertEqual([list(p.dimensions) for p in shape.parameters], [[4, 3, 16, 32]])
        self.assertEqual([list(s.dimensions) for s in shape.result.tuple_shapes], [[4, 57, 2, 4]])

    def test_instructions_name_the_node_they_come_from(self) -> None:
        module = Module.FromString(hlo.lowered(self.load(pose_model()), "tiny", (1, 3, 16, 32)))
        origins = [i.metadata.op_name for c in module.computations for i in c.instructions if i.opcode == "convolution"]
        self.assertTrue(any("Conv:heat" in o for o in origins), origins)

    def test_what_only_a_framework_runs_is_refused(self) -> None:
        module = Module.FromString(hlo.lowered(self.load(pose_model()), "tiny", (1, 3, 16, 32)))
        convolution = next(i for c in module.computations for i in c.instructions if i.opcode == "convolution")
        convolution.opcode = "custom-call"
        with self.assertRaisesRegex(ModelError, "do not compile: custom-call"):
            hlo.canonical(module.SerializeToString(), "tiny")

    def test_an_input_of_bytes_is_converted_inside(self) -> None:
        network = self.load(pose_model())
        pixels = RANDOM.integers(0, 256, (1, 3, 16, 32), np.uint8)
        (narrow,) = hlo.Executable(hlo.lowered(network, "tiny", pixels.shape, "u8"))(pixels)
        (wide,) = hlo.Executable(hlo.lowered(network, "tiny", pixels.shape))(pixels.astype(np.float32))
        np.testing.assert_allclose(narrow, wide, rtol=1e-4, atol=1e-4)


class Commands(Folder):
    """The command line, with a stand-in for the vendor's compilers on PATH."""

    def setUp(self) -> None:
        super().setUp()
        self.tools, self.out = self.folder / "tools", self.folder / "out"
        self.tools.mkdir()
        for name in ("neuronx-cc", "neuron-cc"):
            (self.tools / name).write_text(FAKE_COMPILER)
            (self.tools / name).chmod(0o755)
        self.calls = self.folder / "calls"
        self.set_environment(PATH=str(self.tools), FAKE_CALLS=str(self.calls))
        self.weights, self.descriptor = self.folder / "tiny.onnx", self.folder / "tiny.json"
        self.weights.write_bytes(pose_model().SerializeToString())
        self.descriptor.write_text(json.dumps(pose_descriptor()))
        self.addCleanup(signal.signal, signal.SIGTERM, signal.getsignal(signal.SIGTERM))

    def set_environment(self, **values: str) -> None:
        before = dict(os.environ)
        os.environ.update(values)
        self.addCleanup(lambda: (os.environ.clear(), os.environ.update(before)))

    def arguments(self, *more: str, target: str = "inf2") -> list[str]:
        files = ["--descriptor", str(self.descriptor), "--weights", str(self.weights), "--out", str(self.out)]
        return [*files, "--target", target, *more]

    def compile(self, *more: str, target: str = "inf2") -> tuple[int, str, str]:
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                code = guarded("compile", run, self.arguments(*more, target=target))
            except SystemExit as end:
                code = int(end.code or 0)
        return code, out.getvalue(), err.getvalue()

    def result(self, target: str = "inf2") -> dict[str, Any]:
        return json.loads((self.out / f"neuron-{target}.json").read_text())

    def names(self) -> list[str]:
        return sorted(p.name for p in self.out.iterdir()) if self.out.exists() else []

    def test_one_neff_a_batch_size_is_listed_with_size_and_hash(self) -> None:
        code, _, err = self.compile("--batch", "4,1", "--net-resolution", "64x48")
        self.assertEqual((code, err), (0, ""))
        stems = ["tiny-inf2-b1", "tiny-inf2-b4"]
        self.assertEqual(self.names(), ["neuron-inf2.json", *(s + e for s in stems for e in (".hlo", ".neff"))])
        made = self.result()
        self.assertEqual(set(made["weights"]), {"neuron"})
        self.assertEqual(made["weights"]["neuron"]["target"], "inf2")
        self.assertEqual(made["weights"]["neuron"]["precision"], "bf16")
        files = made["weights"]["neuron"]["files"]
        self.assertEqual(
            [(f["name"], f["batch"], f["bytes"]) for f in files],
            [("tiny-inf2-b1.neff", 1, 1123), ("tiny-inf2-b4.neff", 4, 1123)],
        )
        self.assertTrue(all(len(f["sha256"]) == 64 for f in files))
        first = made["inputs"][0]
        self.assertEqual((first["name"], first["size"], first["batch"]), ("input0", {"width": 64, "height": 48}, 4))
        self.assertNotIn("multiple_of", first)
        self.assertEqual(made["outputs"], ["output0"])
        self.assertEqual(made["decoder"]["heatmaps"], {"output": "output0", "first": 38})

    def test_flags_are_those_of_the_target(self) -> None:
        for target, more, expected in [
            ("inf2", [],
             "neuronx-cc compile HLO --framework XLA --target inf2 --auto-cast matmult --auto-cast-type bf16"),
            ("trn1", ["--cast", "none"], "neuronx-cc compile HLO --framework XLA --target trn1 --auto-cast none"),
            ("trn2", ["--cast", "none", "--cores-per-model", "1"],
             "neuronx-cc compile HLO --framework XLA --target trn2 --auto-cast none -lnc 1"),
            ("inf1", ["--cores-per-model", "4"],
             "neuron-cc compile HLO --framework XLA --fast-math all --neuroncore-pipeline-cores 4"),
        ]:  # fmt: skip
            with self.subTest(target=target):
                self.assertEqual(self.compile(*more, target=target)[0], 0)
                call = self.calls.read_text().splitlines()[-1].replace(str(self.out / f"tiny-{target}-b1.hlo"), "HLO")
                self.assertEqual(call.split(" --output ")[0], expected)
        self.assertEqual(self.result("inf1")["weights"]["neuron"]["precision"], "bf16")

    def test_without_the_compiler_it_ends_with_the_command_behind_the_hlo(self) -> None:
        self.set_environment(PATH=str(self.folder))
        code, _, err = self.compile("--batch", "1,2")
        self.assertEqual(code, 4)
        self.assertEqual(err.count("\n"), 1)
        self.assertIn(f"neuronx-cc compile {self.out}/tiny-inf2-b2.hlo --framework XLA --target inf2", err)
        self.assertEqual(self.names(), ["tiny-inf2-b1.hlo", "tiny-inf2-b2.hlo"])

    def test_a_dry_run_writes_nothing(self) -> None:
        code, out, err = self.compile("--batch", "1,2", "--dry-run", "--no-fuse", "join")
        self.assertEqual((code, err, self.names()), (0, "", []))
        self.assertIn("input0 f32 2x3x16x32 -> output0 f32 2x38x2x4, output1 f32 2x19x2x4", out)
        self.assertIn(f"run   neuronx-cc compile {self.out}/tiny-inf2-b2.hlo", out)
        self.assertIn("left to the CPU: join (Concat)", out)
        self.assertFalse(self.calls.exists())

    def test_a_compiler_that_fails_is_one_line_and_its_log(self) -> None:
        self.set_environment(FAKE_MODE="fail")
        code, _, err = self.compile()
        self.assertEqual((code, err.count("\n")), (3, 1))
        self.assertIn("status 70", err)
        self.assertIn("NCC_EVRF001", err)
        self.assertEqual(self.names(), ["tiny-inf2-b1.hlo", "tiny-inf2-b1.log"])

    def test_a_compiler_that_fails_midway_leaves_the_model_that_worked(self) -> None:
        self.assertEqual(self.compile("--batch", "1,4")[0], 0)
        before = {p.name: p.read_bytes() for p in self.out.iterdir() if p.suffix != ".hlo"}
        self.set_environment(FAKE_MODE="fail-b4")
        code, _, err = self.compile("--batch", "1,4", "--net-resolution", "64x48")
        self.assertEqual((code, err.count("\n")), (3, 1), err)
        after = {p.name: p.read_bytes() for p in self.out.iterdir() if p.suffix not in (".hlo", ".log")}
        self.assertEqual(after, before)

    def test_what_is_not_a_neff_is_not_kept(self) -> None:
        for mode in ("foreign", "empty"):
            self.set_environment(FAKE_MODE=mode)
            code, _, err = self.compile()
            self.assertEqual(code, 3)
            self.assertIn("not a NEFF", err)
            self.assertEqual(self.names(), ["tiny-inf2-b1.hlo"])

    def test_an_interrupt_stops_the_compiler_and_leaves_no_half_file(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            self.calls.unlink(missing_ok=True)
            environment = {**os.environ, "FAKE_MODE": "hang", "PYTHONPATH": str(MODELS)}
            process = subprocess.Popen(
                [sys.executable, "-m", "compile", *self.arguments()], env=environment, stderr=subprocess.PIPE,
                stdout=subprocess.DEVNULL, cwd=MODELS,
            )  # fmt: skip
            deadline = time.monotonic() + 60
            while not list(self.out.glob("*.part/*.neff")) and time.monotonic() < deadline:
                time.sleep(0.02)
            process.send_signal(number)
            _, err = process.communicate(timeout=30)
            self.assertEqual((process.returncode, err), (130, b"compile: interrupted\n"))
            self.assertEqual(self.names(), ["tiny-inf2-b1.hlo"])

    def test_wrong_use_ends_with_2(self) -> None:
        compiled = self.folder / "neuron-inf2.json"
        compiled.write_text(self.descriptor.read_text())
        for more, target, part in [
            (["--batch", "0"], "inf2", "from 1 to 1024"),
            (["--batch", "1,,2"], "inf2", "separated by commas"),
            (["--net-resolution", "64"], "inf2", "WIDTHxHEIGHT"),
            (["--net-resolution", "65x64"], "inf2", "multiples of 8"),
            (["--cores-per-model", "2"], "inf2", "one core of inf2"),
            (["--cores-per-model", "4"], "trn2", "1 or 2 cores"),
            (["--cores-per-model", "0"], "inf1", "1 to 64"),
            (["--no-fuse", "nothing-here"], "inf2", "no such operator"),
            (["--out", str(self.folder), "--descriptor", str(compiled)], "inf2", "would overwrite"),
            (["--weights", str(self.folder / "a.xml")], "inf2", "ONNX model"),
            ([], "inf3", "invalid choice"),
        ]:
            with self.subTest(more=more):
                code, _, err = self.compile(*more, target=target)
                self.assertEqual(code, 2, err)
                self.assertIn(part, err)
        self.assertEqual(self.names(), [])

    def test_a_wrong_model_ends_with_3(self) -> None:
        (self.folder / "not.json").write_text("{}")
        other = pose_descriptor()
        other["weights"]["openvino"]["files"] = [{"name": "tiny.onnx", "bytes": 1, "sha256": "0" * 64}]
        (self.folder / "other.json").write_text(json.dumps(other))
        renamed = pose_descriptor()
        renamed["outputs"] = ["elsewhere"]
        (self.folder / "renamed.json").write_text(json.dumps(renamed))
        deeper = pose_descriptor()
        deeper["decoder"]["heatmaps"]["first"] = 40
        (self.folder / "deeper.json").write_text(json.dumps(deeper))
        (self.folder / "nested.json").write_text("[" * 200_000)
        odd = model([node("Relu", ["image"])], {}, ["y"], kind=99)
        (self.folder / "odd.onnx").write_bytes(odd.SerializeToString())
        for more, part in [
            (["--descriptor", str(self.folder / "nested.json")], "not a model descriptor"),
            (["--weights", str(self.folder / "odd.onnx")], "input image is type 99; only FLOAT"),
            (["--descriptor", str(self.folder / "absent.json")], "cannot be read"),
            (["--descriptor", str(self.folder / "not.json")], "not a model descriptor"),
            (["--descriptor", str(self.folder / "other.json")], "sha256 differs"),
            (["--descriptor", str(self.folder / "renamed.json")], "has no output elsewhere"),
            (["--descriptor", str(self.folder / "deeper.json")], "decoder wants 58 or more channels"),
            (["--weights", str(self.folder / "absent.onnx")], "cannot be read"),
            (["--batch", "1024", "--net-resolution", "4096x4096"], "larger input"),
            (["--no-fuse", "heat"], "heat (Conv)"),
        ]:
            with self.subTest(more=more):
                code, _, err = self.compile(*more)
                self.assertEqual((code, err.count("\n")), (3, 1), err)
                self.assertIn(part, err)
        self.assertEqual(self.names(), [])

    def test_a_descriptor_of_wrong_types_ends_with_3(self) -> None:
        for change in (
            lambda d: d["weights"]["openvino"].update(files=["str"]),
            lambda d: d["weights"]["openvino"].update(files=None),
            lambda d: d["inputs"][0].update(multiple_of="8"),
            lambda d: d["inputs"][0]["size"].update(width="32"),
            lambda d: d["decoder"]["heatmaps"].update(first="x"),
            lambda d: d["decoder"].update(stride=0),
        ):
            document = pose_descriptor()
            change(document)
            self.descriptor.write_text(json.dumps(document))
            code, _, err = self.compile("--net-resolution", "64x48")
            self.assertEqual((code, err.count("\n")), (3, 1), err)
            self.assertIn("not a model descriptor", err)

    def test_what_nobody_thought_of_is_one_line(self) -> None:
        def fails(_: list[str]) -> None:
            raise ValueError("two\nlines\x1b")

        err = io.StringIO()
        with contextlib.redirect_stderr(err):
            self.assertEqual(guarded("compile", fails, []), 1)
        self.assertEqual(err.getvalue(), "compile: ValueError: two lines?\n")


class NoFuse(Folder):
    def setUp(self) -> None:
        super().setUp()
        self.source = descriptors.Descriptor(pose_descriptor(), Path("tiny.json"))

    def cut(self, *names: str) -> Any:
        network = self.load(pose_model())
        network.channel_counts = hlo.channel_counts(network, (1, 3, 16, 32))
        cut.apply(network, list(names), self.source)
        return network

    def test_what_is_cut_off_and_the_descriptor_make_the_same_network(self) -> None:
        pixels = RANDOM.integers(0, 256, (1, 3, 16, 32)).astype(np.float32)
        (whole,) = ReferenceEvaluator(pose_model()).run(None, {"image": pixels})
        network = self.cut("scale", "join", "centre")
        first = self.source.input
        self.assertEqual(self.source.outputs, ["pafs", "heat"])
        self.assertEqual(self.source.decoder["heatmaps"], {"output": "heat", "first": 0})
        fed = (pixels - np.reshape(first["mean"], (3, 1, 1))) * np.reshape(first["scale"], (3, 1, 1))
        results = hlo.Executable(hlo.lowered(network, "tiny", pixels.shape))(fed.astype(np.float32))
        np.testing.assert_allclose(np.concatenate(results, 1), whole, rtol=1e-4, atol=1e-4)

    def test_the_middle_is_not_cut(self) -> None:
        with self.assertRaisesRegex(ModelError, r"centre \(Sub\)"):
            self.cut("centre")

    def test_a_range_that_lies_in_two_parts_is_not_cut(self) -> None:
        self.source.decoder["heatmaps"]["first"] = 30
        with self.assertRaisesRegex(ModelError, r"join \(Concat\).*several parts"):
            self.cut("join")


def graph_node(proto: Any, name: str, op: str, inputs: list[str], value: np.ndarray | None = None) -> None:
    made = proto.node.add(name=name, op=op, input=inputs)
    if value is not None:
        tensor = graphdef.set_attribute(made, "value").tensor
        tensor.dtype = graphdef.DT_FLOAT if value.dtype == np.float32 else graphdef.DT_INT32
        tensor.tensor_content = value.tobytes()
        for size in value.shape:
            tensor.tensor_shape.dim.add(size=size)


class FrozenGraphs(Folder):
    def setUp(self) -> None:
        super().setUp()
        proto = graphdef.GraphDef()
        graph_node(proto, "image", "Placeholder", [])
        declared = graphdef.set_attribute(proto.node[0], "shape").shape
        for size in (-1, -1, -1, 3):
            declared.dim.add(size=size)
        graph_node(proto, "k", "Const", [], np.float32(255))
        graph_node(proto, "scaled", "RealDiv", ["image", "k"])
        graph_node(proto, "wp", "Const", [], weights(8, 8, 3, 38))
        graph_node(proto, "wh", "Const", [], weights(8, 8, 3, 19))
        graph_node(proto, "wh/read", "Identity", ["wh"])
        graph_node(proto, "pafs", "Conv2D", ["scaled", "wp"])
        graph_node(proto, "heat", "Conv2D", ["scaled", "wh/read"])
        graph_node(proto, "axis", "Const", [], np.array(3, np.int32))
        graph_node(proto, "maps", "ConcatV2", ["pafs", "heat", "axis"])
        graph_node(proto, "unused", "Where", ["image"])
        self.proto = proto
        self.source = descriptors.Descriptor(pose_descriptor(), Path("tiny.json"))

    def make(self, *no_fuse: str, batches: tuple[int, ...] = (2,), target: str = "inf1") -> plan.Plan:
        file = self.folder / "tiny.pb"
        file.write_bytes(self.proto.SerializeToString())
        return plan.make(self.source, file, list(batches), vendor.Options(target), list(no_fuse), self.folder / "out")

    def contents(self, part: plan.Part) -> tuple[Any, dict[str, Any]]:
        graph, config = (content() for _, content in part.inputs)
        return graphdef.GraphDef.FromString(graph), json.loads(config)

    def test_the_whole_graph_gets_a_fixed_shape_and_maps_with_channels_first(self) -> None:
        made = self.make()
        graph, config = self.contents(made.parts[0])
        self.assertEqual(config, {"inputs": {"image:0": [[2, 16, 32, 3], "float32"]}, "outputs": ["maps/nchw:0"]})
        self.assertNotIn("unused", [n.name for n in graph.node])
        placeholder = next(n for n in graph.node if n.op == "Placeholder")
        self.assertEqual([d.size for d in graphdef.attribute(placeholder, "shape").shape.dim], [2, 16, 32, 3])
        first = made.descriptor.input
        self.assertEqual((first["name"], first["layout"]), ("image:0", "nhwc"))
        self.assertEqual(made.descriptor.decoder["heatmaps"], {"output": "maps/nchw:0", "first": 38})
        command = " ".join(made.parts[0].command)
        self.assertIn("tiny-inf1-b2.pb --framework TENSORFLOW --io-config", command)

    def test_both_ends_can_be_left_to_the_cpu(self) -> None:
        made = self.make("scaled", "maps")
        graph, config = self.contents(made.parts[0])
        self.assertEqual(config["inputs"], {"scaled:0": [[2, 16, 32, 3], "float32"]})
        self.assertEqual(config["outputs"], ["pafs/nchw:0", "heat/nchw:0"])
        self.assertEqual({n.name: n.op for n in graph.node}["scaled"], "Placeholder")
        self.assertFalse({"image", "k", "maps", "axis"} & {n.name for n in graph.node})
        np.testing.assert_allclose(made.descriptor.input["scale"], [1 / 255] * 3)
        self.assertEqual(made.descriptor.decoder["heatmaps"], {"output": "heat/nchw:0", "first": 0})

    def test_operators_that_neuron_cc_does_not_list_are_named(self) -> None:
        self.proto.node[9].op = "NonMaxSuppressionV3"
        with self.assertRaisesRegex(ModelError, r"maps \(NonMaxSuppressionV3\)"):
            self.make()

    def test_a_shape_of_one_image_is_refused_for_more(self) -> None:
        graph_node(self.proto, "size", "Const", [], np.array([1, -1], np.int32))
        graph_node(self.proto, "flat", "Reshape", ["maps", "size"])
        self.source.rename({"maps": "flat"})
        with self.assertRaisesRegex(ModelError, r"flat \(Reshape\).*only batch 1"):
            self.make()

    def test_damaged_graphs_are_refused(self) -> None:
        before = self.proto.SerializeToString()
        for name, part in [("wp", "value"), ("wh", "value")]:
            self.proto = graphdef.GraphDef.FromString(before)
            constant = next(n for n in self.proto.node if n.name == name)
            if name == "wp":
                del constant.attr[:]
            else:
                graphdef.attribute(constant, "value").tensor.tensor_content = b"short"
            with self.subTest(name=name), self.assertRaisesRegex(ModelError, rf"{name} \(Const\).*{part}"):
                self.make()

    def test_only_inf1_takes_them(self) -> None:
        with self.assertRaisesRegex(ModelError, "takes the network as ONNX"):
            self.make(target="trn1")

    def test_what_is_not_a_graph_is_refused(self) -> None:
        file = self.folder / "noise.pb"
        for content in (b"", b"\xff" * 99):
            file.write_bytes(content)
            with self.assertRaisesRegex(ModelError, "not a frozen TensorFlow graph"):
                graphdef.load(file, "image", ["maps"])


@needs_packages
class Resolution(unittest.TestCase):
    def test_a_network_of_fixed_size_takes_no_other(self) -> None:
        document = pose_descriptor()
        del document["inputs"][0]["multiple_of"]
        fixed = descriptors.Descriptor(document, Path("tiny.json"))
        self.assertEqual(descriptors.at_resolution(fixed, (32, 16)).size, (32, 16))
        with self.assertRaises(UsageError):
            descriptors.at_resolution(fixed, (64, 16))

    def test_descriptors_of_the_zoo_load(self) -> None:
        for file in sorted((MODELS / "zoo").glob("*.json")):
            with self.subTest(file=file.name):
                self.assertEqual(descriptors.load(file).name, file.stem)


@needs_packages
class ResNet50(unittest.TestCase):
    def test_has_the_published_shape_and_its_seed_gives_the_same_weights(self) -> None:
        made, parameters = resnet50.model(1)
        self.assertEqual(parameters, 25_557_032)
        convolutions = [n for n in made.graph.node if n.op_type == "Conv"]
        self.assertEqual(len(convolutions), 53)
        strided = [n.name for n in convolutions if helper.get_attribute_value(n.attribute[2]) == [2, 2]]
        self.assertIn("layer2.0.conv2", strided)  # v1.5, where v1 strides in conv1
        self.assertNotIn("layer2.0.conv1", strided)
        # Of the weights alone, since what surrounds them may change with onnx.
        digest = hashlib.sha256(b"".join(t.raw_data for t in made.graph.initializer)).hexdigest()
        self.assertEqual(digest, "12470fb34cc038344db0f793770b8b5d08edcbb8ea343f8f8ddf4224d0d208b7")


if __name__ == "__main__":
    unittest.main()
