"""A network of OpenVINO's between the ends that a descriptor names, as pipeline/cpu/openvino_ends.cpp cuts it."""

from __future__ import annotations

from typing import Any


def cut(model: Any, first: str, last: list[str]) -> Any:
    """The network from tensor `first` to the tensors `last`, where these are inner ones; else as it is. Names that it
    does not have stay missing."""
    begins = any(first in port.get_names() for port in model.inputs)
    ends = all(any(name in port.get_names() for port in model.outputs) for name in last)
    found = [_tensor(model, name) for name in last]
    start = None if begins else _tensor(model, first)
    if (begins and ends) or None in found or (start is None and not begins):
        return model
    import openvino as ov
    from openvino import opset13

    inputs = model.get_parameters()
    if start is not None:
        made = opset13.parameter(start.get_partial_shape(), start.get_element_type())
        for user in start.get_target_inputs():
            user.replace_source_output(made.output(0))
        start.get_tensor().set_names(set())
        made.output(0).get_tensor().set_names({first})
        inputs = [made]
    for output, name in zip(found, last, strict=True):
        output.get_tensor().add_names({name})
    return ov.Model([opset13.result(output) for output in found], inputs, model.get_friendly_name())


def _tensor(model: Any, name: str) -> Any:
    """By its own name, else by that of the layer that makes it, if it makes no other."""
    for port in model.outputs:
        if name in port.get_names():
            return port.get_node().input_value(0)
    layer = None
    for node in model.get_ordered_ops():
        if node.get_type_name() in ("Parameter", "Constant", "Result"):
            continue
        for output in node.outputs():
            if name in output.get_names():
                return output
        if node.get_output_size() == 1 and node.get_friendly_name() == name:
            layer = node.output(0)
    return layer
