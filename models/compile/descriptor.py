"""posecam's descriptor of a network: what is read of the one that exists, and the one that lists the NEFFs."""

from __future__ import annotations

import copy
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import files
from .errors import ModelError, UsageError

# Keypoints and limbs of the skeletons, as models/core/skeleton.h has them: a decoder reads one heatmap a keypoint and two
# PAF channels a limb.
SKELETONS = {"coco-18": (18, 19), "body-25": (25, 26)}
MAX_BATCH = 1024
MAX_ELEMENTS = 2**28  # of an input, as the program accepts it


@dataclass
class Descriptor:
    """The JSON document, checked as far as this tool reads it; the program checks all of it."""

    document: dict[str, Any]
    path: Path
    any_size: bool = False  # the network takes other sizes than its file was exported with

    @property
    def name(self) -> str:
        return self.document["name"]

    @property
    def input(self) -> dict[str, Any]:
        return self.document["inputs"][0]

    @property
    def outputs(self) -> list[str]:
        return self.document["outputs"]

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return self.input["size"]["width"], self.input["size"]["height"]

    @property
    def decoder(self) -> dict[str, Any]:
        return self.document["decoder"]

    def users(self) -> list[dict[str, Any]]:
        """All parts of the decoder section that name an output: whatever the decoder, under the key "output"."""

        def within(value: Any) -> list[dict[str, Any]]:
            if isinstance(value, list):
                return [u for part in value for u in within(part)]
            if not isinstance(value, dict):
                return []
            return ([value] if "output" in value else []) + [u for part in value.values() for u in within(part)]

        return within(self.decoder)

    def ranges(self) -> list[tuple[dict[str, Any], int]]:
        """The runs of channels that the decoder reads, with the number of channels that each needs at least."""
        if self.decoder["kind"] != "paf":
            return []
        keypoints, limbs = SKELETONS.get(self.document.get("skeleton", ""), (1, 1))
        return [(self.decoder["heatmaps"], keypoints), (self.decoder["pafs"], 2 * limbs)]

    def shape(self, batch: int) -> tuple[int, ...]:
        width, height = self.size
        return (batch, 3, height, width) if self.input["layout"] == "nchw" else (batch, height, width, 3)

    def rename(self, names: dict[str, str]) -> None:
        """Outputs get other names, wherever they are mentioned."""
        self.document["outputs"] = [names[o] for o in self.outputs]
        for user in self.users():
            user["output"] = names[user["output"]]


def load(path: Path) -> Descriptor:
    try:
        document = json.loads(files.read(path))
        descriptor = Descriptor(document, path)
        first, decoder = descriptor.input, descriptor.decoder
        found = [document["name"], first["name"], first["layout"], first["dtype"], decoder["kind"], *descriptor.outputs]
        numbers = [*first["mean"], *first["scale"]]
        positive, counts = [*descriptor.size], [first.get("multiple_of", 0)]
        for user in descriptor.users():
            found.append(user["output"])
            counts.append(user.get("first", 0))
        if descriptor.ranges():
            counts += [channels["first"] for channels, _ in descriptor.ranges()]
            positive.append(decoder["stride"])
        found.append(document["task"])
        listed = [e for w in document["weights"].values() if isinstance(w, dict) for e in w.get("files", [])]
        sound = all(isinstance(f, str) for f in found) and all(isinstance(e, dict) for e in listed)
        sound = sound and all(isinstance(n, (int, float)) for n in numbers) and len(numbers) == 6
        sound = sound and all(type(n) is int and n >= 0 for n in counts + positive) and 0 not in positive
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError) as error:
        raise ModelError(f"{path}: not a model descriptor: {error!r}") from error
    if not sound or not re.fullmatch("[a-z0-9][a-z0-9.-]*", descriptor.name):
        raise ModelError(f"{path}: not a model descriptor that posecam reads; see models/schema/model-spec.schema.json")
    if first["layout"] not in ("nchw", "nhwc") or first["dtype"] not in ("f32", "bf16", "u8"):
        raise ModelError(f"{path}: inputs: layout {first['layout']} of {first['dtype']} is not known")
    return descriptor


