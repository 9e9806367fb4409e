"""Operators that compute: element by element, normalisations, products of matrices."""

from __future__ import annotations

import jax
import numpy as np
from jax import lax

from .context import Context, Operators, broadcast, mean, paired, reduced

OPERATORS = Operators()
operator = OPERATORS.register

_BINARY = {"Add": lax.add, "Sub": lax.sub, "Mul": lax.mul, "Div": lax.div}
_UNARY = {"Exp": lax.exp, "Sqrt": lax.sqrt, "Neg": lax.neg, "Abs": lax.abs, "Tanh": lax.tanh}
_MANY = {"Max": lax.max, "Min": lax.min}


def full(value: jax.Array, number: float) -> jax.Array:
    return lax.broadcast(np.float32(number), value.shape)


@operator(*_BINARY)
def binary(c: Context) -> jax.Array:
    return _BINARY[c.node.op](*paired(c, c.values[0], c.values[1]))


@operator(*_MANY)
def many(c: Context) -> jax.Array:
    result = c.values[0]
    for value in c.values[1:]:
        result = _MANY[c.node.op](*paired(c, result, value))
    return result


@operator(*_UNARY)
def unary(c: Context) -> jax.Array:
    return _UNARY[c.node.op](c.image())


@operator("Identity", "Dropout")
def identity(c: Context) -> jax.Array:
    c.ignore("ratio", "seed")  # of training
    if len([o for o in c.node.outputs if o]) > 1 or (c.given(2) and bool(c.constant(2, "training_mode"))):
        raise c.fail("only the form for inference is known")
    return c.image()


@operator("Cast")
def cast(c: Context) -> jax.Array:
    c.expect("to", 1)  # FLOAT
    c.ignore("saturate", "round_mode")
    return c.image()


@operator("Relu")
def relu(c: Context) -> jax.Array:
    return lax.max(c.image(), full(c.image(), 0))


@operator("LeakyRelu")
def leaky_relu(c: Context) -> jax.Array:
    x = c.image()
    return lax.select(lax.ge(x, full(x, 0)), x, lax.mul(x, full(x, c.attribute("alpha", 0.01))))


@operator("PRelu")
def prelu(c: Context) -> jax.Array:
    x = c.image()
    slope = c.weights(1, "slope")
    _, slope = paired(c, x, slope)
    return lax.select(lax.ge(x, full(x, 0)), x, lax.mul(x, slope))


@operator("Elu")
def elu(c: Context) -> jax.Array:
    x = c.image()
    low = lax.sub(lax.exp(lax.min(x, full(x, 0))), full(x, 1))
    return lax.select(lax.gt(x, full(x, 0)), x, lax.mul(low, full(x, c.attribute("alpha", 1.0))))


@operator("Sigmoid")
def sigmoid(c: Context) -> jax.Array:
    x = c.image()
    if not c.plain:
        return lax.logistic(x)
    half = full(x, 0.5)  # the same function by an instruction that neuron-cc lists
    return lax.add(lax.mul(lax.tanh(lax.mul(x, half)), half), half)


@operator("HardSigmoid", "HardSwish")
def hard_sigmoid(c: Context) -> jax.Array:
    x = c.image()
    swish = c.node.op == "HardSwish"
    alpha, beta = (1 / 6, 0.5) if swish else (c.attribute("alpha", 0.2), c.attribute("beta", 0.5))
    line = lax.add(lax.mul(x, full(x, alpha)), full(x, beta))
    gate = lax.max(lax.min(line, full(x, 1)), full(x, 0))
    return lax.mul(x, gate) if swish else gate


@operator("Clip")
def clip(c: Context) -> jax.Array:
    x = c.image()
    if c.opset < 11:
        low, high = c.attribute("min", -np.inf), c.attribute("max", np.inf)
    else:
        low = float(c.constant(1, "min")) if c.given(1) else -np.inf
        high = float(c.constant(2, "max")) if c.given(2) else np.inf
    x = lax.max(x, full(x, low)) if low != -np.inf else x
    return lax.min(x, full(x, high)) if high != np.inf else x


