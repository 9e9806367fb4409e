"""Reads an ONNX file into a Network, or says in one line why not."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import onnx
from google.protobuf.message import DecodeError
from onnx import helper, numpy_helper

from . import files
from .descriptor import Descriptor
from .errors import ModelError
from .network import Network, Node

OPSETS = range(9, 24)
# A protobuf message, and so the HLO module with its weights inside, ends at 2 GiB; 64 MiB are left for everything else.
MAX_WEIGHTS = 2**31 - 2**26


def _nodes(graph: onnx.GraphProto) -> list[Node]:
    nodes = []
    for n in graph.node:
        name = n.name or next((o for o in n.output if o), "unnamed")
        if n.domain not in ("", "ai.onnx"):
            raise ModelError(f"{name} ({n.domain}.{n.op_type}): operator of another domain than ONNX's own")
        attributes = {a.name: helper.get_attribute_value(a) for a in n.attribute}
        if any(isinstance(v, onnx.GraphProto) for v in attributes.values()):
            raise ModelError(f"{name} ({n.op_type}): control flow does not compile; the graph must be fixed")
        nodes.append(Node(name, n.op_type, list(n.input), list(n.output), attributes))
    return nodes


def _bytes(tensor: onnx.TensorProto) -> int:
    try:
        return math.prod(tensor.dims) * helper.tensor_dtype_to_np_dtype(tensor.data_type).itemsize
    except (KeyError, TypeError) as error:
        raise ModelError(f"constant {tensor.name}: type {tensor.data_type} is not known") from error


def _constant(tensor: onnx.TensorProto) -> np.ndarray:
    try:
        return numpy_helper.to_array(tensor)
    except (ValueError, TypeError, KeyError) as error:
        raise ModelError(f"constant {tensor.name}: its values do not fill {tuple(tensor.dims)}") from error


def _parsed(file: Path) -> onnx.ModelProto:
    content = files.read(file)
    try:
        model = onnx.load_model_from_string(content)
    except DecodeError as error:
        raise ModelError(f"{file}: not an ONNX model") from error
    # Text that is not UTF-8 comes as bytes.
    graph = model.graph
    texts = [t for n in graph.node for t in (n.name, n.op_type, n.domain, *n.input, *n.output)]
    texts += [t.name for group in (graph.initializer, graph.input, graph.output) for t in group]
    texts += [a.name for n in graph.node for a in n.attribute]
    if not graph.node or not all(isinstance(t, str) for t in texts):
        raise ModelError(f"{file}: not an ONNX model, or one without nodes")
    size = sum(_bytes(i) for i in model.graph.initializer)
    if size > MAX_WEIGHTS:
        raise ModelError(f"{file}: {size} bytes of weights, more than fit into one HLO module ({MAX_WEIGHTS})")
    if any(i.data_location == onnx.TensorProto.EXTERNAL for i in model.graph.initializer):
        try:
            onnx.load_external_data_for_model(model, str(file.parent))
        except Exception as error:  # onnx raises several kinds
            raise ModelError(f"{file}: its external data cannot be read: {str(error).splitlines()[0]}") from error
    return model


def load(file: Path) -> Network:
    model = _parsed(file)
    graph = model.graph
    opset = next((o.version for o in model.opset_import if o.domain in ("", "ai.onnx")), 0)
    if opset not in OPSETS:
        raise ModelError(f"{file}: opset {opset}; {OPSETS[0]} to {OPSETS[-1]} are known")
    constants = {i.name: _constant(i) for i in graph.initializer}
    inputs = [i for i in graph.input if i.name not in constants]
    if len(inputs) != 1:
        raise ModelError(f"{file}: {len(inputs)} inputs ({', '.join(i.name for i in inputs)}); only one image is fed")
    tensor = inputs[0].type.tensor_type
    if tensor.elem_type != onnx.TensorProto.FLOAT:
        kinds = onnx.TensorProto.DataType
        kind = kinds.Name(tensor.elem_type) if tensor.elem_type in kinds.values() else f"type {tensor.elem_type}"
        raise ModelError(f"{file}: input {inputs[0].name} is {kind}; only FLOAT is compiled")
    shape = [d.dim_value if d.HasField("dim_value") else None for d in tensor.shape.dim]
    return Network(_nodes(graph), constants, inputs[0].name, shape, [o.name for o in graph.output], opset)


def check_ends(network: Network, file: Path, descriptor: Descriptor) -> None:
    """That the network has the input and the outputs that the descriptor names, in a shape that can be fixed."""
    wanted = descriptor.input["name"]
    if network.input != wanted:
        raise ModelError(f"{file}: its input is {network.input}; the descriptor names {wanted}")
    for name in descriptor.outputs:
        if name not in network.outputs:
            raise ModelError(f"{file}: has no output {name}; it has {', '.join(network.outputs)}")
    shape, exported = descriptor.shape(1), network.shape
    listed = "x".join("?" if d is None else str(d) for d in exported)
    if len(exported) != 4 or exported[0] not in (None, 1):
        raise ModelError(f"{file}: input {listed}; a batch of 1 or an open one is expected, in four dimensions")
    channels = shape.index(3, 1)
    if exported[channels] not in (None, 3):
        raise ModelError(
            f"{file}: input {listed} does not have its 3 channels where layout {descriptor.input['layout']} has"
        )
    # A network whose sides may change was exported at one size all the same; others must fit as they are.
    if not descriptor.any_size and any(e not in (None, s) for e, s in zip(exported, shape, strict=True)):
        raise ModelError(f"{file}: input {listed}; the descriptor says {'x'.join(map(str, shape))}")
