"""ONNX operators on jax.lax. What is not known exactly is refused: an operator, an attribute, a form of either.

A value is a NumPy array (the same for every image) or a traced one (computed from the image; its first axis counts the
rows of the batch). No operator may mix rows, so that a row of a batch of 4 is what it is in a batch of 1."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from jax import lax

from .errors import ModelError
from .network import Network, Node

Value = Any  # np.ndarray | jax.Array
_REGISTRY: dict[str, Callable[[Context], Any]] = {}
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


def operator(*names: str) -> Callable[[Callable[[Context], Any]], Callable[[Context], Any]]:
    def register(function: Callable[[Context], Any]) -> Callable[[Context], Any]:
        for name in names:
            _REGISTRY[name] = function
        return function

    return register


def _folded(node: Node, values: list[np.ndarray | None], opset: int) -> list[np.ndarray]:
    """Runs a node that depends on no image, with ONNX's own reference implementation."""
    from onnx import TensorProto, helper
    from onnx.reference import ReferenceEvaluator

    proto = helper.make_node(node.op, node.inputs, node.outputs, **node.attributes)
    used = {n: v for n, v in zip(node.inputs, values, strict=True) if v is not None}
    inputs = [
        helper.make_tensor_value_info(n, helper.np_dtype_to_tensor_dtype(v.dtype), v.shape) for n, v in used.items()
    ]
    outputs = [helper.make_tensor_value_info(n, TensorProto.UNDEFINED, None) for n in node.outputs if n]
    model = helper.make_model(
        helper.make_graph([proto], "constant", inputs, outputs), opset_imports=[helper.make_opsetid("", opset)]
    )
    try:
        return [np.asarray(v) for v in ReferenceEvaluator(model).run(None, used)]
    except Exception as error:  # anything a foreign implementation throws at a malformed node
        raise node.error(f"cannot be computed: {str(error).splitlines()[0] if str(error) else error!r}") from error


def _translated(node: Node, values: list[Value | None], network: Network, rows: int, plain: bool) -> list[Value]:
    if node.op == "Shape" and not node.attributes:  # where a graph computes shapes, it begins here
        return [np.array(values[0].shape, np.int64)]
    if all(v is None or isinstance(v, np.ndarray) for v in values):
        return _folded(node, values, network.opset)
    if node.op not in _REGISTRY:
        raise node.error("operator is not supported")
    context = Context(node, values, network.opset, rows, plain)
    try:
        results = _REGISTRY[node.op](context)
    except ModelError:
        raise
    except Exception as error:  # JAX has many kinds for shapes and values that do not go together
        logging.debug("%s", node.name, exc_info=True)
        raise node.error(f"does not fit its inputs: {(str(error) or repr(error)).splitlines()[0]}") from error
    context.check_unread()
    results = results if isinstance(results, list) else [results]
    if len(results) < len([o for o in node.outputs if o]):
        raise node.error(f"{len(node.outputs)} outputs; only {len(results)} are known")
    for result in results:
        if not isinstance(result, np.ndarray) and (result.ndim == 0 or result.shape[0] != rows) and rows > 1:
            raise node.error(f"result {tuple(result.shape)} does not keep the {rows} images apart")
    return results


def apply(network: Network, image: jax.Array, plain: bool, keep: bool = False) -> dict[str, Value]:
    """The network's outputs for a traced image; with `keep` every tensor. `plain`: only HLO that neuron-cc lists."""
    rows = image.shape[0]
    values: dict[str, Value] = {**network.constants, network.input: image}
    for node in network.nodes if keep else network.live():
        missing = [i for i in node.inputs if i and i not in values]
        if missing:
            raise node.error(f"input {missing[0]} comes from nowhere")
        with jax.named_scope(f"{node.op}:{node.name}".replace("/", ".")):
            results = _translated(node, [values[i] if i else None for i in node.inputs], network, rows, plain)
        values.update({name: r for name, r in zip(node.outputs, results, strict=False) if name})
    if keep:
        return values
    lost = [o for o in network.outputs if o not in values]
    if lost:
        raise ModelError(f"output {lost[0]} is computed by no node")
    return {o: values[o] for o in network.outputs}


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


from . import arithmetic, movement, windows  # noqa: E402, F401  (they register themselves)
