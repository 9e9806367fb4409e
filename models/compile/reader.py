"""The one place that decides how a file becomes a Network."""

from __future__ import annotations

from pathlib import Path

from . import onnx_file, openvino_file
from .descriptor import Descriptor
from .errors import UsageError
from .network import Network

ENDINGS = (".onnx", ".xml", ".tflite", ".pb")


def load(file: Path, descriptor: Descriptor) -> Network:
    """With the input and the outputs that the descriptor names, and those only."""
    if file.suffix not in ENDINGS:
        raise UsageError(f"--weights {file}: {', '.join(ENDINGS)} are compiled")
    network = onnx_file.load(file) if file.suffix == ".onnx" else openvino_file.load(file, descriptor)
    if any("QuantizeLinear" in node.op for node in network.nodes):  # these OpenVINO knows how to undo
        network = openvino_file.load(file, descriptor)
    onnx_file.check_ends(network, file, descriptor)
    network.outputs = list(descriptor.outputs)
    return network
