"""ONNX operators on jax.lax. What is not known exactly is refused: an operator, an attribute, a form of either."""

from __future__ import annotations

import logging

import jax
import numpy as np

from . import arithmetic, movement, windows
from .context import Context, Operators, Value
from .errors import ModelError
from .network import Network, Node

OPERATORS = Operators(arithmetic.OPERATORS | movement.OPERATORS | windows.OPERATORS)


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
    if node.op not in OPERATORS:
        raise node.error("operator is not supported")
    context = Context(node, values, network.opset, rows, plain)
    try:
        results = OPERATORS[node.op](context)
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
