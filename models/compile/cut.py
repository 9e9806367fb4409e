"""--no-fuse: the first and the last operators of a network, left to what posecam does on the CPU anyway.

posecam has no interpreter of operators beside the device. What is left to the CPU must therefore be something that the
descriptor can say: arithmetic on the pixels as mean and scale, a join of maps as the first channel of each. Everything
else is refused, because nobody would compute it."""

from __future__ import annotations

import numpy as np

from .descriptor import Descriptor
from .errors import UsageError
from .network import Graph, Node

_PIXELS = {"Mul": "Mul", "Add": "Add", "Sub": "Sub", "Div": "Div", "AddV2": "Add", "BiasAdd": "Add", "RealDiv": "Div"}
_JOINS = ("Concat", "ConcatV2")
_NOTHING = ("Identity", "Dropout", "PlaceholderWithDefault")
_SCALES = (1e-6, 1000.0)  # what a descriptor takes
_MEANS = (-1000.0, 1000.0)


def apply(graph: Graph, names: list[str], descriptor: Descriptor) -> list[str]:
    """Takes the named nodes off both ends and puts what they did into the descriptor; says what it did."""
    pending = []
    for name in names:
        node = next((n for n in graph.nodes if n.name == name or name in n.outputs), None)
        if node is None:
            raise UsageError(f"--no-fuse {name}: the network has no such operator")
        pending.append(node)
    done: list[str] = []
    while pending:
        node = next((n for n in pending if _is_first(graph, n)), None)
        if node is not None:
            done.append(_cut_first(graph, node, descriptor))
        else:
            node = next((n for n in pending if _is_last(graph, n)), None)
            if node is None:
                raise pending[0].error("is neither first nor last, and the CPU side computes no part of the middle")
            done.append(_cut_last(graph, node, descriptor))
        graph.nodes.remove(node)
        pending.remove(node)
    return done


def _is_first(graph: Graph, node: Node) -> bool:
    users = [n for n in graph.nodes if graph.input in n.inputs]
    others = [i for i in node.inputs if i and i != graph.input and i not in graph.constants]
    return users == [node] and not others and graph.input not in graph.outputs


def _is_last(graph: Graph, node: Node) -> bool:
    return all(o in graph.outputs for o in node.outputs) and not any(
        o in n.inputs for n in graph.nodes for o in node.outputs
    )


def _cut_first(graph: Graph, node: Node, descriptor: Descriptor) -> str:
    where = f"{node.name} ({node.op})"
    if node.op in _NOTHING:
        graph.input = node.outputs[0]
        return f"{where}: does nothing"
    kind = _PIXELS.get(node.op)
    if kind is None or len(node.inputs) != 2 or node.inputs.count(graph.input) != 1:
        raise node.error("the CPU side scales pixels (Add, Sub, Mul, Div by constants) and does nothing else to them")
    values = graph.constants[next(i for i in node.inputs if i != graph.input)]
    if kind in ("Sub", "Div") and node.inputs[0] != graph.input:
        raise node.error("the image must be the first operand")
    first = descriptor.input
    values = _per_channel(node, values, 1 if first["layout"] == "nchw" else 3)
    mean, scale = np.array(first["mean"], np.float64), np.array(first["scale"], np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        # A pixel p is fed as (p - mean) * scale.
        if kind in ("Mul", "Div"):
            scale = scale * values if kind == "Mul" else scale / values
        else:
            mean = mean - values / scale if kind == "Add" else mean + values / scale
    in_range = [(scale >= _SCALES[0]) & (scale <= _SCALES[1]), (mean >= _MEANS[0]) & (mean <= _MEANS[1])]
    if not np.all(in_range):
        raise node.error(f"gives mean {mean.tolist()} and scale {scale.tolist()}, which a descriptor does not take")
    first["mean"], first["scale"] = mean.tolist(), scale.tolist()
    graph.input = node.outputs[0]
    return f"{where}: pixels are fed as (value - {_listed(mean)}) * {_listed(scale)}"


def _per_channel(node: Node, values: np.ndarray, channel_axis: int) -> np.ndarray:
    """One value a channel, of a constant that says no more than that."""
    values = np.asarray(values, np.float64)
    if values.size == 1:
        return np.repeat(values.reshape(1), 3)
    axis = 0 if node.op == "BiasAdd" else values.ndim - 4 + channel_axis
    if values.size != 3 or axis < 0 or values.shape[axis] != 3:
        raise node.error(f"constant {values.shape}; one value or one a channel can be left to the CPU")
    return values.reshape(3)


def _cut_last(graph: Graph, node: Node, descriptor: Descriptor) -> str:
    where, joined = f"{node.name} ({node.op})", node.outputs[0]
    if node.op in _NOTHING:
        graph.outputs = [node.inputs[0] if o == joined else o for o in graph.outputs]
        descriptor.rename({o: node.inputs[0] if o == joined else o for o in descriptor.outputs})
        return f"{where}: does nothing"
    ranges = descriptor.ranges()
    if node.op not in _JOINS or not ranges:
        raise node.error(
            "nothing on the CPU side computes it; the decoder takes a join of maps along channels apart only"
        )
    parts, axis = _joined(graph, node)
    if axis % 4 != graph.channel_axis:
        raise node.error(f"joins along axis {axis}, not along channels")
    ends = np.cumsum([graph.channels(p) for p in parts]).tolist()
    placed = []
    for channels, count in ranges:
        if channels["output"] != joined:
            continue
        first = channels["first"]
        begin = next((b for b, e in zip([0, *ends], ends, strict=False) if b <= first and first + count <= e), None)
        if begin is None:
            raise node.error(
                f"channels {first} to {first + count - 1}, which the decoder reads at once, lie in several parts"
            )
        placed.append((channels, parts[[0, *ends].index(begin)], first - begin))
    for channels, part, first in placed:
        channels["output"], channels["first"] = part, first
    used = [p for p in parts if any(p == part for _, part, _ in placed)]
    descriptor.document["outputs"] = _spliced(descriptor.outputs, joined, used)
    graph.outputs = _spliced(graph.outputs, joined, used)
    return f"{where}: the decoder reads {', '.join(used)} apart"


def _joined(graph: Graph, node: Node) -> tuple[list[str], int]:
    if node.op == "Concat":
        return node.inputs, int(node.attributes["axis"])
    return node.inputs[:-1], int(graph.constants[node.inputs[-1]])


def _spliced(names: list[str], old: str, new: list[str]) -> list[str]:
    result: list[str] = []
    for name in names:
        result += [n for n in (new if name == old else [name]) if n not in result]
    return result


def _listed(values: np.ndarray) -> str:
    return "[" + ", ".join(f"{v:.6g}" for v in values) + "]"
