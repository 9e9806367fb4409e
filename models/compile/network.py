"""A network as the rest of this tool sees it, whatever file it came from: nodes, constants, one input, outputs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from .errors import ModelError


@dataclass
class Node:
    name: str
    op: str
    inputs: list[str]  # "": an optional input that is not given
    outputs: list[str]
    attributes: dict[str, Any]

    def error(self, problem: str) -> ModelError:
        return ModelError(f"{self.name} ({self.op}): {problem}")


class Graph(Protocol):
    """What cut.py needs to know."""

    nodes: list[Node]
    constants: dict[str, np.ndarray]
    input: str
    outputs: list[str]
    channel_axis: int

    def channels(self, tensor: str) -> int: ...


@dataclass
class Network:
    """An ONNX graph. `shape` is the input's as it was exported, None where it is open."""

    nodes: list[Node]
    constants: dict[str, np.ndarray]
    input: str
    shape: list[int | None]
    outputs: list[str]
    opset: int
    channel_axis: int = 1
    channel_counts: dict[str, int] = field(default_factory=dict)

    def channels(self, tensor: str) -> int:
        return self.channel_counts[tensor]

    def live(self) -> list[Node]:
        """The nodes that the outputs need, in order."""
        needed, nodes = set(self.outputs), []
        for node in reversed(self.nodes):
            if needed.intersection(node.outputs):
                needed.update(node.inputs)
                nodes.append(node)
        return nodes[::-1]