def at_resolution(descriptor: Descriptor, size: tuple[int, int] | None) -> Descriptor:
    """The same for one input size only."""
    fixed = Descriptor(copy.deepcopy(descriptor.document), descriptor.path)
    multiple = fixed.input.pop("multiple_of", 0)
    fixed.any_size = multiple > 0
    if size is None or size == descriptor.size:
        return fixed
    if not multiple:
        width, height = descriptor.size
        raise UsageError(f"{descriptor.name} takes {width}x{height} only; leave --net-resolution out")
    if any(side % multiple or not 8 <= side <= 4096 for side in size):
        raise UsageError(f"--net-resolution {size[0]}x{size[1]}: sides must be multiples of {multiple} from 8 to 4096")
    fixed.input["size"] = {"width": size[0], "height": size[1]}
    return fixed


def check_weights(descriptor: Descriptor, weights: Path) -> None:
    """A file that goes by a name the descriptor lists must be that file."""
    for backend in descriptor.document["weights"].values():
        for entry in backend.get("files", []) if isinstance(backend, dict) else []:
            if entry.get("name") != weights.name:
                continue
            if not weights.is_file():
                raise ModelError(f"{weights}: no such file")
            if entry.get("sha256") not in (None, files.described(weights)["sha256"]):
                raise ModelError(f"{weights}: is not the {weights.name} that {descriptor.path} lists (sha256 differs)")
            return


def check_outputs(descriptor: Descriptor, names: list[str], shapes: list[tuple[int, ...]]) -> None:
    """That the decoder finds the maps it expects."""
    width, height = descriptor.size
    for channels, count in descriptor.ranges():
        name, first, stride = channels["output"], channels["first"], descriptor.decoder["stride"]
        shape = shapes[names.index(name)]
        if len(shape) != 4 or shape[1] < first + count or shape[2] * stride != height or shape[3] * stride != width:
            expected = f"{first + count} or more channels of {width // stride}x{height // stride}"
            raise ModelError(f"output {name} is {'x'.join(map(str, shape))}; the descriptor's decoder wants {expected}")


def read_labels(file: Path) -> list[str]:
    """A label a line; lines end as the program ends them, which is not where str.splitlines() does."""
    try:
        lines = files.read(file).decode("utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        raise ModelError(f"{file}: not UTF-8") from error
    return [line.removesuffix("\r") for line in (lines if lines[-1] else lines[:-1])]


def check_batches(descriptor: Descriptor, batches: list[int]) -> None:
    width, height = descriptor.size
    largest = max(batches)
    if largest * 3 * width * height > MAX_ELEMENTS:
        raise ModelError(
            f"batch {largest} of {width}x{height} is a larger input than posecam takes ({MAX_ELEMENTS} values)"
        )


def compiled(descriptor: Descriptor, target: str, precision: str, neffs: list[tuple[int, str, Path]]) -> Descriptor:
    """What the program reads: the NEFFs, in the order of their batches, with their names and where they are now."""
    result = Descriptor(copy.deepcopy(descriptor.document), descriptor.path)
    entries = [{"name": name, "batch": batch, **files.described(file)} for batch, name, file in neffs]
    result.document["weights"] = {"neuron": {"target": target, "precision": precision, "files": entries}}
    labels = result.document.get("labels")
    if isinstance(labels, str) and (file := descriptor.path.parent / labels).is_file():  # the copy lies elsewhere
        result.document["labels"] = read_labels(file)
    result.input["batch"] = max(batch for batch, _, _ in neffs)
    return result


def text(descriptor: Descriptor) -> bytes:
    return (json.dumps(descriptor.document, indent=2, ensure_ascii=False) + "\n").encode()
