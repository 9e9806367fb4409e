"""From a Network to the bytes of an HLO module with every shape fixed, and back to something that runs on this CPU."""

from __future__ import annotations

import os

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax._src.interpreters import mlir
from jaxlib import _jax

from . import operators
from .errors import ModelError
from .hlo_proto import Module
from .network import Network

try:
    from jaxlib import _hlo
except ImportError:  # the JAX of Python 3.10 has it all in one
    _hlo = _jax

if "JAX_PLATFORMS" not in os.environ:  # not by that variable, which the vendor's compiler would inherit
    jax.config.update("jax_platforms", "cpu")

DTYPES = {"f32": jnp.float32, "bf16": jnp.bfloat16, "u8": jnp.uint8}
Shape = tuple[int, ...]


def function(network: Network, plain: bool = False):
    """Image -> outputs in their order."""

    def run(image: jax.Array) -> tuple[jax.Array, ...]:
        results = operators.apply(network, lax.convert_element_type(image, jnp.float32), plain)
        constant = next((n for n, v in results.items() if isinstance(v, np.ndarray)), None)
        if constant is not None:
            raise ModelError(f"output {constant} does not depend on the image")
        return tuple(results[o] for o in network.outputs)

    return run


def output_shapes(network: Network, shape: Shape, plain: bool = False) -> list[Shape]:
    """Translates the network without computing anything, so it is also the check that all of it is known."""
    results = jax.eval_shape(function(network, plain), jax.ShapeDtypeStruct(shape, jnp.float32))
    return [tuple(r.shape) for r in results]


def channel_counts(network: Network, shape: Shape) -> dict[str, int]:
    """Of every tensor with at least two dimensions."""

    def run(image: jax.Array) -> dict[str, jax.Array]:
        values = operators.apply(network, image, False, keep=True)
        return {n: v for n, v in values.items() if not isinstance(v, np.ndarray)}

    tensors = jax.eval_shape(run, jax.ShapeDtypeStruct(shape, jnp.float32))
    return {n: t.shape[1] for n, t in tensors.items() if t.ndim >= 2}


def lowered(network: Network, name: str, shape: Shape, dtype: str = "f32", plain: bool = False) -> bytes:
    """The serialised HloModuleProto: one parameter, the image; weights as constants; a tuple of the outputs."""
    image = jax.ShapeDtypeStruct(shape, DTYPES[dtype])
    module = jax.jit(function(network, plain), keep_unused=True).lower(image).compiler_ir("stablehlo")
    computation = _jax.mlir.mlir_module_to_xla_computation(
        mlir.module_to_bytecode(module), use_tuple_args=False, return_tuple=True
    )
    return canonical(computation.as_serialized_hlo_module_proto(), name)


def canonical(content: bytes, name: str) -> bytes:
    """The same module as any XLA reads it, with the same bytes for the same network.

    Newer XLA numbers instructions in each computation apart, with the computation's number in the upper 32 bits of what
    it writes. Neuron's compiler refuses those ("Instruction with id > INT_MAX", pytorch/xla issue 9685), so all are
    numbered through. Places in source files are dropped."""
    module = Module.FromString(content)
    module.name = name
    module.ClearField("stack_frame_index")
    module.id = 0
    computations = {c.id: i for i, c in enumerate(module.computations, 1)}
    next_id = 1
    for computation in module.computations:
        ids = {}
        for instruction in computation.instructions:
            ids[instruction.id] = next_id
            next_id += 1
        for instruction in computation.instructions:
            instruction.id = ids[instruction.id]
            instruction.operand_ids[:] = [ids[i] for i in instruction.operand_ids]
            instruction.control_predecessor_ids[:] = [ids[i] for i in instruction.control_predecessor_ids]
            instruction.called_computation_ids[:] = [computations[i] for i in instruction.called_computation_ids]
            origin = instruction.metadata.op_name
            instruction.ClearField("metadata")
            if origin:
                instruction.metadata.op_name = origin
        computation.root_id = ids[computation.root_id]
        computation.id = computations[computation.id]
    module.entry_computation_id = computations[module.entry_computation_id]
    _check(module)
    return module.SerializeToString(deterministic=True)


def _check(module: Module) -> None:
    """That nothing is in the module which only a framework could run."""
    entry = next(c for c in module.computations if c.id == module.entry_computation_id)
    parameters = [i for i in entry.instructions if i.opcode == "parameter"]
    root = next(i for i in entry.instructions if i.id == entry.root_id)
    if len(parameters) != 1 or root.opcode != "tuple":
        raise ModelError(f"{module.name}: not a module of one parameter, the image, and a tuple of outputs")
    foreign = {"custom-call", "call", "while", "conditional", "infeed", "outfeed", "rng"}
    found = foreign & {i.opcode for c in module.computations for i in c.instructions}
    if found:
        raise ModelError(f"{module.name}: instructions that do not compile: {', '.join(sorted(found))}")


def opcodes(content: bytes) -> dict[str, int]:
    counts: dict[str, int] = {}
    for computation in Module.FromString(content).computations:
        for instruction in computation.instructions:
            counts[instruction.opcode] = counts.get(instruction.opcode, 0) + 1
    return dict(sorted(counts.items()))


class Executable:
    """A serialised module, parsed by XLA anew and compiled for this CPU."""

    def __init__(self, content: bytes) -> None:
        computation = _hlo.XlaComputation(content)
        module = _jax.mlir.xla_computation_to_mlir_module(computation)
        device = jax.devices("cpu")[0]
        devices = _jax.DeviceList((device,))
        self._device = device
        self._executable = device.client.compile_and_load(module, devices, _jax.CompileOptions())

    def __call__(self, image: np.ndarray) -> list[np.ndarray]:
        results = self._executable.execute([jax.device_put(image, self._device)])
        return [np.asarray(r) for r in results]
