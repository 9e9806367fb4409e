"""Frozen TensorFlow graphs without TensorFlow: reading, a check, new ends, writing."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

from . import files
from .errors import ModelError
from .network import Node

Field = descriptor_pb2.FieldDescriptorProto
DT_FLOAT, DT_INT32 = 1, 3
MAX_REPEATED = 2**16  # values of a constant that is written as one repeated; none that matters here is larger

# message -> (field, number, type or message, repeated); fields of tensorflow/core/framework's graph.proto,
# node_def.proto, attr_value.proto, tensor.proto and tensor_shape.proto. Others survive reading and writing as they are.
_MESSAGES: dict[str, list[tuple[str, int, int | str, bool]]] = {
    "Dim": [("size", 1, Field.TYPE_INT64, False)],
    "TensorShape": [("dim", 2, "Dim", True), ("unknown_rank", 3, Field.TYPE_BOOL, False)],
    "Tensor": [
        ("dtype", 1, Field.TYPE_INT32, False), ("tensor_shape", 2, "TensorShape", False),
        ("tensor_content", 4, Field.TYPE_BYTES, False), ("float_val", 5, Field.TYPE_FLOAT, True),
        ("int_val", 7, Field.TYPE_INT32, True),
    ],
    "AttrEntry": [("key", 1, Field.TYPE_STRING, False), ("value", 2, "AttrValue", False)],
    "AttrValue": [
        ("s", 2, Field.TYPE_BYTES, False), ("type", 6, Field.TYPE_INT32, False), ("shape", 7, "TensorShape", False),
        ("tensor", 8, "Tensor", False),
    ],
    "NodeDef": [
        ("name", 1, Field.TYPE_STRING, False), ("op", 2, Field.TYPE_STRING, False),
        ("input", 3, Field.TYPE_STRING, True), ("device", 4, Field.TYPE_STRING, False), ("attr", 5, "AttrEntry", True),
    ],
    "GraphDef": [("node", 1, "NodeDef", True)],
}  # fmt: skip

# Operators that neuron-cc lists for TENSORFLOW (release notes up to 1.9.1), as far as convolutional networks have them.
OPERATORS = frozenset(
    """Abs Add AddV2 AvgPool BatchMatMul BatchMatMulV2 BatchToSpaceND BiasAdd Cast Concat ConcatV2 Const Conv2D
    Conv2DBackpropInput DepthwiseConv2dNative Exp ExpandDims Fill FusedBatchNorm FusedBatchNormV3 Identity LeakyRelu
    MatMul Max MaxPool Maximum Mean Min Minimum MirrorPad Mul Neg NoOp Pack Pad PadV2 Placeholder Pow RealDiv Reciprocal
    Relu Relu6 Reshape ResizeBilinear ResizeNearestNeighbor Rsqrt Shape Sigmoid Slice Softmax Softplus SpaceToBatchND
    Split SplitV Sqrt Square SquaredDifference Squeeze StopGradient StridedSlice Sub Sum Tanh Tile Transpose Unpack
    ZerosLike""".split()
)
_KEEP_CHANNELS = frozenset(
    """Add AddV2 AvgPool BiasAdd FusedBatchNorm FusedBatchNormV3 Identity LeakyRelu MaxPool Maximum Minimum Mul Relu
    Relu6 ResizeBilinear ResizeNearestNeighbor Sigmoid Softmax Sub Tanh""".split()
)


def _graph_class() -> type:
    file = descriptor_pb2.FileDescriptorProto(name="posecam_graph.proto", package="posecam.tf", syntax="proto2")
    for message, fields in _MESSAGES.items():
        declared = file.message_type.add(name=message)
        for name, number, kind, repeated in fields:
            entry = declared.field.add(name=name, number=number)
            entry.label = Field.LABEL_REPEATED if repeated else Field.LABEL_OPTIONAL
            if isinstance(kind, str):
                entry.type, entry.type_name = Field.TYPE_MESSAGE, f".posecam.tf.{kind}"
            else:
                entry.type = kind
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("posecam.tf.GraphDef"))


GraphDef = _graph_class()


def attribute(node: Any, key: str) -> Any:
    return next((a.value for a in node.attr if a.key == key), None)


def set_attribute(node: Any, key: str) -> Any:
    entry = next((a for a in node.attr if a.key == key), None)
    if entry is None:
        entry = node.attr.add(key=key)
    return entry.value


def tensor_name(name: str) -> str:
    """With its output number, as neuron-cc wants it."""
    return name if ":" in name else f"{name}:0"


def _tensor(node: Any) -> Any:
    value = attribute(node, "value")
    if value is None or any(d.size < 0 for d in value.tensor.tensor_shape.dim):
        raise ModelError(f"{node.name} (Const): has no value")
    return value.tensor


def _constant(node: Any) -> np.ndarray | None:
    """The value of a Const, of the kinds that are looked at."""
    tensor = _tensor(node)
    shape = [d.size for d in tensor.tensor_shape.dim]
    kind = {DT_FLOAT: ("<f4", tensor.float_val), DT_INT32: ("<i4", tensor.int_val)}.get(tensor.dtype)
    if kind is None:
        return None
    dtype, values = kind
    if tensor.tensor_content:
        try:
            return np.frombuffer(tensor.tensor_content, dtype).reshape(shape)
        except ValueError as error:
            raise ModelError(f"{node.name} (Const): its values do not fill {tuple(shape)}") from error
    size = math.prod(shape)
    if size > MAX_REPEATED or len(values) > size:
        return None
    flat = np.zeros(size, dtype)
    flat[: len(values)] = values
    if 0 < len(values) < size:
        flat[len(values) :] = values[-1]  # the last one stands for all that follow
    return flat.reshape(shape)


@dataclass
class FrozenGraph:
    """What cut.py reads and changes; the file's nodes stay as they are until they are written."""

    proto: Any
    nodes: list[Node]
    constants: dict[str, np.ndarray]
    input: str
    outputs: list[str]
    channel_axis: int
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)  # of constants

    def channels(self, tensor: str) -> int:
        node = next((n for n in self.nodes if tensor in n.outputs), None)
        if node is None:
            raise ModelError(f"{tensor}: its number of channels is not known")
        if node.op == "Conv2D":
            return self._filter(node)[3]
        if node.op == "DepthwiseConv2dNative":
            shape = self._filter(node)
            return shape[2] * shape[3]
        if node.op in ("ConcatV2",):
            return sum(self.channels(i) for i in node.inputs[:-1])
        if node.op in _KEEP_CHANNELS:
            return self.channels(next(i for i in node.inputs if i not in self.shapes))
        raise node.error("the number of its channels is not known")

    def _filter(self, node: Node) -> tuple[int, ...]:
        name = node.inputs[1]
        while name not in self.shapes:
            through = next((n for n in self.nodes if name in n.outputs and n.op == "Identity"), None)
            if through is None:
                raise node.error("its filter is not constant; the graph must be frozen")
            name = through.inputs[0]
        return self.shapes[name]


