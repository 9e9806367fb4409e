"""What every translation of an operator works with: the node, its values, and the steps that several need.

A value is a NumPy array (the same for every image) or a traced one (computed from the image; its first axis counts the
rows of the batch). No operator may mix rows, so that a row of a batch of 4 is what it is in a batch of 1."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from jax import lax

from .errors import ModelError
from .network import Node

Value = Any  # np.ndarray | jax.Array
_REQUIRED = object()


class Context:
    """One node while it is translated. Every attribute must be asked for, or the node is refused."""

    def __init__(self, node: Node, values: list[Value | None], opset: int, rows: int, plain: bool) -> None:
        self.node, self.values, self.opset, self.rows, self.plain = node, values, opset, rows, plain
        self._unread = dict(node.attributes)

    def fail(self, problem: str) -> ModelError:
        return self.node.error(problem)

    def attribute(self, name: str, default: Any = _REQUIRED) -> Any:
        if name not in self.node.attributes:
            if default is _REQUIRED:
                raise self.fail(f"attribute {name} is missing")
            return default
        self._unread.pop(name, None)
        value = self.node.attributes[name]
        return value.decode() if isinstance(value, bytes) else value

    def expect(self, name: str, *allowed: Any) -> Any:
        """An attribute of which only some values are known; the first is the default."""
        value = self.attribute(name, allowed[0])
        if value not in allowed:
            raise self.fail(f"{name}={value}; known: {', '.join(map(str, allowed))}")
        return value

    def ignore(self, *names: str) -> None:
        for name in names:
            self._unread.pop(name, None)

    def check_unread(self) -> None:
        if self._unread:
            raise self.fail(f"attribute {sorted(self._unread)[0]} is not known")

    def given(self, index: int) -> bool:
        return index < len(self.values) and self.values[index] is not None

    def image(self, index: int = 0, rank: int | None = None) -> jax.Array:
        if not self.given(index) or isinstance(self.values[index], np.ndarray):
            raise self.fail(f"input {index} must be computed from the image")
        value = self.values[index]
        if rank is not None and value.ndim != rank:
            raise self.fail(f"input {index} has {value.ndim} dimensions, not {rank}")
        return value

    def constant(self, index: int, what: str) -> np.ndarray:
        if not self.given(index) or not isinstance(self.values[index], np.ndarray):
            raise self.fail(f"{what} must be constant")
        return self.values[index]

    def weights(self, index: int, what: str) -> np.ndarray:
        value = self.constant(index, what)
        if value.dtype != np.float32:
            raise self.fail(f"{what} is {value.dtype}; only float32 is compiled")
        return value

    def integers(self, index: int, what: str) -> list[int]:
        return [int(v) for v in self.constant(index, what).reshape(-1)]

    def axis(self, axis: int, rank: int) -> int:
        """A dimension other than the rows', counted from the front."""
        if not -rank <= axis < rank:
            raise self.fail(f"axis {axis} of {rank} dimensions")
        axis %= rank
        if axis == 0 and self.rows > 1:
            raise self.fail("mixes the images of a batch; only batch 1 compiles")
        return axis

    def axes(self, axes: list[int], rank: int) -> list[int]:
        return [self.axis(int(a), rank) for a in axes]


class Operators(dict[str, Callable[[Context], Any]]):
    """Translations by the name of their operator. Each module has its own; operators.py lists the modules."""

    def register(self, *names: str) -> Callable[[Callable[[Context], Any]], Callable[[Context], Any]]:
        def add(function: Callable[[Context], Any]) -> Callable[[Context], Any]:
            for name in names:
                self[name] = function
            return function

        return add


def broadcast(value: Value, shape: tuple[int, ...]) -> Value:
    """Along leading and 1-sized dimensions. Constants are put into the module at their own size."""
    if tuple(value.shape) == shape:
        return value
    first = len(shape) - value.ndim
    kept = [d for d in range(value.ndim) if value.shape[d] != 1]
    small = lax.reshape(value, [value.shape[d] for d in kept]) if len(kept) != value.ndim else value
    if isinstance(value, np.ndarray):
        small = value.reshape([value.shape[d] for d in kept])
    return lax.broadcast_in_dim(small, shape, [first + d for d in kept])


def paired(c: Context, a: Value, b: Value) -> tuple[Value, Value]:
    """Both operands in their common shape, rows aligned."""
    images = [v for v in (a, b) if not isinstance(v, np.ndarray)]
    rank = images[0].ndim
    for value in (a, b):
        if value.dtype != np.float32:
            raise c.fail(f"computes with {value.dtype}; only float32 is compiled")
        if isinstance(value, np.ndarray):
            mixed = value.ndim > rank or (value.ndim == rank and value.shape[0] != 1)
        else:
            mixed = value.ndim != rank
        if mixed and c.rows > 1:
            raise c.fail("mixes the images of a batch; only batch 1 compiles")
    shape = np.broadcast_shapes(tuple(a.shape), tuple(b.shape))
    return broadcast(a, shape), broadcast(b, shape)


def reduced(value: jax.Array, axes: list[int], function: Callable[..., Any], start: float) -> jax.Array:
    """A reduction that keeps its dimensions, with size 1."""
    shape = [1 if d in axes else s for d, s in enumerate(value.shape)]
    return lax.reshape(lax.reduce(value, np.float32(start), function, axes), shape)


def mean(value: jax.Array, axes: list[int]) -> jax.Array:
    total = reduced(value, axes, lax.add, 0.0)
    return lax.mul(total, lax.broadcast(np.float32(1 / math.prod(value.shape[a] for a in axes)), total.shape))

