"""Operators that move values: shapes, slices, joins."""

from __future__ import annotations

import math

import jax
import numpy as np
from jax import lax

from .context import Context, Operators

OPERATORS = Operators()
operator = OPERATORS.register


def reshaped(c: Context, x: jax.Array, per_row: list[int]) -> jax.Array:
    """x with new dimensions behind the rows."""
    size = math.prod(x.shape[1:])
    known = math.prod(s for s in per_row if s != -1)
    if (
        per_row.count(-1) > 1
        or (-1 in per_row and (known == 0 or size % known))
        or (-1 not in per_row and known != size)
    ):
        raise c.fail(f"{tuple(x.shape[1:])} does not become {tuple(per_row)}")
    return lax.reshape(x, [x.shape[0], *(size // known if s == -1 else s for s in per_row)])


@operator("Reshape")
def reshape(c: Context) -> jax.Array:
    x, target = c.image(), c.integers(1, "shape")
    if not c.attribute("allowzero", 0):
        target = [x.shape[d] if s == 0 else s for d, s in enumerate(target)]
    if c.rows == 1 and target[:1] != [1]:  # one image may take any shape
        rest = math.prod(s for s in target if s != -1)
        return lax.reshape(x, [x.size // rest if s == -1 else s for s in target])
    # The rows come first: as the exported 1, as the true number where the graph computes it, or as what is left.
    if not target or (target[0] not in (1, -1, c.rows)):
        raise c.fail(f"shape {target} mixes the images of a batch; only batch 1 compiles")
    if target[0] == -1 and -1 in target[1:]:
        raise c.fail(f"shape {target} leaves two dimensions open")
    return reshaped(c, x, target[1:])


@operator("Flatten")
def flatten(c: Context) -> jax.Array:
    x = c.image()
    axis = c.attribute("axis", 1)
    axis = axis + x.ndim if axis < 0 else axis
    if axis != 1 and c.rows > 1:
        raise c.fail("mixes the images of a batch; only batch 1 compiles")
    return lax.reshape(x, [math.prod(x.shape[:axis]), math.prod(x.shape[axis:])])


@operator("Squeeze")
def squeeze(c: Context) -> jax.Array:
    x = c.image()
    axes = c.integers(1, "axes") if c.given(1) else c.attribute("axes", None)
    if axes is None:
        raise c.fail("axes are not given")
    axes = c.axes(axes, x.ndim)
    if any(x.shape[a] != 1 for a in axes):
        raise c.fail(f"{tuple(x.shape)} is not 1 along {axes}")
    return lax.reshape(x, [s for d, s in enumerate(x.shape) if d not in axes])


@operator("Unsqueeze")
def unsqueeze(c: Context) -> jax.Array:
    x = c.image()
    axes = c.integers(1, "axes") if c.given(1) else c.attribute("axes")
    rank = x.ndim + len(axes)
    axes = c.axes(list(axes), rank)
    sizes = iter(x.shape)
    return lax.reshape(x, [1 if d in axes else next(sizes) for d in range(rank)])


@operator("Transpose")
def transpose(c: Context) -> jax.Array:
    x = c.image()
    order = list(c.attribute("perm", list(range(x.ndim))[::-1]))
    if c.rows > 1 and order[0] != 0:
        raise c.fail(f"perm {order} mixes the images of a batch; only batch 1 compiles")
    return lax.transpose(x, order)


@operator("Concat")
def concat(c: Context) -> jax.Array:
    rank = next(v.ndim for v in c.values if not isinstance(v, np.ndarray))
    axis = c.axis(c.attribute("axis"), rank)
    parts = []
    for i, value in enumerate(c.values):
        if isinstance(value, np.ndarray):
            value = c.weights(i, f"input {i}")
            if value.shape[0] != c.rows:
                value = np.broadcast_to(value, (c.rows, *value.shape[1:]))
        parts.append(value)
    return lax.concatenate(parts, axis)


@operator("Split")
def split(c: Context) -> list[jax.Array]:
    x = c.image()
    axis = c.axis(c.attribute("axis", 0), x.ndim)
    sizes = c.integers(1, "split") if c.given(1) else c.attribute("split", None)
    if sizes is None:
        pieces = c.attribute("num_outputs", len(c.node.outputs))
        step = -(-x.shape[axis] // pieces)
        sizes = [min(step, x.shape[axis] - i * step) for i in range(pieces)]
    if sum(sizes) != x.shape[axis] or len(sizes) != len(c.node.outputs):
        raise c.fail(f"{x.shape[axis]} does not split into {sizes}")
    ends = np.cumsum(sizes)
    return [lax.slice_in_dim(x, int(e - s), int(e), axis=axis) for s, e in zip(sizes, ends, strict=True)]


@operator("Slice")
def slice_(c: Context) -> jax.Array:
    x = c.image()
    if c.opset < 10:
        starts, ends = list(c.attribute("starts")), list(c.attribute("ends"))
        axes, steps = list(c.attribute("axes", range(len(starts)))), [1] * len(starts)
    else:
        starts, ends = c.integers(1, "starts"), c.integers(2, "ends")
        axes = c.integers(3, "axes") if c.given(3) else list(range(len(starts)))
        steps = c.integers(4, "steps") if c.given(4) else [1] * len(starts)
    ranges = [range(s) for s in x.shape]
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        axis %= x.ndim
        ranges[axis] = range(x.shape[axis])[start:end:step]
    if c.rows > 1 and ranges[0] != range(c.rows):
        raise c.fail("takes images out of the batch; only batch 1 compiles")
    if any(len(r) == 0 for r in ranges):
        raise c.fail(f"nothing is left of {tuple(x.shape)}")
    backwards = [d for d, r in enumerate(ranges) if r.step < 0]
    forward = [r if r.step > 0 else r[::-1] for r in ranges]
    limits = [r[-1] + 1 for r in forward]
    result = lax.slice(x, [r[0] for r in forward], limits, [r.step for r in forward])
    return lax.rev(result, backwards) if backwards else result


@operator("Gather")
def gather(c: Context) -> jax.Array:
    """Of constant indices, as slices that are joined."""
    x = c.image()
    axis = c.axis(c.attribute("axis", 0), x.ndim)
    indices = c.constant(1, "indices")
    size = x.shape[axis]
    flat = [int(i) for i in indices.reshape(-1)]
    if not flat or any(not -size <= i < size for i in flat):
        raise c.fail(f"indices beyond {size}")
    flat = [i % size for i in flat]
    parts, start = [], 0
    for i in range(1, len(flat) + 1):
        if i == len(flat) or flat[i] != flat[i - 1] + 1:
            parts.append(lax.slice_in_dim(x, flat[start], flat[i - 1] + 1, axis=axis))
            start = i
    joined = lax.concatenate(parts, axis) if len(parts) > 1 else parts[0]
    return lax.reshape(joined, [*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :]])


@operator("Pad")
def pad(c: Context) -> jax.Array:
    x = c.image()
    c.expect("mode", "constant")
    if c.given(3):
        raise c.fail("axes are not known")
    amounts = list(c.attribute("pads")) if c.opset < 11 else c.integers(1, "pads")
    filling = c.attribute("value", 0.0) if c.opset < 11 else float(c.constant(2, "value")) if c.given(2) else 0.0
    pairs = list(zip(amounts[: x.ndim], amounts[x.ndim :], strict=True))
    if pairs[0] != (0, 0):
        raise c.fail("adds images to the batch")
    return lax.pad(x, np.float32(filling), [(before, after, 0) for before, after in pairs])
