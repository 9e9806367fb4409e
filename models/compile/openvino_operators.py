"""OpenVINO's operators in terms of ONNX's. What is not known exactly is refused, by its name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .errors import ModelError

Value = Any  # np.ndarray | str, the name of a tensor
FEWEST_LEVELS = 127  # of a quantised activation: with fewer, computing in floats is another network


@dataclass
class Operator:
    graph: Any  # openvino_file.Graph
    node: Any
    values: list[Value]

    def __post_init__(self) -> None:
        self.attributes: dict[str, Any] = self.node.get_attributes()
        self.kind: str = self.node.get_type_name()

    def fail(self, problem: str) -> ModelError:
        return ModelError(f"{self.node.get_friendly_name()} ({self.kind}): {problem}")

    def add(self, op: str, inputs: list[Value], **attributes: Any) -> str:
        """A node; arrays among its inputs become constants."""
        names = [i if isinstance(i, str) else self.graph.constant(i, i.dtype) for i in inputs]
        return self.graph.add(self.node.get_friendly_name(), op, names, **attributes)

    def tensor(self, index: int) -> str:
        if not isinstance(self.values[index], str):
            raise self.fail(f"input {index} must be computed from the image")
        return self.values[index]

    def array(self, index: int, what: str) -> np.ndarray:
        if not isinstance(self.values[index], np.ndarray):
            raise self.fail(f"{what} must be constant")
        return self.values[index]

    def integers(self, index: int, what: str) -> list[int]:
        return [int(v) for v in self.array(index, what).reshape(-1)]

    def rank(self, index: int = 0) -> int:
        return len(self.node.input_value(index).get_shape())


Translation = Callable[[Operator], Any]
TRANSLATIONS: dict[str, Translation] = {}
SAME = {  # nothing to be said about them but their name
    "Add": "Add", "Subtract": "Sub", "Multiply": "Mul", "Divide": "Div", "Maximum": "Max", "Minimum": "Min",
    "Relu": "Relu", "Sigmoid": "Sigmoid", "Tanh": "Tanh", "Exp": "Exp", "Sqrt": "Sqrt", "Abs": "Abs",
    "Negative": "Neg", "HSwish": "HardSwish",
}  # fmt: skip


def register(*names: str) -> Callable[[Translation], Translation]:
    def keep(function: Translation) -> Translation:
        TRANSLATIONS.update(dict.fromkeys(names, function))
        return function

    return keep


def translate(o: Operator) -> list[Value]:
    """The results of one node, by port."""
    if all(isinstance(v, np.ndarray) for v in o.values) and o.kind in FOLDS:
        return [FOLDS[o.kind](o)]
    if o.kind in SAME:
        return [o.add(SAME[o.kind], o.values)]
    if o.kind not in TRANSLATIONS:
        raise o.fail("operator is not supported")
    made = TRANSLATIONS[o.kind](o)
    return made if isinstance(made, list) else [made]


def quantised(o: Operator, x: np.ndarray) -> np.ndarray:
    low, high, to_low, to_high = (o.array(i, "a range").astype(np.float64) for i in range(1, 5))
    steps = o.attributes["levels"] - 1
    scaled = np.round((np.clip(x, low, high) - low) / (high - low) * steps) / steps
    return (scaled * (to_high - to_low) + to_low).astype(np.float32)


# What is computed here because OpenVINO leaves it to its plugins: the way from stored weights to their values.
FOLDS: dict[str, Callable[[Operator], np.ndarray]] = {
    "Convert": lambda o: o.values[0].astype(np.float32) if o.node.get_element_type().is_real() else o.values[0],
    "FakeQuantize": lambda o: quantised(o, o.values[0].astype(np.float64)),
    "Reshape": lambda o: o.values[0].reshape(o.node.get_output_shape(0)),
    "Unsqueeze": lambda o: o.values[0].reshape(o.node.get_output_shape(0)),
    "Squeeze": lambda o: o.values[0].reshape(o.node.get_output_shape(0)),
    "Transpose": lambda o: o.values[0].transpose([int(d) for d in o.values[1]]),
    "Add": lambda o: o.values[0] + o.values[1],
    "Subtract": lambda o: o.values[0] - o.values[1],
    "Multiply": lambda o: o.values[0] * o.values[1],
    "Divide": lambda o: o.values[0] / o.values[1],
}


@register("Convert")
def convert(o: Operator) -> str:
    quantised = o.node.input_value(0).get_node().get_type_name() == "FakeQuantize"  # to what its range fits into
    if not quantised and not o.node.get_element_type().is_real():
        raise o.fail(f"computes with {o.node.get_element_type().get_type_name()}; only floats are compiled")
    return o.tensor(0)  # pixels are whole numbers: floats hold them


@register("Identity")
def identity(o: Operator) -> Value:
    return o.values[0]


@register("FakeQuantize")
def fake_quantize(o: Operator) -> str:
    """The clamp and the change of range; the steps between are not taken."""
    low, high, to_low, to_high = (o.array(i, "a range").astype(np.float32) for i in range(1, 5))
    if o.attributes["levels"] < FEWEST_LEVELS:
        raise o.fail(f"{o.attributes['levels']} levels; networks that need so few do not compile")
    x = o.add("Min", [o.add("Max", [o.tensor(0), low]), high])
    if np.array_equal(low, to_low) and np.array_equal(high, to_high):
        return x
    factor = ((to_high - to_low) / (high - low)).astype(np.float32)
    return o.add("Add", [o.add("Mul", [x, factor]), (to_low - low * factor).astype(np.float32)])


def _window(o: Operator) -> dict[str, Any]:
    a = o.attributes
    kinds = {"explicit": "NOTSET", "same_upper": "SAME_UPPER", "same_lower": "SAME_LOWER", "valid": "VALID"}
    result: dict[str, Any] = {"strides": list(a["strides"]), "auto_pad": kinds[a["auto_pad"]]}
    if a["auto_pad"] == "explicit":
        result["pads"] = [*a["pads_begin"], *a["pads_end"]]
    if "dilations" in a:
        result["dilations"] = list(a["dilations"])
    return result


@register("Convolution")
def convolution(o: Operator) -> str:
    return o.add("Conv", [o.tensor(0), o.array(1, "weights")], **_window(o))


@register("GroupConvolution")
def group_convolution(o: Operator) -> str:
    weights = o.array(1, "weights")
    groups, outputs = weights.shape[:2]
    flat = weights.reshape(groups * outputs, *weights.shape[2:])
    return o.add("Conv", [o.tensor(0), flat], group=groups, **_window(o))


@register("MaxPool", "AvgPool")
def pool(o: Operator) -> str:
    if o.attributes["rounding_type"] not in ("floor", "ceil"):
        raise o.fail(f"rounding_type={o.attributes['rounding_type']}; known: floor, ceil")
    more = {"kernel_shape": list(o.attributes["kernel"]), "ceil_mode": int(o.attributes["rounding_type"] == "ceil")}
    if o.kind == "AvgPool":
        if more["ceil_mode"] and not o.attributes["exclude-pad"]:  # ONNX divides by another number at the edge
            raise o.fail("rounding_type=ceil that counts padding is not known")
        more["count_include_pad"] = int(not o.attributes["exclude-pad"])
    return o.add("MaxPool" if o.kind == "MaxPool" else "AveragePool", [o.tensor(0)], **more, **_window(o))


@register("Elu")
def elu(o: Operator) -> str:
    return o.add("Elu", [o.tensor(0)], alpha=float(o.attributes["alpha"]))


@register("PRelu")
def prelu(o: Operator) -> str:
    slope = o.array(1, "slope")
    if slope.size > 1 and slope.ndim == 1:  # one a channel
        slope = slope.reshape(-1, *[1] * (o.rank() - 2))
    return o.add("PRelu", [o.tensor(0), slope])


@register("Swish")
def swish(o: Operator) -> str:
    x = o.tensor(0)
    inner = o.add("Mul", [x, o.array(1, "beta")]) if len(o.values) > 1 else x
    return o.add("Mul", [x, o.add("Sigmoid", [inner])])


@register("HSigmoid")
def hard_sigmoid(o: Operator) -> str:
    return o.add("HardSigmoid", [o.tensor(0)], alpha=1 / 6, beta=0.5)


@register("Clamp")
def clamp(o: Operator) -> str:
    return o.add("Clip", [o.tensor(0), *(np.float32(o.attributes[k]) for k in ("min", "max"))])


@register("Softmax")
def softmax(o: Operator) -> str:
    return o.add("Softmax", [o.tensor(0)], axis=o.attributes["axis"])


@register("MatMul")
def matmul(o: Operator) -> str:
    if o.attributes["transpose_a"]:
        raise o.fail("transpose_a is not known")
    second = o.values[1]
    if o.attributes["transpose_b"]:
        order = [*range(o.rank(1) - 2), o.rank(1) - 1, o.rank(1) - 2]
        second = second.transpose(order) if isinstance(second, np.ndarray) else o.add("Transpose", [second], perm=order)
    return o.add("MatMul", [o.tensor(0), second])


@register("ReduceMean", "ReduceSum", "ReduceMax")
def reduce(o: Operator) -> str:
    axes = o.integers(1, "axes")
    keep = {"keepdims": int(o.attributes["keep_dims"])}
    if o.kind == "ReduceSum":
        return o.add(o.kind, [o.tensor(0), np.array(axes)], **keep)
    return o.add(o.kind, [o.tensor(0)], axes=axes, **keep)


@register("Concat")
def concat(o: Operator) -> str:
    return o.add("Concat", o.values, axis=o.attributes["axis"])


@register("Reshape")
def reshape(o: Operator) -> str:
    target = np.array(o.integers(1, "shape"))
    return o.add("Reshape", [o.tensor(0), target], allowzero=int(not o.attributes["special_zero"]))


@register("Squeeze", "Unsqueeze")
def squeeze(o: Operator) -> str:
    if len(o.values) < 2:
        raise o.fail("axes are not given")
    return o.add(o.kind, [o.tensor(0), np.array(o.integers(1, "axes"))])


@register("Transpose")
def transpose(o: Operator) -> str:
    order = o.integers(1, "order") or list(range(o.rank()))[::-1]
    return o.add("Transpose", [o.tensor(0)], perm=order)


def _split(o: Operator, axis: int, sizes: list[int]) -> list[Value]:
    """As slices, which need no node of several results."""
    ends = [int(e) for e in np.cumsum(sizes)]
    return [_sliced(o, [e - s], [e], [axis], [1]) for s, e in zip(sizes, ends, strict=True)]


def _sliced(o: Operator, starts: list[int], ends: list[int], axes: list[int], steps: list[int]) -> str:
    return o.add("Slice", [o.tensor(0), *(np.array(v, np.int64) for v in (starts, ends, axes, steps))])


@register("Split", "VariadicSplit")
def split(o: Operator) -> list[Value]:
    axis = o.integers(1, "axis")[0]
    return _split(o, axis, [p.get_shape()[axis] for p in o.node.outputs()])


@register("Slice")
def slice_(o: Operator) -> str:
    starts, ends, steps = (o.integers(i, "bounds") for i in (1, 2, 3))
    axes = o.integers(4, "axes") if len(o.values) > 4 else list(range(len(starts)))
    return _sliced(o, starts, ends, axes, steps)


@register("Gather")
def gather(o: Operator) -> str:
    if o.attributes.get("batch_dims", 0):
        raise o.fail("batch_dims are not known")
    return o.add("Gather", [o.tensor(0), o.array(1, "indices")], axis=o.integers(2, "axis")[0])


@register("Pad")
def pad(o: Operator) -> str:
    if o.attributes["pad_mode"] != "constant":
        raise o.fail(f"pad_mode={o.attributes['pad_mode']}; known: constant")
    amounts = np.array(o.integers(1, "pads_begin") + o.integers(2, "pads_end"))
    return o.add("Pad", [o.tensor(0), amounts, np.float32(o.array(3, "value")) if len(o.values) > 3 else np.float32(0)])


TO_NCHW, TO_NHWC = (0, 3, 1, 2), (0, 2, 3, 1)


@register("Interpolate")
def interpolate(o: Operator) -> str:
    a, opset = o.attributes, o.node.get_type_info().version_id
    modes = {"nearest": "nearest", "linear": "linear", "linear_onnx": "linear"}
    if a["mode"] not in modes or opset == "opset1":
        raise o.fail(f"mode={a['mode']}; known: {', '.join(modes)} of opset 4 and later")
    if a["antialias"] or any(a["pads_begin"]) or any(a["pads_end"]) or a["nearest_mode"] == "simple":
        raise o.fail("antialias, pads and nearest_mode=simple are not known")
    # Opset 4 has sizes, scales and axes behind the tensor, opset 11 one of the first two.
    scales, last = (1, 2) if opset == "opset11" else (2, 3)
    axes = o.integers(last, "axes") if len(o.values) > last else list(range(o.rank()))
    sizes, factors = np.array(o.node.get_output_shape(0)), np.ones(o.rank(), np.float32)
    by_scales = a["shape_calculation_mode"] == "scales"
    if by_scales:
        factors[axes] = o.array(scales, "scales").reshape(-1)
    names = {"coordinate_transformation_mode": a["coordinate_transformation_mode"], "nearest_mode": a["nearest_mode"]}
    x, pixels = o.tensor(0), axes == [1, 2] and o.rank() == 4  # channels are behind them
    if pixels:
        x, sizes, factors = o.add("Transpose", [x], perm=list(TO_NCHW)), sizes[list(TO_NCHW)], factors[list(TO_NCHW)]
    none = np.zeros(0, np.float32)
    given = [factors] if by_scales else [none, sizes]
    result = o.add("Resize", [x, none, *given], mode=modes[a["mode"]], **names)
    return o.add("Transpose", [result], perm=list(TO_NHWC)) if pixels else result
