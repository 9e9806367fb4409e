"""Folders of canvases on disk, memory-mapped: images and maps. A folder is complete or absent."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class Shard:
    images: np.ndarray  # (n, side, side, 3) uint8 BGR
    maps: np.ndarray  # (n, 57, side/8, side/8) int8, 127 for 1, -128 where nobody knows


def write(folder: Path, shard: Shard) -> None:
    part = folder.with_name(folder.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    np.save(part / "images.npy", shard.images)
    np.save(part / "maps.npy", shard.maps)
    part.rename(folder)


def read(folder: Path) -> Shard:
    def array(name: str) -> np.ndarray:
        return np.load(folder / f"{name}.npy", mmap_mode="r")

    return Shard(array("images"), array("maps"))


def complete(folder: Path, kind: str) -> list[Path]:
    """The finished shards of a kind, in the order of their numbers."""
    return sorted(p for p in folder.glob(f"{kind}-*") if not p.name.endswith(".part"))