def load(file: Path, input_name: str, outputs: list[str]) -> FrozenGraph:
    proto = GraphDef()
    try:
        proto.ParseFromString(files.read(file))
    except DecodeError as error:
        raise ModelError(f"{file}: not a frozen TensorFlow graph") from error
    by_name = {n.name: n for n in proto.node}
    # Text that is not UTF-8 comes as bytes.
    texts = [t for n in proto.node for t in (n.name, n.op, *n.input, *(a.key for a in n.attr))]
    if not texts or not all(isinstance(t, str) for t in texts) or not all(n.name and n.op for n in proto.node):
        raise ModelError(f"{file}: not a frozen TensorFlow graph")
    for wanted in [input_name, *outputs]:
        if wanted.split(":")[0] not in by_name:
            raise ModelError(f"{file}: has no {wanted}, which the descriptor names")
    needed = _needed(by_name, [o.split(":")[0] for o in outputs])
    placeholders = [n.name for n in needed if n.op == "Placeholder"]
    if placeholders != [input_name.split(":")[0]]:
        raise ModelError(f"{file}: the outputs need {', '.join(placeholders) or 'no input'}, not {input_name} alone")
    for node in needed:
        if node.op not in OPERATORS:
            raise ModelError(f"{node.name} ({node.op}): operator is not supported by neuron-cc")
    constants = {tensor_name(n.name): _constant(n) for n in needed if n.op == "Const"}
    nodes = [
        Node(n.name, n.op, [tensor_name(i) for i in n.input if not i.startswith("^")], [f"{n.name}:0"], {})
        for n in needed
        if n.op not in ("Const", "Placeholder")
    ]
    known = {n: v for n, v in constants.items() if v is not None}
    shapes = {
        tensor_name(n.name): tuple(d.size for d in _tensor(n).tensor_shape.dim) for n in needed if n.op == "Const"
    }
    axis = _channel_axis(file, needed)
    return FrozenGraph(proto, nodes, known, tensor_name(input_name), [tensor_name(o) for o in outputs], axis, shapes)


