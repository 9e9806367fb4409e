"""Compares the HLO that a network becomes, read back from its bytes and run on this CPU, with OpenVINO or ONNX Runtime:
python -m compile.check --help"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from . import descriptor as descriptors
from . import files, hlo, onnx_file, openvino_ends, reader
from .__main__ import batches, guarded, size
from .errors import DeviceError, ModelError
from .network import Network

Run = Callable[[np.ndarray], list[np.ndarray]]
Shape = tuple[int, ...]


def pictures(rows: int, shape: Shape, first: dict[str, Any] | None) -> np.ndarray:
    """Rows that differ: smooth shapes with noise, as the network is fed pictures."""
    if shape[1] != 3:
        return np.ascontiguousarray(pictures(rows, (1, 3, *shape[1:3]), first).transpose(0, 2, 3, 1))
    random = np.random.Generator(np.random.PCG64(1))
    _, channels, height, width = shape
    y, x = np.mgrid[0:height, 0:width]
    rates = random.uniform(0.02, 0.2, (rows, channels, 2, 1, 1))
    waves = np.sin(rates[:, :, 0] * y + rates[:, :, 1] * x)
    values = np.clip(128 + 90 * waves + random.normal(0, 12, (rows, *shape[1:])), 0, 255).round()
    mean, scale = (first["mean"], first["scale"]) if first else ([0, 0, 0], [1 / 255] * 3)
    return ((values - np.reshape(mean, (3, 1, 1))) * np.reshape(scale, (3, 1, 1))).astype(np.float32)


def openvino(weights: Path, network: Network, shape: Shape) -> Run:
    try:
        import openvino as ov
    except ImportError as error:
        raise DeviceError("openvino is not installed; see requirements-check.txt") from error
    core = ov.Core()
    model = openvino_ends.cut(core.read_model(weights), network.input, network.outputs)
    model.reshape({network.input: list(shape)})
    compiled = core.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1})
    return lambda image: [compiled(image)[o] for o in network.outputs]


def onnxruntime(weights: Path, network: Network, shape: Shape) -> Run:
    try:
        import onnxruntime as ort
    except ImportError as error:
        raise DeviceError("onnxruntime is not installed; see requirements-check.txt") from error
    model = onnx.load_model_from_string(files.read(weights))
    del model.graph.value_info[:]
    for value in [i for i in model.graph.input if i.name == network.input]:
        for dim, fixed in zip(value.type.tensor_type.shape.dim, shape, strict=True):
            dim.dim_value = fixed
    for value in model.graph.output:
        value.type.tensor_type.ClearField("shape")
    settings = ort.SessionOptions()
    settings.intra_op_num_threads = 1
    try:
        session = ort.InferenceSession(model.SerializeToString(), settings, providers=["CPUExecutionProvider"])
    except Exception as error:  # its own kinds, all of which say the same: not with this model
        raise ModelError(f"{weights}: ONNX Runtime does not take it: {str(error).splitlines()[0]}") from error
    return lambda image: session.run(network.outputs, {network.input: image})


REFERENCES = {"openvino": openvino, "onnxruntime": onnxruntime}


def compare(name: str, network: Network, weights: Path, shape: Shape, sizes: list[int], reference: str,
            first: dict[str, Any] | None) -> list[str]:  # fmt: skip
    """A line an output and batch. Errors are against the reference, image by image, in batches of one."""
    images = pictures(max(sizes), shape, first)
    run = REFERENCES[reference](weights, network, shape)
    expected = [[np.array(r) for r in run(i[None])] for i in images]
    alone: list[list[np.ndarray]] = []
    lines = []
    for batch in sorted({1, *sizes}):
        begin = time.monotonic()
        content = hlo.lowered(network, name, (batch, *shape[1:]))
        again = hlo.lowered(network, name, (batch, *shape[1:]))
        if content != again:
            raise ModelError(f"{name}: batch {batch} does not give the same bytes twice")
        executable = hlo.Executable(content)
        results = executable(images[:batch])
        seconds = time.monotonic() - begin
        if batch == 1:
            alone = [results, *(executable(i[None]) for i in images[1:])]
        lines += [_line(network, batch, o, results[o], expected, alone) for o in range(len(results))]
        lines.append(f"batch {batch}: {len(content)} bytes of HLO, lowered, read back and run in {seconds:.1f} s")
    return lines


def _line(network: Network, batch: int, output: int, result: np.ndarray, expected: list, alone: list) -> str:
    wanted = np.concatenate([e[output] for e in expected[:batch]])
    single = np.concatenate([a[output] for a in alone[:batch]])
    if result.shape != wanted.shape or not np.isfinite(result).all():
        raise ModelError(f"{network.outputs[output]}: {result.shape} with {wanted.shape} expected, or not finite")
    error = np.abs(result.astype(np.float64) - wanted)
    largest = np.abs(wanted).max()
    apart = np.abs(result - single).max()
    return (
        f"batch {batch} {network.outputs[output]} {'x'.join(map(str, result.shape))}: largest error {error.max():.3g}, "
        f"of the largest value {error.max() / largest:.3g} ({largest:.4g}); from the same image alone {apart:.3g}"
    )


def run(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m compile.check", description=__doc__.rsplit(":", 1)[0])
    parser.add_argument(
        "--descriptor", type=Path, help="without it the ONNX's own input and outputs are taken, pixels / 255"
    )
    parser.add_argument(
        "--weights", type=Path, required=True, help="ONNX, IR, TFLite or a frozen graph; without a descriptor ONNX"
    )
    parser.add_argument("--batch", type=batches, default=[1, 4])
    parser.add_argument("--net-resolution", type=size, metavar="WxH")
    parser.add_argument("--reference", choices=REFERENCES, default="openvino")
    parser.add_argument("--tolerance", type=float, default=1e-3, help="of the largest value; more ends with 3")
    options = parser.parse_args(arguments)
    name, first = options.weights.stem, None
    if options.descriptor is None:
        network = onnx_file.load(options.weights)
        shape = (1, *(d or 0 for d in network.shape[1:]))
    else:
        source = descriptors.at_resolution(descriptors.load(options.descriptor), options.net_resolution)
        network = reader.load(options.weights, source)
        name, first, shape = source.name, source.input, source.shape(1)
    if len(shape) != 4 or 3 not in (shape[1], shape[3]) or 0 in shape:
        raise ModelError(
            f"{options.weights}: input {network.shape} needs a descriptor that fixes it; images come as NCHW"
        )
    lines = compare(name, network, options.weights, shape, options.batch, options.reference, first)
    print(f"{name}: HLO on the CPU (JAX) against {options.reference} on {options.weights.name}")
    print("\n".join(lines))
    worst = max(float(line.split("of the largest value ")[1].split()[0]) for line in lines if "largest value" in line)
    if worst > options.tolerance:
        raise ModelError(f"{name}: error {worst:.3g} is more than {options.tolerance:g}")


if __name__ == "__main__":
    sys.exit(guarded("check", run, sys.argv[1:]))
