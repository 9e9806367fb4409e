"""What --no-fuse cuts off, of ONNX models and of frozen TensorFlow graphs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .test_support import (
    MISSING,
    RANDOM,
    Folder,
    pose_descriptor,
    pose_model,
    weights,
)

if not MISSING:
    import numpy as np
    from onnx.reference import ReferenceEvaluator

    from . import cut, graphdef, hlo, plan, vendor
    from . import descriptor as descriptors
    from .errors import ModelError


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

    def test_what_is_not_a_graph_is_refused(self) -> None:
        file = self.folder / "noise.pb"
        for content in (b"", b"\xff" * 99):
            file.write_bytes(content)
            with self.assertRaisesRegex(ModelError, "not a frozen TensorFlow graph"):
                graphdef.load(file, "image", ["maps"])
