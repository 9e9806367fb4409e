"""Operators against the ONNX standard, what is refused, and the HLO that comes out."""

from __future__ import annotations

import json
from typing import Any

from .test_support import (
    MISSING,
    MODELS,
    RANDOM,
    SIDE,
    Folder,
    ints,
    model,
    node,
    pose_model,
    weights,
)

if not MISSING:
    import numpy as np
    import onnx
    from onnx import TensorProto, helper
    from onnx.reference import ReferenceEvaluator

    from . import hlo, onnx_file
    from .errors import ModelError
    from .hlo_proto import Module


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