def _needed(by_name: dict[str, Any], outputs: list[str]) -> list[Any]:
    """In the file's order: what the outputs depend on."""
    found: set[str] = set()
    stack = list(outputs)
    while stack:
        name = stack.pop()
        if name in found:
            continue
        if name not in by_name:
            raise ModelError(f"{name}: is read but not in the graph")
        found.add(name)
        stack += [i.lstrip("^").split(":")[0] for i in by_name[name].input]
    return [n for n in by_name.values() if n.name in found]


def _channel_axis(file: Path, nodes: list[Any]) -> int:
    formats = {
        (attribute(n, "data_format").s.decode() if attribute(n, "data_format") else "NHWC")
        for n in nodes
        if n.op in ("Conv2D", "DepthwiseConv2dNative")
    }
    if len(formats) != 1 or not formats <= {"NHWC", "NCHW"}:
        raise ModelError(f"{file}: convolutions of one layout are expected, not of {sorted(formats) or 'none'}")
    return 3 if formats == {"NHWC"} else 1


def check_shape(graph: FrozenGraph, shape: tuple[int, ...]) -> None:
    """Against what the graph itself says about its input, open dimensions aside."""
    name = graph.input.split(":")[0]
    node = next(n for n in graph.proto.node if n.name == name)
    if attribute(node, "dtype") is not None and attribute(node, "dtype").type != DT_FLOAT:
        raise ModelError(f"{name} ({node.op}): takes type {attribute(node, 'dtype').type}; only DT_FLOAT is compiled")
    declared = attribute(node, "shape")
    if declared is None or declared.shape.unknown_rank or not declared.shape.dim:
        return
    sizes = [d.size for d in declared.shape.dim]
    if len(sizes) != len(shape) or any(d > 0 and d != s for d, s in zip(sizes[1:], shape[1:], strict=True)):
        raise ModelError(f"{name} ({node.op}): takes {_listed(sizes)}, not {_listed(list(shape))}")


def check_rows(graph: FrozenGraph) -> None:
    """That no shape in the graph says 1 where the rows of a larger batch would be."""
    for node in graph.nodes:
        target = graph.constants.get(node.inputs[1]) if node.op == "Reshape" else None
        if target is not None and target.size > 1 and target.reshape(-1)[0] == 1:
            raise node.error(f"shape {target.reshape(-1).tolist()} holds one image; only batch 1 compiles")


def _listed(sizes: list[int]) -> str:
    return "x".join("?" if s < 0 else str(s) for s in sizes)


def written(graph: FrozenGraph, shape: tuple[int, ...], to_nchw: bool) -> tuple[bytes, list[str]]:
    """The graph between its present ends with the input's shape fixed; the names of its outputs. `to_nchw` turns maps
    around behind the network, because posecam's decoders read channels first."""
    proto = GraphDef()
    first = graph.input.split(":")[0]
    placeholder = proto.node.add(name=first, op="Placeholder")
    set_attribute(placeholder, "dtype").type = DT_FLOAT
    fixed = set_attribute(placeholder, "shape").shape
    for size in shape:
        fixed.dim.add(size=size)
    by_name = {n.name: n for n in graph.proto.node}
    # Behind a cut the tensor that fed the network becomes the placeholder itself.
    by_name[first] = placeholder
    needed = _needed(by_name, [o.split(":")[0] for o in graph.outputs])
    for node in needed:
        if node is not placeholder:
            proto.node.add().CopyFrom(node)
    if not to_nchw:
        return proto.SerializeToString(deterministic=True), list(graph.outputs)
    order = proto.node.add(name="posecam/nchw", op="Const")
    set_attribute(order, "dtype").type = DT_INT32
    tensor = set_attribute(order, "value").tensor
    tensor.dtype = DT_INT32
    tensor.tensor_shape.dim.add(size=4)
    tensor.tensor_content = np.array([0, 3, 1, 2], "<i4").tobytes()
    names = []
    for output in graph.outputs:
        name = output.split(":")[0] + "/nchw"
        turned = proto.node.add(name=name, op="Transpose", input=[output.removesuffix(":0"), "posecam/nchw"])
        set_attribute(turned, "T").type = DT_FLOAT
        set_attribute(turned, "Tperm").type = DT_INT32
        names.append(f"{name}:0")
    return proto.SerializeToString(deterministic=True), names
