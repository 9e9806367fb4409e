"""The maps that the teacher would give for people whose joints are known.

Peaks and fields are its own, measured on rendered figures that it finds (README): a Gaussian about each part, and about
each limb a band of unit vectors that fades to the sides and reaches a little beyond the ends."""

from __future__ import annotations

import numpy as np

from .skeleton import CHANNELS, COCO17_OF_PARTS, HEATMAPS, LIMBS, PARTS
from .teacher import STRIDE

PEAK, SIGMA = 0.8, 0.92  # of the heatmaps; lengths in cells
FIELD, FIELD_SIGMA = 0.8, 0.84
FIELD_SHIFT = 0.25  # to the right and down: the teacher's fields, unlike its peaks, do not sit on the joints
SEEN = 2  # of a keypoint that is in view


def parts_of(keypoints: np.ndarray) -> np.ndarray:
    """(18, 3) parts out of (17, 3) COCO keypoints: x, y, seen; the neck lies between the shoulders."""
    parts = np.zeros((PARTS, 3))
    parts[list(COCO17_OF_PARTS)] = keypoints
    parts[1] = (parts[2] + parts[5]) / 2
    parts[1, 2] = min(parts[2, 2], parts[5, 2])
    return parts


def heatmap(cells: np.ndarray, at: np.ndarray) -> np.ndarray:
    return PEAK * np.exp(-((cells - at) ** 2).sum(-1) / (2 * SIGMA**2))


def band(cells: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """How much each cell belongs to a limb."""
    along = b - a
    length = np.linalg.norm(along) + 1e-6
    share = ((cells - a) @ along / length).clip(0, length)
    nearest = a + share[..., None] * along / length
    distance = np.linalg.norm(cells - nearest, axis=-1)
    return FIELD * np.exp(-(distance**2) / (2 * FIELD_SIGMA**2))


def maps_of(people: list[np.ndarray], height: int, width: int) -> np.ndarray:
    """(57, height, width) for pictures of STRIDE times that size."""
    maps = np.zeros((CHANNELS, height, width), np.float32)
    rows, columns = np.mgrid[:height, :width]
    cells = np.stack([columns, rows], -1).astype(np.float32)
    for keypoints in people:
        parts = parts_of(keypoints)
        places = (parts[:, :2] - (STRIDE - 1) / 2) / STRIDE  # the middle of cell 0 is pixel 3.5
        for part in np.flatnonzero(parts[:, 2] == SEEN):
            maps[part] = np.maximum(maps[part], heatmap(cells, places[part]))
        for a, b, x, y in LIMBS:
            if min(parts[a, 2], parts[b, 2]) < SEEN:
                continue
            strength = band(cells - FIELD_SHIFT, places[a], places[b])
            unit = (places[b] - places[a]) / (np.linalg.norm(places[b] - places[a]) + 1e-6)
            field = maps[HEATMAPS:][[x, y]]
            stronger = strength > np.hypot(*field)
            maps[HEATMAPS + x][stronger] = (strength * unit[0])[stronger]
            maps[HEATMAPS + y][stronger] = (strength * unit[1])[stronger]
    maps[PARTS] = 1 - maps[:PARTS].max(0)
    return maps


def merged(teacher: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Both as floats: the truth about figures, the teacher's word on everything else in the picture."""
    both = np.maximum(teacher, truth)
    fields, true_fields = teacher[HEATMAPS:].copy(), truth[HEATMAPS:]
    strength = np.hypot(true_fields[0::2], true_fields[1::2]).repeat(2, 0)
    known = strength > 0.1
    fields[known] = true_fields[known]
    both[HEATMAPS:] = fields
    both[PARTS] = np.minimum(teacher[PARTS], truth[PARTS])
    return both
