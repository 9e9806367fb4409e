"""What is to be done, worked out before any of it is: files, shapes, commands. Doing it is the same list in order."""

from __future__ import annotations

import contextlib
import json
import shlex
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from . import cut, descriptor, files, graphdef, vendor
from .descriptor import Descriptor
from .errors import ModelError, UsageError
from .vendor import Options

Shape = tuple[int, ...]


@dataclass
class Part:
    """One batch size: files to write, then one run of the compiler."""

    batch: int
    inputs: list[tuple[Path, Callable[[], bytes]]]
    tensors: str
    command: list[str]

    @property
    def neff(self) -> Path:
        return Path(self.command[-1])

    @property
    def made(self) -> Path:
        """The NEFF, as long as others are missing."""
        return self.neff.with_name(self.neff.name + ".new")


@dataclass
class Plan:
    descriptor: Descriptor
    options: Options
    weights: Path
    out: Path
    parts: list[Part]
    notes: list[str] = field(default_factory=list)

    @property
    def result(self) -> Path:
        return descriptor_path(self.out, self.options)

    def lines(self) -> list[str]:
        width, height = self.descriptor.size
        batches = ", ".join(str(p.batch) for p in self.parts)
        what = f"{self.descriptor.name} for {self.options.target}, from {self.weights.name}"
        lines = [f"{what}: {width}x{height}, batch {batches}"]
        lines += [f"left to the CPU: {note}" for note in self.notes]
        for part in self.parts:
            lines.append(f"batch {part.batch}: {part.tensors}")
            lines += [f"  write {path}" for path, _ in part.inputs]
            lines.append(f"  run   {shlex.join(part.command)}")
        return [*lines, f"then write {self.result}"]

    def carry_out(self, say: Callable[[str], None]) -> None:
        try:
            self.out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"--out {self.out}: {error.strerror}") from error
        try:
            for part in self.parts:
                for path, content in part.inputs:
                    files.write(path, content())
                    say(f"{path}: {path.stat().st_size} bytes; {part.tensors}")
            vendor.require([p.command for p in self.parts])
            with contextlib.ExitStack() as unnamed:
                for part in self.parts:
                    unnamed.callback(part.made.unlink, missing_ok=True)
                    vendor.run(part.command, part.made)
                    say(f"{part.neff}: {part.made.stat().st_size} bytes")
                neffs = [(p.batch, p.neff.name, p.made) for p in self.parts]
                result = descriptor.compiled(self.descriptor, self.options.target, self.options.precision, neffs)
                # All at once, the descriptor last: a model that worked does so until there is another.
                for part in self.parts:
                    part.made.replace(part.neff)
                files.write(self.result, descriptor.text(result))
            say(f"{self.result}: descriptor")
        except OSError as error:
            raise ModelError(f"{error.filename or self.out}: {error.strerror}") from error


def make(
    source: Descriptor, weights: Path, batches: list[int], options: Options, no_fuse: list[str], out: Path
) -> Plan:
    """`source` already has the resolution that is wanted."""
    options.check()
    descriptor.check_batches(source, batches)
    descriptor.check_weights(source, weights)
    out = out.resolve()
    if descriptor_path(out, options) == source.path.resolve():
        raise UsageError(f"--out {out}: would overwrite the descriptor that is read; name another folder")
    if weights.suffix == ".pb" and options.target == "inf1":
        return _from_graph(source, weights, batches, options, no_fuse, out)
    return _from_network(source, weights, batches, options, no_fuse, out)


def descriptor_path(out: Path, options: Options) -> Path:
    """Where posecam looks for it in the folder of a model."""
    return out / f"neuron-{options.target}.json"


def _from_network(
    source: Descriptor, weights: Path, batches: list[int], options: Options, no_fuse: list[str], out: Path
) -> Plan:
    from . import hlo, reader  # JAX takes a second to load, which usage errors need not wait for

    network = reader.load(weights, source)
    plain = options.target == "inf1"
    descriptor.check_outputs(source, source.outputs, hlo.output_shapes(network, source.shape(1), plain))
    if no_fuse:
        network.channel_counts = hlo.channel_counts(network, source.shape(1))
    notes = cut.apply(network, no_fuse, source)
    final = Descriptor(source.document, source.path)
    # The compiler names the tensors of an HLO module by their order.
    final.input["name"] = "input0"
    final.rename({o: f"output{i}" for i, o in enumerate(final.outputs)})
    parts = []
    for batch in batches:
        shape, dtype = source.shape(batch), source.input["dtype"]
        shapes = hlo.output_shapes(network, shape, plain)
        outputs = ", ".join(f"output{i} f32 {_by(s)}" for i, s in enumerate(shapes))
        path = out / f"{source.name}-{options.target}-b{batch}.hlo"
        parts.append(
            Part(
                batch,
                [(path, lambda shape=shape, dtype=dtype: hlo.lowered(network, source.name, shape, dtype, plain))],
                f"input0 {dtype} {_by(shape)} -> {outputs}",
                vendor.hlo_command(options, path, path.with_suffix(".neff")),
            )
        )
    return Plan(final, options, weights, out, parts, notes)


def _from_graph(
    source: Descriptor, weights: Path, batches: list[int], options: Options, no_fuse: list[str], out: Path
) -> Plan:
    if source.input["dtype"] != "f32":
        raise ModelError(f"{weights}: input of {source.input['dtype']}; a TensorFlow graph is fed f32")
    graph = graphdef.load(weights, source.input["name"], source.outputs)
    # The same network has its image in another layout than the ONNX that the descriptor was written for.
    source.input["layout"] = "nhwc" if graph.channel_axis == 3 else "nchw"
    source.rename({o: graphdef.tensor_name(o) for o in source.outputs})
    graphdef.check_shape(graph, source.shape(1))
    if max(batches) > 1:
        graphdef.check_rows(graph)
    notes = cut.apply(graph, no_fuse, source)
    to_nchw = graph.channel_axis == 3 and bool(source.ranges())
    _, names = graphdef.written(graph, source.shape(1), to_nchw)
    final = Descriptor(source.document, source.path)
    final.input["name"] = graph.input
    final.rename(dict(zip(graph.outputs, names, strict=True)))
    parts = []
    for batch in batches:
        shape = source.shape(batch)
        path = out / f"{source.name}-{options.target}-b{batch}.pb"
        config = out / f"{source.name}-{options.target}-b{batch}.io.json"
        io = {"inputs": {graph.input: [list(shape), "float32"]}, "outputs": names}
        parts.append(
            Part(
                batch,
                [
                    (path, lambda shape=shape: graphdef.written(graph, shape, to_nchw)[0]),
                    (config, lambda io=io: (json.dumps(io, indent=2) + "\n").encode()),
                ],
                f"{graph.input} f32 {_by(shape)} -> {', '.join(names)}",
                vendor.graph_command(options, path, config, path.with_suffix(".neff")),
            )
        )
    return Plan(final, options, weights, out, parts, notes)


def _by(shape: Shape) -> str:
    return "x".join(map(str, shape))
