"""Makes canvases of photographs and of figures with their target maps: python -m training.canvases.data --help

Goes on from the shards that are there, for as long as it is let; training takes up new shards as they arrive."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from .. import config
from ..figures.scene import scene
from ..skeleton import PARTS
from . import second, shards
from .boxes import Found, box_of
from .canvas import Canvas, Composer, Shot
from .fuse import Fusion, averaged_down, quantised
from .people import VAGUE_BELOW, Somebody, everybody
from .photographs import NOTHING, Photograph, parts_of_coco, training_and_held_back
from .teacher import Teacher

# Shard n of a kind has the random generator number FIRST_SEED + n.
FIRST_SEED = {"validation": 0, "photos": 1, "figures": 10_000}


class Album:
    """Photographs that the second teacher has seen, drawn by lot."""

    def __init__(self, photographs: list[Photograph], found: dict[str, Found], actions_share: float) -> None:
        seen = [p for p in photographs if p.name in found]
        self._sets = [[p for p in seen if p.name.startswith(s)] for s in ("actions", "lspet")]
        self._found = found
        self._actions_share = actions_share

    def draw(self, rng: np.random.Generator) -> Shot:
        chosen = self._sets[0 if rng.random() < self._actions_share else 1]
        photograph = chosen[rng.integers(len(chosen))]
        image = photograph.image()
        people = everybody(photograph, self._found[photograph.name], *image.shape[:2])
        return Shot(image, people)


class Factory:
    """Makes shards by name; each has a random generator of its own."""

    def __init__(self, settings: dict[str, Any], photographs: Path, found: Path, teacher: Teacher, out: Path) -> None:
        self._seed: int = settings["seed"]
        self._settings = settings["canvas"]
        self._training, self._held_back = training_and_held_back(photographs)
        self._found = found
        self._teacher = teacher
        self._out = out

    def make(self, kind: str, number: int) -> None:
        folder = self._out / f"{kind}-{number:04d}"
        if folder.exists():
            return
        started = time.monotonic()
        rng = np.random.default_rng([self._seed, FIRST_SEED[kind] + number])
        count: int = self._settings["per_shard"]
        photographs = self._held_back if kind == "validation" else self._training
        album = Album(photographs, second.read(self._found), self._settings["actions"])
        canvases = self._canvases(kind, album, rng, count)
        shards.write(folder, labelled(canvases, count, self._teacher))
        print(f"{folder.name}: {count} canvases, {count / (time.monotonic() - started):.1f} a second", flush=True)

    def _canvases(self, kind: str, album: Album, rng: np.random.Generator, count: int) -> Iterator[Canvas]:
        composer = Composer(self._settings, album.draw)
        for _ in range(count):
            if kind == "figures":
                yield figures(rng, 2 * self._settings["side"], composer)
            else:
                yield composer.compose(rng)


def figures(rng: np.random.Generator, side: int, composer: Composer) -> Canvas:
    """Half of the figures walk in drawn places, half in photographs, people and all."""
    behind = composer.compose(rng) if rng.random() < 0.5 else None
    drawn = scene(rng, side, behind.image if behind else None)
    people = [with_box(parts_of_coco(k)) for k in drawn.people]
    return Canvas(drawn.image, [p for p in people if p])


def with_box(parts: np.ndarray) -> Somebody | None:
    return Somebody(parts, box_of(parts)[:4]) if (parts[:, 2] > NOTHING).sum() >= VAGUE_BELOW else None


def halved(somebody: Somebody) -> Somebody:
    """In the student's pixels."""
    parts = np.column_stack([(somebody.parts[:, :2] + 0.5) / 2 - 0.5, somebody.parts[:, 2]])
    return Somebody(parts, (somebody.box + 0.5) / 2 - 0.5)


def target(canvas: Canvas, answer: np.ndarray) -> np.ndarray:
    """Int8 maps for the student, of the teacher's at twice the size."""
    maps = averaged_down(answer)
    if canvas.empty:
        maps[:] = 0
        maps[PARTS] = 1
        return quantised(maps, np.zeros(maps.shape, bool))
    return Fusion(maps, [halved(s) for s in canvas.people]).target()


def labelled(canvases: Iterator[Canvas], count: int, teacher: Teacher) -> shards.Shard:
    kept: list[Canvas] = []

    def images() -> Iterator[np.ndarray]:
        for canvas in canvases:
            kept.append(canvas)
            yield canvas.image

    answers = teacher.maps(images(), count)
    small = [cv2.resize(c.image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA) for c in kept]
    return shards.Shard(np.stack(small), np.stack([target(c, a) for c, a in zip(kept, answers, strict=True)]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photographs", type=Path, required=True, help="folder with actions/ and lspet/")
    parser.add_argument(
        "--second", type=Path, required=True, help="folder of training.canvases.second, finished or not"
    )
    parser.add_argument("--teacher", type=Path, required=True, help="human-pose-estimation-0001, .xml or .onnx")
    parser.add_argument("--out", type=Path, required=True, help="folder of the shards; those that exist are kept")
    parser.add_argument("--photos", type=int, default=60, help="how many shards of photographs there shall be")
    parser.add_argument("--figures", type=int, default=6, help="and of rendered figures")
    options = parser.parse_args()
    settings = config.load()
    side = 2 * settings["canvas"]["side"]
    factory = Factory(settings, options.photographs, options.second, Teacher(options.teacher, side, side), options.out)
    factory.make("validation", 0)
    for number in range(max(options.photos, options.figures)):
        if number < options.photos:
            factory.make("photos", number)
        if number < options.figures:
            factory.make("figures", number)


if __name__ == "__main__":
    main()