@operator("Softmax")
def softmax(c: Context) -> jax.Array:
    x = c.image()
    axis = c.axis(c.attribute("axis", -1 if c.opset >= 13 else 1), x.ndim)
    axes = [axis] if c.opset >= 13 else list(range(axis, x.ndim))  # older: over everything from there on
    shifted = lax.sub(x, broadcast(reduced(x, axes, lax.max, -np.inf), x.shape))
    powers = lax.exp(shifted)
    return lax.div(powers, broadcast(reduced(powers, axes, lax.add, 0), x.shape))


@operator("ReduceMean", "ReduceSum", "ReduceMax")
def reduce(c: Context) -> jax.Array:
    x = c.image()
    axes = c.integers(1, "axes") if c.given(1) else c.attribute("axes", None)
    if axes is None or c.attribute("noop_with_empty_axes", 0):
        raise c.fail("axes are not given")
    axes = c.axes(axes, x.ndim)
    if c.node.op == "ReduceMean":
        result = mean(x, axes)
    else:
        result = reduced(x, axes, *((lax.add, 0.0) if c.node.op == "ReduceSum" else (lax.max, -np.inf)))
    if c.attribute("keepdims", 1):
        return result
    return lax.reshape(result, [s for d, s in enumerate(x.shape) if d not in axes])


def channelwise(x: jax.Array, values: np.ndarray) -> jax.Array:
    return lax.broadcast_in_dim(np.asarray(values, np.float32), x.shape, [1])


@operator("BatchNormalization")
def batch_normalization(c: Context) -> jax.Array:
    x = c.image()
    c.expect("training_mode", 0)
    c.expect("spatial", 1)
    c.ignore("momentum")
    names = ("scale", "bias", "mean", "variance")
    scale, bias, average, variance = (c.weights(i, n).astype(np.float64) for i, n in enumerate(names, 1))
    factor = scale / np.sqrt(variance + c.attribute("epsilon", 1e-5))
    return lax.add(lax.mul(x, channelwise(x, factor)), channelwise(x, bias - average * factor))


@operator("InstanceNormalization")
def instance_normalization(c: Context) -> jax.Array:
    x = c.image()
    axes = list(range(2, x.ndim))
    centred = lax.sub(x, broadcast(mean(x, axes), x.shape))
    variance = mean(lax.mul(centred, centred), axes)
    factor = lax.rsqrt(lax.add(variance, full(variance, c.attribute("epsilon", 1e-5))))
    scale, bias = channelwise(x, c.weights(1, "scale")), channelwise(x, c.weights(2, "bias"))
    return lax.add(lax.mul(lax.mul(centred, broadcast(factor, x.shape)), scale), bias)


@operator("Gemm")
def gemm(c: Context) -> jax.Array:
    x, w = c.image(rank=2), c.weights(1, "B")
    c.expect("transA", 0)
    w = w.T if c.attribute("transB", 0) else w
    result = lax.dot_general(
        x, np.ascontiguousarray(w * np.float32(c.attribute("alpha", 1.0))), (((1,), (0,)), ((), ()))
    )
    beta = np.float32(c.attribute("beta", 1.0))
    return lax.add(*paired(c, result, c.weights(2, "C") * beta)) if c.given(2) else result


@operator("MatMul")
def matmul(c: Context) -> jax.Array:
    x = c.image()
    if isinstance(c.values[1], np.ndarray):
        w = c.weights(1, "B")
        if w.ndim != 2 or x.ndim < 2:
            raise c.fail(f"{x.ndim} by {w.ndim} dimensions; a constant factor must be a matrix")
        return lax.dot_general(x, w, (((x.ndim - 1,), (0,)), ((), ())))
    y = c.image(1)
    if x.ndim != y.ndim or x.ndim < 3 or x.shape[:-2] != y.shape[:-2]:
        raise c.fail(f"{x.shape} by {y.shape}; leading dimensions must agree")
    batch = tuple(range(x.ndim - 2))
    return lax.dot_general(x, y, (((x.ndim - 1,), (x.ndim - 2,)), (batch, batch)))
