"""Training batches, made one step ahead on a thread of their own, from whatever shards are there."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..canvases import shards
from ..canvases.fuse import UNKNOWN
from .augment import augment

RESCAN_STEPS = 500  # so that shards that are made meanwhile are taken up


class Batches:
    """Batch n depends on the seed, n and the shards that are there, on nothing else: a resumed run draws what the run
    without a break would have drawn."""

    def __init__(self, folder: Path, settings: dict[str, Any], seed: int) -> None:
        self._folder = folder
        self._settings = settings
        self._seed = seed
        self._photos: list[shards.Shard] = []
        self._figures: list[shards.Shard] = []

    def starting_at(self, step: int) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Endless. Pixels 0..255 and target maps, as floats."""
        ahead: queue.Queue[tuple[torch.Tensor, torch.Tensor]] = queue.Queue(maxsize=3)

        def produce() -> None:
            number = step
            self._scan()
            while True:
                if number % RESCAN_STEPS == 0:
                    self._scan()
                ahead.put(self.batch(number))
                number += 1

        threading.Thread(target=produce, daemon=True).start()
        while True:
            yield ahead.get()

    def _scan(self) -> None:
        self._photos = [shards.read(p) for p in shards.complete(self._folder, "photos")]
        self._figures = [shards.read(p) for p in shards.complete(self._folder, "figures")]

    def batch(self, number: int) -> tuple[torch.Tensor, torch.Tensor]:
        if not self._photos:
            self._scan()
        rng = np.random.default_rng([self._seed, number])
        side, size = self._settings["crop"], self._settings["batch"]
        images = np.empty((size, side, side, 3), np.uint8)
        maps = np.empty((size, 57, side // 8, side // 8), np.int8)
        for index in range(size):
            use_figures = bool(self._figures) and rng.random() < self._settings["figures"]
            pool = self._figures if use_figures else self._photos
            shard = pool[rng.integers(len(pool))]
            item = int(rng.integers(len(shard.images)))
            images[index], maps[index] = augment(shard.images[item], shard.maps[item], side, rng)
        return as_tensors(images, maps)


def as_tensors(images: np.ndarray, maps: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
    """Targets that nobody knows are NaN."""
    pixels = torch.from_numpy(images).permute(0, 3, 1, 2).float()  # permuted: channels_last without a copy
    target = torch.from_numpy(np.array(maps))
    return pixels, (target.float() / 127).masked_fill_(target == UNKNOWN, torch.nan)
