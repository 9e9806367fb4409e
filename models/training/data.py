"""Makes canvases of photographs with the teacher's maps: python -m training.data --help"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from . import config, shards
from .canvas import MAX_PEOPLE, Canvas, Composer
from .figures import Scene, scene
from .lspet import Lspet, Person
from .rate import load_or_rate
from .teacher import Teacher, quantised
from .truth import maps_of, merged

# Shard n of a kind has the random generator number FIRST_SEED + n.
FIRST_SEED = {"validation": 0, "photos": 1, "figures": 10_000}


def photograph_canvases(
    photographs: Lspet, pool: range, seen: np.ndarray, settings: dict[str, Any], rng: np.random.Generator, count: int
) -> Iterator[Canvas]:
    """People are drawn in proportion to how well the teacher sees them, none of them never."""
    chances = seen[pool.start : pool.stop] + settings["unseen_weight"]
    chances = chances / chances.sum()

    def draw(generator: np.random.Generator) -> Person:
        return photographs.person(pool[generator.choice(len(pool), p=chances)])

    composer = Composer(settings, draw)
    for _ in range(count):
        yield composer.compose(draw(rng), rng)


def figure_scenes(photo_canvases: Iterator[Canvas], side: int, rng: np.random.Generator, count: int) -> Iterator[Scene]:
    """Half of the figures walk in drawn places, half in photographs."""
    for _ in range(count):
        yield scene(rng, side, next(photo_canvases).image if rng.random() < 0.5 else None)


def label_canvases(canvases: Iterator[Canvas], count: int, teacher: Teacher) -> shards.Shard:
    kept: list[Canvas] = []

    def images() -> Iterator[np.ndarray]:
        for canvas in canvases:
            kept.append(canvas)
            yield canvas.image

    maps = teacher.maps(images(), count)
    return shards.Shard(np.stack([c.image for c in kept]), maps, np.stack([c.joints for c in kept]))


def label_scenes(scenes: Iterator[Scene], count: int, teacher: Teacher) -> shards.Shard:
    """The truth about the figures, the teacher's answer about what else is in the picture."""
    kept: list[Scene] = []

    def images() -> Iterator[np.ndarray]:
        for one in scenes:
            kept.append(one)
            yield one.image

    maps = teacher.maps(images(), count)
    for index, one in enumerate(kept):
        truth = maps_of(one.people, *maps.shape[-2:])
        maps[index] = quantised(merged(maps[index].astype(np.float32) / 127, truth))
    return shards.Shard(np.stack([s.image for s in kept]), maps, np.zeros((count, MAX_PEOPLE, 14, 3), np.float32))


class Factory:
    """Makes shards by name; each has a random generator of its own, so that any may be made anew."""

    def __init__(self, settings: dict[str, Any], photographs: Lspet, teacher: Teacher, folder: Path) -> None:
        self._seed: int = settings["seed"]
        self._settings = settings["canvas"]
        self._photographs = photographs
        self._teacher = teacher
        self._folder = folder
        self._seen = load_or_rate(folder / "seen.npy", photographs, teacher, self._settings["side"])
        self._border = len(photographs) - self._settings["held_back"]

    def make(self, kind: str, number: int) -> None:
        folder = self._folder / f"{kind}-{number:04d}"
        if folder.exists():
            return
        started = time.monotonic()
        rng = np.random.default_rng([self._seed, FIRST_SEED[kind] + number])
        count = self._settings["held_back" if kind == "validation" else "per_shard"]
        shards.write(folder, self._shard(kind, rng, count))
        print(f"{folder.name}: {count} canvases, {count / (time.monotonic() - started):.0f} a second", flush=True)

    def _shard(self, kind: str, rng: np.random.Generator, count: int) -> shards.Shard:
        pool = range(self._border, len(self._photographs)) if kind == "validation" else range(self._border)
        canvases = photograph_canvases(self._photographs, pool, self._seen, self._settings, rng, count)
        if kind == "figures":
            return label_scenes(figure_scenes(canvases, self._settings["side"], rng, count), count, self._teacher)
        return label_canvases(canvases, count, self._teacher)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lspet", type=Path, required=True, help="folder with images/ and joints.npy")
    parser.add_argument("--teacher", type=Path, required=True, help="human-pose-estimation-0001, .xml or .onnx")
    parser.add_argument("--out", type=Path, required=True, help="folder of the shards; those that exist are kept")
    parser.add_argument("--photos", type=int, default=40, help="how many shards of photographs there shall be")
    parser.add_argument("--figures", type=int, default=8, help="and of rendered figures")
    options = parser.parse_args()
    settings = config.load()
    side = settings["canvas"]["side"]
    factory = Factory(settings, Lspet(options.lspet), Teacher(options.teacher, side, side), options.out)
    wanted = {"validation": 1, "photos": options.photos, "figures": options.figures}
    for kind in FIRST_SEED:
        for number in range(wanted[kind]):
            factory.make(kind, number)


if __name__ == "__main__":
    main()
