"""Maps of people whose parts are known, in the shape of the targets: a Gaussian about each part, and about each limb a
band of unit vectors that fades to the sides. The shapes are those that the first teacher's maps have once they are
averaged down from twice the size (fuse.py)."""

from __future__ import annotations

import numpy as np

from ..skeleton import CHANNELS, HEATMAPS, LIMBS, PARTS
from .photographs import KNOWN

STRIDE = 8
PEAK, SIGMA = 0.8, 0.66  # of the heatmaps; lengths in cells
FIELD, FIELD_SIGMA = 0.8, 0.64
FIELD_SHIFT = 0.125  # to the right and down: the teacher's fields, unlike its peaks, do not sit on the joints
REACH = 3  # cells about a part or limb beyond which nothing is drawn

Patch = tuple[slice, slice]


def cells_of(pixels: np.ndarray) -> np.ndarray:
    """Pixels as places on the grid of cells: the middle of cell 0 is pixel 3.5."""
    return (pixels - (STRIDE - 1) / 2) / STRIDE


def patch(points: np.ndarray, reach: float, height: int, width: int) -> tuple[Patch, np.ndarray]:
    """The cells about points, rows first, and their places (x, y)."""
    low = np.floor(points.min(0) - reach).astype(int).clip(0, [width, height])
    high = (np.ceil(points.max(0) + reach).astype(int) + 1).clip(low, [width, height])
    rows, columns = np.mgrid[low[1] : high[1], low[0] : high[0]]
    return (slice(low[1], high[1]), slice(low[0], high[0])), np.stack([columns, rows], -1).astype(np.float32)


def peak(cells: np.ndarray, at: np.ndarray) -> np.ndarray:
    return PEAK * np.exp(-((cells - at) ** 2).sum(-1) / (2 * SIGMA**2))


def band(cells: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """How much each cell belongs to a limb."""
    along = b - a
    length = np.linalg.norm(along) + 1e-6
    share = ((cells - FIELD_SHIFT - a) @ along / length).clip(0, length)
    nearest = a + share[..., None] * along / length
    distance = np.linalg.norm(cells - FIELD_SHIFT - nearest, axis=-1)
    return FIELD * np.exp(-(distance**2) / (2 * FIELD_SIGMA**2))


def draw_part(maps: np.ndarray, part: int, at: np.ndarray) -> None:
    """Into float maps (57, height, width); places in cells here and below."""
    where, cells = patch(at[None], REACH, *maps.shape[1:])
    maps[part][where] = np.maximum(maps[part][where], peak(cells, at))


def draw_limb(maps: np.ndarray, x: int, y: int, a: np.ndarray, b: np.ndarray) -> None:
    where, cells = patch(np.stack([a, b]), REACH, *maps.shape[1:])
    strength = band(cells, a, b)
    unit = (b - a) / (np.linalg.norm(b - a) + 1e-6)
    fields = maps[HEATMAPS + x][where], maps[HEATMAPS + y][where]
    stronger = strength > np.hypot(*fields)
    for field, share in zip(fields, unit, strict=True):
        field[stronger] = (strength * share)[stronger]


def maps_of(people: list[np.ndarray], height: int, width: int) -> np.ndarray:
    """(57, height, width) of parts (18, 3) in pixels, of pictures of STRIDE times that size."""
    maps = np.zeros((CHANNELS, height, width), np.float32)
    for parts in people:
        places = cells_of(parts[:, :2])
        for part in np.flatnonzero(parts[:, 2] == KNOWN):
            draw_part(maps, part, places[part])
        for a, b, x, y in LIMBS:
            if min(parts[a, 2], parts[b, 2]) == KNOWN:
                draw_limb(maps, x, y, places[a], places[b])
    maps[PARTS] = 1 - maps[:PARTS].max(0)
    return maps
