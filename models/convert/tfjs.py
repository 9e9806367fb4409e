"""A graph model of TensorFlow.js (NAME.json with its .bin) as a frozen TensorFlow graph.

Its JSON is a GraphDef in protobuf's JSON form. What is missing there are the values of the constants, which lie in the
.bin in the order of the manifest, some as halves. What TensorFlow.js fused into one operator becomes its parts."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
from google.protobuf import json_format

from .graphdef import GraphDef

PRODUCER = 808  # version of the graphs' form, where the file does not say it: of TensorFlow 2.6, which made them
_FUSED = {"_FusedConv2D": "Conv2D", "FusedDepthwiseConv2dNative": "DepthwiseConv2dNative", "_FusedMatMul": "MatMul"}
_OF_FUSION = ("fused_ops", "num_args", "epsilon")  # attributes that the parts do not have
_AFTER_BIAS = {"Relu", "Relu6"}


class ConvertError(Exception):
    """What is wrong with the file, in a line."""


def frozen(file: Path) -> bytes:
    """The GraphDef's bytes."""
    try:
        document = json.loads(file.read_bytes())
        values = _values(document["weightsManifest"], file.parent)
        graph = json_format.ParseDict(_topology(document["modelTopology"]), GraphDef())
    except (OSError, ValueError, KeyError, json_format.ParseError) as error:
        raise ConvertError(f"{file}: not a graph model of TensorFlow.js: {error!r}") from error
    result = GraphDef()
    result.versions.producer = graph.versions.producer or PRODUCER
    for node in graph.node:
        if node.op == "Const":
            node.attr["value"].tensor.tensor_content = _value(values, node, file)
        if node.op in _FUSED:
            _split(node, result, file)
        else:
            result.node.append(node)
    return result.SerializeToString(deterministic=True)


def _topology(topology: dict[str, Any]) -> dict[str, Any]:
    """Without what is not needed (functions, of which there are none in these graphs)."""
    return {key: topology[key] for key in ("node", "versions") if key in topology}


def _values(manifest: list[dict[str, Any]], folder: Path) -> dict[str, np.ndarray]:
    values = {}
    for group in manifest:
        content = b"".join((folder / path).read_bytes() for path in group["paths"])
        at = 0
        for entry in group["weights"]:
            dtype, stored = entry["dtype"], entry.get("quantization", {}).get("dtype", entry["dtype"])
            if dtype not in ("float32", "int32") or stored not in (dtype, "float16"):
                raise ValueError(f"{entry['name']}: {dtype} stored as {stored} is not known")
            count = math.prod(entry["shape"])
            array = np.frombuffer(content, np.dtype(stored).newbyteorder("<"), count, at)
            at += array.nbytes
            values[entry["name"]] = array.astype(dtype)
        if at != len(content):
            raise ValueError(f"{', '.join(group['paths'])}: {len(content)} bytes, the manifest speaks of {at}")
    return values


def _value(values: dict[str, np.ndarray], node: Any, file: Path) -> bytes:
    if node.name not in values:
        raise ConvertError(f"{file}: the constant {node.name} has no value")
    return values[node.name].tobytes()


def _split(node: Any, graph: Any, file: Path) -> None:
    """The operator, its bias, its activation: the last one has the name, which others read."""
    parts = [part.decode() for part in node.attr["fused_ops"].list.s]
    if parts[:1] != ["BiasAdd"] or len(node.input) != 3 or len(parts) > 2 or not set(parts[1:]) <= _AFTER_BIAS:
        raise ConvertError(f"{file}: {node.name} ({node.op}) is fused from {' '.join(parts)}, which is not known")
    names = [f"{node.name}/{part}" for part in (_FUSED[node.op], *parts[:-1])] + [node.name]
    base = graph.node.add(name=names[0], op=_FUSED[node.op], input=node.input[:2])
    for key, value in node.attr.items():
        if key not in _OF_FUSION:
            base.attr[key].CopyFrom(value)
    for before, name, part in zip(names, names[1:], parts, strict=False):
        following = graph.node.add(name=name, op=part, input=[before])
        following.attr["T"].CopyFrom(node.attr["T"])
        if part == "BiasAdd":
            following.input.append(node.input[2])
            following.attr["data_format"].CopyFrom(node.attr["data_format"])
