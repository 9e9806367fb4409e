"""Operators that slide windows or resample: convolutions, pools, resizes."""

from __future__ import annotations

import math

import jax
import numpy as np
from jax import lax

from .context import Context, Operators, mean, reduced

OPERATORS = Operators()
operator = OPERATORS.register

Pairs = list[tuple[int, int]]


def padding(c: Context, sizes: list[int], kernel: list[int], strides: list[int], ceil: bool = False) -> Pairs:
    """Before and after each spatial dimension; `kernel` is dilated, `ceil` adds what a last partial window needs."""
    auto = c.expect("auto_pad", "NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER")
    given = list(c.attribute("pads", [0] * 2 * len(sizes)))
    pairs = []
    for d, (size, k, s) in enumerate(zip(sizes, kernel, strides, strict=True)):
        before, after = given[d], given[d + len(sizes)]
        if auto == "VALID":
            before = after = 0
        elif auto != "NOTSET":
            total = max((-(-size // s) - 1) * s + k - size, 0)
            before = total // 2 if auto == "SAME_UPPER" else total - total // 2
            after = total - before
        elif ceil:
            count = -(-(size + before + after - k) // s) + 1
            if (count - 1) * s >= size + before:  # a window that would begin in the padding behind is left out
                count -= 1
            after = max(after, (count - 1) * s + k - size - before)
        pairs.append((before, after))
    return pairs


def spatial(c: Context, name: str, rank: int) -> list[int]:
    values = list(c.attribute(name, [1] * rank))
    if len(values) != rank or min(values) < 1:
        raise c.fail(f"{name} {values} for {rank} spatial dimensions")
    return values


def dilated(kernel: list[int], dilations: list[int]) -> list[int]:
    return [(k - 1) * d + 1 for k, d in zip(kernel, dilations, strict=True)]


@operator("Conv")
def conv(c: Context) -> jax.Array:
    x, w = c.image(rank=4), c.weights(1, "W")
    if w.ndim != 4:
        raise c.fail(f"W has {w.ndim} dimensions, not 4")
    kernel = list(c.attribute("kernel_shape", list(w.shape[2:])))
    if kernel != list(w.shape[2:]):
        raise c.fail(f"kernel_shape {kernel}, but W is {tuple(w.shape)}")
    groups = c.attribute("group", 1)
    if x.shape[1] != w.shape[1] * groups or w.shape[0] % groups:
        raise c.fail(f"{x.shape[1]} channels, but W {tuple(w.shape)} in {groups} groups wants {w.shape[1] * groups}")
    strides, dilations = spatial(c, "strides", 2), spatial(c, "dilations", 2)
    pads = padding(c, list(x.shape[2:]), dilated(kernel, dilations), strides)
    result = lax.conv_general_dilated(
        x,
        w,
        strides,
        pads,
        rhs_dilation=dilations,
        dimension_numbers=("NCHW", "OIHW", "NCHW"),
        feature_group_count=groups,
    )
    if c.given(2):
        result = lax.add(result, lax.broadcast_in_dim(c.weights(2, "B"), result.shape, [1]))
    return result


@operator("MaxPool", "AveragePool")
def pool(c: Context) -> jax.Array:
    x = c.image(rank=4)
    kernel = spatial(c, "kernel_shape", 2)
    strides, dilations = spatial(c, "strides", 2), spatial(c, "dilations", 2)
    pads = padding(c, list(x.shape[2:]), dilated(kernel, dilations), strides, bool(c.attribute("ceil_mode", 0)))
    largest = c.node.op == "MaxPool"
    start, function = (-np.inf, lax.max) if largest else (0.0, lax.add)
    result = lax.reduce_window(
        x, np.float32(start), function, (1, 1, *kernel), (1, 1, *strides), [(0, 0), (0, 0), *pads],
        window_dilation=(1, 1, *dilations),
    )  # fmt: skip
    if largest:
        c.expect("storage_order", 0)
        return result
    counts = _counts(c, x.shape[2:], result.shape[2:], kernel, strides, dilations, pads)
    return lax.mul(result, lax.broadcast_in_dim((1 / counts).astype(np.float32), result.shape, [2, 3]))


def _counts(c: Context, sizes, results, kernel, strides, dilations, pads) -> np.ndarray:
    """How many values every window of an average holds."""
    given = list(c.attribute("pads", [0, 0, 0, 0]))
    include = c.attribute("count_include_pad", 0)
    lines = []
    for d in range(2):
        # Padding counts where asked for, but never what ceil_mode adds to it.
        low, high = (-pads[d][0], sizes[d] + max(given[d + 2], 0)) if include else (0, sizes[d])
        begins = np.arange(results[d])[:, None] * strides[d] - pads[d][0]
        places = begins + np.arange(kernel[d])[None] * dilations[d]
        lines.append(((places >= low) & (places < high)).sum(1))
    return np.outer(*lines)


@operator("GlobalAveragePool", "GlobalMaxPool")
def global_pool(c: Context) -> jax.Array:
    x = c.image(rank=4)
    return mean(x, [2, 3]) if c.node.op == "GlobalAveragePool" else reduced(x, [2, 3], lax.max, -np.inf)


def _places(c: Context, transformation: str, size: int, result: int, scale: float) -> np.ndarray:
    i = np.arange(result, dtype=np.float64)
    if transformation == "asymmetric":
        return i / scale
    if transformation == "align_corners":
        return i * (size - 1) / (result - 1) if result > 1 else i * 0
    if transformation == "pytorch_half_pixel" and result == 1:
        return i * 0
    return (i + 0.5) / scale - 0.5


def _nearest(rule: str, places: np.ndarray) -> np.ndarray:
    if rule == "floor":
        return np.floor(places)
    if rule == "ceil":
        return np.ceil(places)
    return np.ceil(places - 0.5) if rule == "round_prefer_floor" else np.floor(places + 0.5)


def _resampling(size: int, places: np.ndarray, rule: str | None) -> np.ndarray:
    """Every result as weights of the values along one dimension: nearest by a rule, else linear."""
    matrix = np.zeros((len(places), size), np.float32)
    rows = np.arange(len(places))
    if rule is not None:
        matrix[rows, np.clip(_nearest(rule, places), 0, size - 1).astype(int)] = 1
        return matrix
    below = np.floor(places)
    share = (places - below).astype(np.float32)
    np.add.at(matrix, (rows, np.clip(below, 0, size - 1).astype(int)), 1 - share)
    np.add.at(matrix, (rows, np.clip(below + 1, 0, size - 1).astype(int)), share)
    return matrix


def _resized(x: jax.Array, axis: int, matrix: np.ndarray) -> jax.Array:
    """By broadcasting where every value is repeated equally often, else as a product of matrices."""
    times, rest = divmod(matrix.shape[0], matrix.shape[1])
    if rest == 0 and np.array_equal(matrix, np.repeat(np.eye(matrix.shape[1], dtype=np.float32), times, 0)):
        if times == 1:
            return x
        shape = [*x.shape[: axis + 1], times, *x.shape[axis + 1 :]]
        repeated = lax.broadcast_in_dim(x, shape, [d for d in range(len(shape)) if d != axis + 1])
        return lax.reshape(repeated, [*x.shape[:axis], matrix.shape[0], *x.shape[axis + 1 :]])
    product = lax.dot_general(x, matrix, (((axis,), (1,)), ((), ())))  # the new dimension comes last
    order = list(range(x.ndim - 1))
    order.insert(axis, x.ndim - 1)
    return lax.transpose(product, order) if order != list(range(x.ndim)) else product


@operator("Resize")
def resize(c: Context) -> jax.Array:
    x = c.image(rank=4)
    mode = c.expect("mode", "nearest", "linear")
    known = ("half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel")
    transformation = c.expect("coordinate_transformation_mode", *known) if c.opset >= 11 else "asymmetric"
    rounding = ("round_prefer_floor", "floor", "ceil", "round_prefer_ceil")
    rule = c.expect("nearest_mode", *rounding) if c.opset >= 11 else "floor"
    c.expect("antialias", 0)
    c.expect("exclude_outside", 0)
    c.expect("keep_aspect_ratio_policy", "stretch")
    c.ignore("cubic_coeff_a", "extrapolation_value")  # of modes that are refused
    first = 2 if c.opset >= 11 else 1
    scales = c.constant(first, "scales") if c.given(first) else np.zeros(0)
    if scales.size == 4:
        factors = [float(s) for s in scales]
        sizes = [math.floor(s * f) for s, f in zip(x.shape, factors, strict=True)]
    elif c.given(3):
        sizes = c.integers(3, "sizes")
        if len(sizes) != 4:
            raise c.fail(f"sizes {sizes} for 4 dimensions")
        sizes[0] = c.rows if sizes[0] == 1 else sizes[0]
        factors = [r / s for r, s in zip(sizes, x.shape, strict=True)]
    else:
        raise c.fail("scales or sizes of 4 dimensions must be given")
    if sizes[:2] != list(x.shape[:2]):
        raise c.fail(f"resizes images or channels: {tuple(x.shape)} to {tuple(sizes)}")
    for axis in (2, 3):
        places = _places(c, transformation, x.shape[axis], sizes[axis], factors[axis])
        x = _resized(x, axis, _resampling(x.shape[axis], places, rule if mode == "nearest" else None))
    return x
