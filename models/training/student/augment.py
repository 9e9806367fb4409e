"""What a training crop goes through: place, mirror, and everything that cameras and codecs do to pixels.

The teacher has seen the clean picture: the student must give the same answer for the spoilt one."""

from __future__ import annotations

import cv2
import numpy as np

from ..skeleton import mirror_channels

STRIDE = 8
MIRROR_SOURCE, MIRROR_SIGN = mirror_channels()


def crop(image: np.ndarray, maps: np.ndarray, side: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A square of both at the same place, on the grid of the maps."""
    cells = side // STRIDE
    y, x = (int(rng.integers(0, maps.shape[i] - cells + 1)) for i in (1, 2))
    patch = image[y * STRIDE : y * STRIDE + side, x * STRIDE : x * STRIDE + side]
    return patch, maps[:, y : y + cells, x : x + cells]


def mirror(image: np.ndarray, maps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return image[:, ::-1], maps[MIRROR_SOURCE, :, ::-1] * MIRROR_SIGN[:, None, None]


def recolour(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Gain and offset per channel, contrast and gamma by one table per channel; sometimes greyer."""
    if rng.random() < 0.2:
        grey = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
        colour = rng.uniform(0, 0.8)
        image = cv2.addWeighted(image, colour, grey, 1 - colour, 0)
    ramp = np.arange(256, dtype=np.float32)[:, None] / 255
    ramp = ramp ** np.exp(rng.normal(0, 0.25)) * np.exp(rng.normal(0, 0.15)) * np.exp(rng.normal(0, 0.06, 3))
    ramp = (ramp - 0.5) * np.exp(rng.normal(0, 0.15)) + 0.5 + rng.normal(0, 0.06)
    table = (ramp.clip(0, 1) * 255).astype(np.uint8)
    return cv2.LUT(image, table[None])


def degrade(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Blur, loss of resolution, noise, JPEG: each now and then."""
    side = image.shape[0]
    if rng.random() < 0.12:
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.4, 1.6))
    if rng.random() < 0.12:
        small = int(side * rng.uniform(0.45, 0.9))
        image = cv2.resize(cv2.resize(image, (small, small), interpolation=cv2.INTER_AREA), (side, side))
    if rng.random() < 0.15:
        noise = np.empty(image.shape, np.int16)
        cv2.setRNGSeed(int(rng.integers(2**31)))
        cv2.randn(noise, 0, float(rng.uniform(2, 14)))
        image = cv2.add(image, noise, dtype=cv2.CV_8U)
    if rng.random() < 0.2:
        encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 90))])[1]
        image = cv2.imdecode(encoded, cv2.IMREAD_COLOR)
    return image


def augment(image: np.ndarray, maps: np.ndarray, side: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    image, maps = crop(image, maps, side, rng)
    if rng.random() < 0.5:
        image, maps = mirror(image, maps)
    return degrade(recolour(np.ascontiguousarray(image), rng), rng), maps
