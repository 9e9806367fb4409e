"""Reads whatever OpenVINO reads (IR, ONNX, TFLite, frozen TensorFlow graphs) into a Network of ONNX operators.

Everything becomes f32: f16 constants are widened, quantised ones take the values they stand for, and an activation that
is quantised keeps its clamp but not its steps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from . import openvino_ends
from . import openvino_operators as operators
from .descriptor import Descriptor
from .errors import ModelError
from .network import Network, Node

OPSET = 13  # of the nodes that are made here


class Graph:
    """A Network while it grows: what openvino_operators.py adds nodes to."""

    def __init__(self, input_name: str) -> None:
        self.nodes: list[Node] = []
        self.constants: dict[str, np.ndarray] = {}
        self.input = input_name
        self._made = 0

    def constant(self, value: Any, dtype: type = np.float32) -> str:
        self._made += 1
        name = f"constant {self._made}"
        self.constants[name] = np.array(value, dtype, order="C")
        return name

    def add(self, name: str, op: str, inputs: list[str], output: str = "", **attributes: Any) -> str:
        self._made += 1
        output = output or f"{name} {self._made}"
        self.nodes.append(Node(name, op, inputs, [output], attributes))
        return output


def load(file: Path, descriptor: Descriptor) -> Network:
    """With the outputs under the names that the descriptor has, at its size and for one image. What lies outside the
    ends that it names is left out."""
    model = openvino_ends.cut(_read(file), descriptor.input["name"], descriptor.outputs)
    if len(model.inputs) != 1:
        raise ModelError(f"{file}: {len(model.inputs)} inputs; only one image is fed")
    shape = [None if d.is_dynamic else d.get_length() for d in model.inputs[0].get_partial_shape()]
    wanted = descriptor.input["name"]
    found = wanted if wanted in model.inputs[0].get_names() else model.inputs[0].get_any_name()
    exported = Network([], {}, found, shape, _outputs(model, descriptor), OPSET)
    if found != wanted or len(shape) != 4 or not set(descriptor.outputs) <= set(exported.outputs):
        return exported  # check_ends() says what is wrong with it
    _at_size(model, file, descriptor.shape(1))
    graph = Graph(found)
    values = _translated(model, graph)
    for result, name in zip(model.get_results(), exported.outputs, strict=True):
        _call(graph, values[_key(result.input_value(0))], name)
    exported.nodes, exported.constants = graph.nodes, graph.constants
    return exported


def _read(file: Path) -> Any:
    import openvino as ov

    if not file.is_file():
        raise ModelError(f"{file}: no such file")
    try:
        return ov.Core().read_model(file)
    except RuntimeError as error:
        raise ModelError(f"{file}: OpenVINO does not read it: {_line(error)}") from error


def _line(error: Exception) -> str:
    """The end of what OpenVINO says, which begins with where in its own source it was."""
    text = str(error).strip()
    lines = text.split("\nSummary:")[-1].split("\n") if "\nSummary:" in text else text.split("\n")[-1:]
    kept = [line.strip(" -") for line in lines if line.strip() and not line.startswith("To facilitate")]
    return "; ".join(kept) or "it does not say why"


def _at_size(model: Any, file: Path, shape: tuple[int, ...]) -> None:
    from openvino import passes

    try:
        model.reshape({model.inputs[0]: list(shape)})
        manager = passes.Manager()
        manager.register_pass(passes.ConstantFolding())  # of shapes, first of all
        manager.run_passes(model)
    except RuntimeError as error:
        raise ModelError(f"{file}: does not take {'x'.join(map(str, shape))}: {_line(error)}") from error


def _outputs(model: Any, descriptor: Descriptor) -> list[str]:
    """A tensor may have several names: the descriptor's is the one that counts."""
    names = []
    for output in model.outputs:
        own = sorted(output.get_names())
        names.append(next((n for n in own if n in descriptor.outputs), own[0] if own else f"output {len(names)}"))
    return names


def _key(output: Any) -> tuple[str, int]:
    return output.get_node().get_name(), output.get_index()


def _translated(model: Any, graph: Graph) -> dict[tuple[str, int], operators.Value]:
    """Values by node and port: arrays where they are constant, names of tensors elsewhere."""
    values: dict[tuple[str, int], operators.Value] = {}
    for node in model.get_ordered_ops():
        kind, name = node.get_type_name(), node.get_name()
        if kind == "Result":
            continue
        if kind == "Parameter":
            values[name, 0] = graph.input
        elif kind == "Constant":
            values[name, 0] = _plain(node)
        else:
            inputs = [values[_key(v)] for v in node.input_values()]
            made = operators.translate(operators.Operator(graph, node, inputs))
            values.update({(name, port): value for port, value in enumerate(made)})
    return values


def _plain(node: Any) -> np.ndarray:
    """A constant's values: floats as f32, the rest as it is."""
    kind = node.get_element_type()
    try:
        value = np.array(node.get_data(dtype=np.float32) if kind.is_real() else node.get_data())
    except (RuntimeError, TypeError, ValueError) as error:
        raise ModelError(f"{node.get_friendly_name()} (Constant): type {kind.get_type_name()} is not known") from error
    return value


def _call(graph: Graph, value: operators.Value, name: str) -> None:
    """Gives the tensor of an output the output's name."""
    if isinstance(value, np.ndarray):
        raise ModelError(f"output {name} does not depend on the image")
    maker = next((n for n in graph.nodes if value in n.outputs), None)
    taken = any(value in n.inputs for n in graph.nodes)
    if maker is None or taken:
        graph.add(name, "Identity", [value], name)
    else:
        maker.outputs = [name if o == value else o for o in maker.outputs]
